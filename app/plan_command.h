// What `frgan reproduce` and `frgan sweep` share: printing a plan, running its unfinished runs, writing its tables.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "frgan/core/options.h"
#include "frgan/plans/plan.h"

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
  bool quiet = false;
};

// Plans of the paper have the budgets paper, hour and smoke; a plan in a file has its own.
enum class PlanOrigin { kPaper, kFile };
void describe(OptionSet& options, PlanOptions& plan, PlanOrigin origin);

// The options that --help shows first.
inline constexpr std::string_view kPlanImportant[] = {"budget", "steps",  "seeds",   "rows",       "where",
                                                      "jobs",   "output", "dry-run", "tables-only"};

// Prints the path of a result: "written     results/hour/table3.{md,csv,tex,html}".
void print_written(const std::filesystem::path& path);

// Returns the exit code: 1 if a run failed, 130 or 143 after a signal.
int run_plan(const Plan& plan, const PlanOptions& options);

}  // namespace frgan
