// One log record of a training run.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace frgan {

struct StepRecord {
  int64_t step = 0;  // completed steps
  double epoch = 0;  // completed passes over the unlabeled images
  // Unweighted loss terms by name, in the order of the method.
  std::vector<std::pair<std::string, double>> losses;
  double learning_rate = 0;
  double images_per_second = 0;  // images entering a network per second, since the previous record
  double seconds = 0;            // training time so far, including the time before a resume
  double seconds_left = -1;      // expected time to the end of the run; negative: unknown; shown, not logged
};

}  // namespace frgan
