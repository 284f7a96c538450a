// frgan sweep: runs the plan in a file.
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/help.h"
#include "app/plan_command.h"
#include "frgan/core/error.h"
#include "frgan/io/files.h"
#include "frgan/plans/paper_plans.h"

namespace frgan {
namespace {

constexpr std::string_view kSweepExamples[] = {
    "sweep comparison.toml --dry-run",
    "sweep comparison.toml --budget short --output results/comparison",
};

constexpr Syntax kSweepSyntax = {
    "sweep",
    "FILE",
    "Runs a plan: rows of options, varied values and seeds. Writes a table of the errors as "
    "Markdown, CSV, LaTeX and HTML. Completed runs are skipped, interrupted ones resumed. "
    "docs/plans.md describes the file.",
    1,
    1,
    kPlanImportant,
    kSweepExamples};

}  // namespace

int run_sweep(std::span<const std::string> arguments) {
  PlanOptions options;
  OptionSet set;
  describe(set, options, PlanOrigin::kFile);
  if (print_help(kSweepSyntax, arguments, set)) return 0;
  const std::string file = read_arguments(kSweepSyntax, arguments, set).front();
  for (const PaperPlan& plan : all_paper_plans()) {
    if (!options.output.empty() || std::filesystem::path(file).stem() != plan.name) continue;
    throw usage_error(
        fmt::format("{}: same name as {} of the paper, whose results it would overwrite; rename the file or give "
                    "another folder with --output",
                    file, plan.name));
  }
  constexpr int64_t kLimit = int64_t{1} << 20;  // bytes; a plan is far smaller
  return run_plan(read_plan(read_file(file, kLimit), file), options);
}

}  // namespace frgan
