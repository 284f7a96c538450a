// Per-image predictions of a trained classifier, and statistics of its squeeze-and-excitation gates.
#pragma once

#include <cstdint>
#include <vector>

#include "frgan/core/stop_check.h"
#include "frgan/data/dataset.h"
#include "frgan/metrics/gate_statistics.h"
#include "frgan/nn/network.h"

namespace frgan {

struct Diagnosis {
  std::vector<int64_t> predictions;   // N classes, 0..K-1
  std::vector<float> probabilities;   // N, probability of each predicted class, after the temperature
  std::vector<float> logits;          // N x K, before the temperature
  std::vector<GateStatistics> gates;  // one entry per squeeze-and-excitation block
};

// Classifies all images of the set, with the same predictions as `evaluate`. All labels must be known. The
// probabilities are softmax(logits / temperature). Throws an Error if `stopped`, which is called before each batch,
// returns true.
//
//   const Diagnosis test = diagnose(*trainer.classifier(), data.test, Precision::kFull);
Diagnosis diagnose(const Network& network, const ImageSet& set, Precision precision, double temperature = 1,
                   const StopCheck& stopped = {});

}  // namespace frgan
