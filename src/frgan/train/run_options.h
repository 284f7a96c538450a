// Options of a training run, without those of its method. This header includes no LibTorch.
#pragma once

#include <cstdint>
#include <string>

#include "frgan/core/hardware.h"
#include "frgan/core/options.h"
#include "frgan/data/data_options.h"

namespace frgan {

// Published weights that the network starts from.
struct EncoderOptions {
  std::string file;    // .safetensors with timm's names; empty: new weights
  std::string config;  // its config.json; empty: the one beside the file
  std::string sha256;  // of the file; empty: any. A run stores it.
};

// Field names are those of the options, with '_' for '-'.
struct RunOptions {
  std::string method = "fr-gan";
  int64_t steps = 0;
  double epochs = 900;
  std::string time_budget;
  std::string plan;  // path of a plan.json
  int64_t seed = 1;
  PrecisionChoice precision = PrecisionChoice::kAuto;
  DataOptions data;
  SplitOptions split;
  AugmentationOptions augmentation;
  double skip_outliers = 0;
  EncoderOptions encoder;

  // The following options may be changed when a run is resumed.
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
// Declares the options: name, help text, and range or choices. `frgan train --help` and docs/options.md show them.
void describe(OptionSet& options, RunOptions& run);

// Whether the option with this name does not belong to the run: it may be changed when a run is resumed.
bool may_differ_on_resume(std::string_view option);

// Whether the option may be given when a run is resumed: the options above, another location of the same data, and
// another learning rate, which the run then records.
bool is_allowed_on_resume(std::string_view option);

// Parses a duration above 0, such as "90s", "20m" or "1h30m"; returns seconds. Throws a usage error for anything else.
double parse_duration(const std::string& text);

}  // namespace frgan
