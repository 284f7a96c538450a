// What `frgan reproduce` and `frgan sweep` share: a plan is shown, run as far as it is not done, and turned into
// tables.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "frgan/core/options.h"
#include "frgan/experiments/plan.h"

namespace frgan {

struct PlanOptions {
  std::string budget;
  int64_t steps = 0;
  int64_t seeds = 0;
  std::vector<std::string> rows;
  std::vector<std::string> where;
  std::string scorer;
  bool any_classes = false;
  std::string data_dir;
  std::string runs = "runs/plans";
  std::string output;
  int64_t jobs = 0;
  std::string device = "auto";
  bool dry_run = false;
  bool tables_only = false;
};
void describe(OptionSet& options, PlanOptions& plan);

// Tells where results lie: "written     results/hour/table3.{md,csv,tex,html}".
void print_written(const std::filesystem::path& path);

// Returns the exit code: 1 where a run failed, 130 and 143 after a signal.
int run_plan(const Plan& plan, const PlanOptions& options);

}  // namespace frgan
