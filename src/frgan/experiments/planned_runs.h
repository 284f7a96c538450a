// The runs that a plan asks for, each with all its options and the command that does it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "frgan/experiments/plan.h"

namespace frgan {

// What a person asks for, of all that is in the plan.
struct PlanChoice {
  std::string budget;
  int64_t steps = 0;               // in place of the budget's; 0: as it says
  int64_t seeds = 0;               // 0: as the plan says
  std::vector<std::string> rows;   // by name or preset; empty: all
  std::vector<std::string> where;  // NAME=VALUE of varied options: sections with one of the values; empty: all
  std::string data_dir;            // where the data lie, where the plan does not say
};

struct PlannedRun {
  size_t row = 0, section = 0;  // of the plan
  int64_t seed = 1;
  std::string name;                    // "fr-gan_labels-1000_seed-1_90d4e754": the same in every plan that has this run
  std::string key;                     // run_key
  std::string data_digest;             // of the dataset
  nlohmann::ordered_json options;      // all, with the steps
  std::vector<std::string> arguments;  // of frgan train, without the run's folder: what differs from the preset
  int64_t steps = 0;
  int64_t steps_per_epoch = 1;
  double tflop = 0;                   // of all steps
  int64_t images_per_step = 0;        // that enter a network
  nlohmann::ordered_json parameters;  // {"discriminator": 787200, "generator": ...}: of each network
};

// Work for people, without an exponent: "0.0021", "91621", and the same with its unit.
std::string tflop_number(double tflop);
std::string tflop_text(double tflop);

// In the order in which they are run: all rows and sections with the first seed, then with the second. Loads the data
// sets, for their shape. Throws a usage error where an option is not the method's or out of range, where rows or values
// chosen are not the plan's.
std::vector<PlannedRun> planned_runs(const Plan& plan, const PlanChoice& choice,
                                     const std::filesystem::path& data_root);

}  // namespace frgan
