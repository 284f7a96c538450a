#include "frgan/train/run_diagnosis.h"

#include <fmt/format.h>

#include "frgan/classifier/checkpoint.h"
#include "frgan/classifier/inference.h"
#include "frgan/core/error.h"
#include "frgan/core/run_files.h"
#include "frgan/data/label_split.h"
#include "frgan/io/checkpoint_files.h"
#include "frgan/metrics/checkpoint_quality.h"
#include "frgan/train/diagnostics.h"

namespace frgan {

void diagnose_run(const std::filesystem::path& folder, const DataSource& source, const Hardware& hardware,
                  const Messages& messages) {
  if (!has_checkpoints(folder / kCheckpointsFolder)) throw Error("the run has no checkpoint");
  const Checkpoint checkpoint = load_checkpoint(folder, CheckpointUse::kClassify);
  const CheckpointState& state = checkpoint.state;
  if (state.step != state.planned_steps) {
    throw Error(
        fmt::format("{}: step {} of {} is not the last", checkpoint.path.string(), state.step, state.planned_steps));
  }
  Dataset data = load_data(source, state);
  leave_out_added_images(checkpoint, data);
  if (data.digest != state.data_digest) {
    throw Error(fmt::format("{}: the run was trained on other data", data.source));
  }
  const bool has_test = data.test.size() > 0;
  const ImageSet set =
      has_test ? data.test
               : data.train.rows(label_split_from_json(state.label_split, data, checkpoint.path.string()).dev);
  if (set.size() == 0) throw Error(fmt::format("{}: no test images and no development images", data.source));
  const Inference inference = begin_inference(hardware, state.precision, messages);
  messages.progress(fmt::format("{}: classifying {} images", folder.string(), set.size()));
  const NetworkPtr network = load_classifier(checkpoint, inference.device, inference.precision);
  const double temperature = state.calibration.temperature;
  write_diagnostics(folder, diagnose(*network, set, inference.precision, temperature, source.watch.stopped),
                    {set, has_test ? EvaluatedImages::kTest : EvaluatedImages::kDev, state.class_names,
                     state.data_digest, state.split_digest},
                    quality_basis(checkpoint, set.images));
}

}  // namespace frgan
