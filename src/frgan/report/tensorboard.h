// Writes a run's TensorBoard event file, events.out.tfevents.*, without TensorFlow. View it with
// `tensorboard --logdir runs`.
//
//   error/test, error/dev      fraction of images misclassified by the averaged weights, 0 to 1
//   loss/NAME                  unweighted loss term
//   train/learning_rate        learning rate of the step
//   train/images_per_second    images entering a network per second, since the previous point
//   samples                    grids of generated images
//   hyperparameters            all options of the run; TensorBoard shows them with the last values of the metrics
//
// The file is a list of records: length (8 bytes), its checksum, an Event in protobuf format, its checksum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "frgan/core/json.h"
#include "frgan/io/files.h"
#include "frgan/report/run_log.h"
#include "frgan/report/step_record.h"

namespace frgan {

//   TensorBoardLog events(run, /*first_step=*/0, options);
//   events.write(StepRecord{.step = 50, .losses = {{"supervised", 0.31}}, ...});
//   events.finish(/*step=*/4000);
//
// Each event is written at once by a single write, so readers see it immediately and nothing is lost if the program is
// killed.
class TensorBoardLog {
 public:
  // Starts a new file in the folder. Removes the events that earlier processes wrote after `first_step`, because the
  // resumed run writes them again; a running TensorBoard drops them too. Removes damaged events, at which TensorBoard
  // stops reading. Throws an Error if the file cannot be written.
  TensorBoardLog(const std::filesystem::path& folder, int64_t first_step, const Json& options);

  // The files with damaged events.
  const std::vector<std::filesystem::path>& damaged() const { return damaged_; }

  void write(const StepRecord& record);
  void write(const EvaluationRecord& record);
  // Adds a PNG file as an image. Throws an Error if it is not a PNG.
  void write_samples(int64_t step, const std::filesystem::path& png);
  // Marks the run as finished; without this, TensorBoard shows it as running.
  void finish(int64_t step);

 private:
  TensorBoardLog(const std::filesystem::path& folder, const std::vector<std::filesystem::path>& earlier,
                 int64_t first_step, const Json& options);

  std::vector<std::filesystem::path> damaged_;
  GrowingFile file_;
};

// Whether the file name is that of an event file.
bool is_event_file(const std::filesystem::path& path);

}  // namespace frgan
