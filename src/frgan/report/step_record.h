// What a training run says of one logged step.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace frgan {

struct StepRecord {
  int64_t step = 0;  // steps done
  double epoch = 0;  // passes over the unlabeled images done
  // Each term under its name, unweighted, in the order of the method.
  std::vector<std::pair<std::string, double>> losses;
  double learning_rate = 0;
  double images_per_second = 0;  // images that entered a network, since the record before
  double seconds = 0;            // of training so far, those before a resume included
};

}  // namespace frgan
