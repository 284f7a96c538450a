// What a person decides about a training run, besides the options of its method.
#pragma once

#include <cstdint>
#include <string>

#include "frgan/core/options.h"
#include "frgan/data/augment.h"
#include "frgan/data/label_split.h"
#include "frgan/data/load_dataset.h"

namespace frgan {

struct RunOptions {
  std::string method = "fr-gan";
  int64_t steps = 0;
  double epochs = 900;
  std::string time_budget;
  int64_t seed = 1;
  std::string precision = "auto";
  DataOptions data;
  SplitOptions split;
  AugmentationOptions augmentation;

  // These may differ when a run is resumed.
  std::string device = "auto";
  int64_t threads = 0;
  int64_t log_every = 0;
  int64_t evaluate_every = 0;
  int64_t evaluations = 0;
  int64_t sample_every = 0;
  double checkpoint_minutes = 5;
  int64_t keep_checkpoints = 2;
  bool tensorboard = true;
};
// Says what each field means, its range or words, and which reading of the paper it decides (also docs/options.md).
void describe(OptionSet& options, RunOptions& run);

// Whether an option of this name may have another value when a run is resumed.
bool may_differ_on_resume(std::string_view option);

// Seconds of a time such as "90s", "5m" or "1.5h". Throws a usage error that says what is allowed.
double parse_duration(const std::string& text);

}  // namespace frgan
