// A run's events.out.tfevents.*: what TensorBoard shows of it (`tensorboard --logdir runs`), written by lines of our
// own.
//
//   error/test, error/dev      share of images that are wrong, 0 to 1, of the averaged weights
//   loss/NAME                  each loss term, before its weight
//   train/learning_rate        of the step
//   train/images_per_second    images that entered a network, since the point before
//   samples                    the grids of generated images
//   hyper-parameters           all options of the run; TensorBoard puts the last points beside them
//
// A file is a list of records: the length (8 bytes), its checksum, an Event in protobuf's format, its checksum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include <nlohmann/json.hpp>

#include "frgan/io/files.h"
#include "frgan/report/run_log.h"
#include "frgan/report/step_record.h"

namespace frgan {

//   TensorBoardLog events(run, /*first_step=*/0, options);
//   events.write(StepRecord{.step = 50, .losses = {{"supervised", 0.31}}, ...});
//   events.finish(/*step=*/4000);
//
// Each event is one write: whoever looks sees it at once, and a killed program leaves all that came before.
class TensorBoardLog {
 public:
  // Begins a new file in the folder. What an earlier process wrote after `first_step` is gone, also for a reader that
  // has seen it: the run that goes on there writes it again. Throws an Error when the file cannot be written.
  TensorBoardLog(const std::filesystem::path& folder, int64_t first_step, const nlohmann::ordered_json& options);

  void write(const StepRecord& record);
  void write(const EvaluationRecord& record);
  // A PNG.
  void write_samples(int64_t step, const std::filesystem::path& png);
  // The run came to its end; without this TensorBoard shows it as not finished.
  void finish(int64_t step);

 private:
  GrowingFile file_;
};

// Whether a file of this name is one of these.
bool is_event_file(const std::filesystem::path& path);

// CRC-32C (Castagnoli), as of iSCSI: 0xe3069283 of "123456789".
uint32_t crc32c(std::span<const std::byte> bytes);

}  // namespace frgan
