// One log record of a training run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace frgan {

// Updates of all networks, and those among them that --skip-outliers skipped.
struct SkippedUpdates {
  int64_t skipped = 0;
  int64_t all = 0;
};

struct StepRecord {
  int64_t step = 0;  // completed steps
  double epoch = 0;  // completed passes over the unlabeled images
  // Unweighted loss terms by name, in the order of the method.
  std::vector<std::pair<std::string, double>> losses;
  double learning_rate = 0;
  double images_per_second = 0;             // images entering a network per second, since the previous record
  double seconds = 0;                       // training time so far, including the time before a resume
  std::optional<SkippedUpdates> skipped{};  // since the previous record; empty without --skip-outliers
  double seconds_left = -1;                 // expected time to the end of the run; negative: unknown; shown, not logged
};

}  // namespace frgan
