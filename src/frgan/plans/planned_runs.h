// Expands a plan to its runs: each with all options and the `frgan train` arguments that start it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "frgan/core/json.h"
#include "frgan/plans/plan.h"
#include "frgan/train/run_facts.h"

namespace frgan {

struct RunRecord;

// The part of a plan that the user selected on the command line.
struct PlanChoice {
  std::string budget;
  int64_t steps = 0;               // overrides the budget's length; 0: not set
  int64_t seeds = 0;               // overrides the number of seeds; 0: not set
  std::vector<std::string> rows;   // names or presets; empty: all
  std::vector<std::string> where;  // NAME=VALUE of varied options. Values of one option are alternatives. Empty: all
  std::string data_dir;            // folder of the dataset files, used if the plan does not set it
};

struct PlannedRun {
  size_t row = 0, section = 0;  // indices into the plan
  int64_t seed = 1;
  std::string name;                    // "fr-gan_labels-1000_seed-1_90d4e754"; plans that share a run share its name
  std::string key;                     // run_key
  std::string data_digest;             // digest of the dataset
  Json options;                        // all saved options, including steps
  std::vector<std::string> arguments;  // of frgan train: preset and options that differ from it, without --run
  int64_t steps = 0;
  int64_t train_images = 0;  // of the dataset
  int64_t steps_per_epoch = 1;
  double tflop = 0;             // total over all steps
  int64_t images_per_step = 0;  // images that enter a network in one step
  Json parameters;              // parameter count per network: {"discriminator": 787200, "generator": ...}
};

// Formats work without an exponent: "0.0021", "91621"; tflop_text appends the unit.
std::string tflop_number(double tflop);
std::string tflop_text(double tflop);

// Returns the selected runs in execution order: all sections and rows with seed 1, then with seed 2, and so on. The
// measurer loads the datasets for their shapes and digests. Throws a usage error if a row sets an unknown option or a
// value out of range, or if the selection names unknown rows or values. Also throws one if the plan's display (`show`)
// does not fit its runs.
std::vector<PlannedRun> planned_runs(const Plan& plan, const PlanChoice& choice, RunMeasurer& measurer);

// The same without the datasets, for tables: takes digests and sizes from the records of finished runs. Runs of a row
// and section without a record have the digest of the others; their other facts are 0. Empty if the records do not
// determine all runs: a dataset has no record or records with several digests, or the budget gives no steps and a row
// has no record.
std::optional<std::vector<PlannedRun>> planned_runs(const Plan& plan, const PlanChoice& choice,
                                                    const std::vector<RunRecord>& records);

}  // namespace frgan
