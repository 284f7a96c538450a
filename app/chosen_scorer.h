// The network that scores images: a run, a checkpoint or a TorchScript file.
#pragma once

#include <string>

#include "app/inference.h"
#include "frgan/metrics/scorer.h"

namespace frgan {

struct ChosenScorer {
  Scorer scorer;
  std::string precision;
};

ChosenScorer scorer_of(const Checkpoint& checkpoint, const InferenceOptions& options);
// Throws an Error for a folder, which is not a checkpoint.
ChosenScorer scorer_of_file(const std::string& file, const ImageShape& shape, const InferenceOptions& options);

}  // namespace frgan
