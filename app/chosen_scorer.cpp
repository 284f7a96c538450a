#include "app/chosen_scorer.h"

#include <filesystem>

#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {

ChosenScorer scorer_of(const Checkpoint& checkpoint, const InferenceOptions& options) {
  const Inference inference = begin_inference(options, checkpoint.state);
  return {checkpoint_scorer(checkpoint, inference.device, inference.precision), inference.precision_name};
}

ChosenScorer scorer_of_file(const std::string& file, const ImageShape& shape, const InferenceOptions& options) {
  if (std::filesystem::is_directory(file)) {
    throw Error(
        fmt::format("{}: not a run or checkpoint; --scorer takes a run, a checkpoint or a TorchScript file", file));
  }
  const Inference inference = begin_inference(options, "fp32");
  return {torchscript_scorer(file, shape, inference.device), "its own precision"};
}

}  // namespace frgan
