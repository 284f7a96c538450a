// What a trained classifier makes of a set of images, image by image and gate by gate.
#pragma once

#include <cstdint>
#include <vector>

#include "frgan/data/dataset.h"
#include "frgan/metrics/gate_statistics.h"
#include "frgan/nn/discriminator.h"

namespace frgan {

struct Diagnosis {
  std::vector<int64_t> predictions;   // N
  std::vector<float> probabilities;   // of the predictions
  std::vector<GateStatistics> gates;  // one for each squeeze-and-excitation block; empty without
};

// All labels of the set must be known. The predictions are those that `evaluate` counts.
//
//   const Diagnosis test = diagnose(trainer.classifier(), data.test, Precision::kFull);
Diagnosis diagnose(Discriminator network, const ImageSet& set, Precision precision);

}  // namespace frgan
