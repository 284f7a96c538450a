// frgan sweep: a comparison of one's own, as a plan in a file.
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/plan_command.h"
#include "frgan/core/error.h"
#include "frgan/experiments/paper_plans.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

constexpr Syntax kSyntax = {"sweep", "FILE",
                            "Runs a plan: rows of settings, varied values and seeds, and writes a table of their "
                            "errors as Markdown, CSV, LaTeX and HTML. docs/plans.md says how the file is written. What "
                            "is done is not done again, and what was interrupted goes on.",
                            1, 1};

}  // namespace

int run_sweep(std::span<const std::string> arguments) {
  PlanOptions options;
  OptionSet set;
  describe(set, options);
  if (print_help(kSyntax, arguments, set)) return 0;
  const std::string file = read_arguments(kSyntax, arguments, set).front();
  for (const PaperPlan& plan : all_paper_plans()) {
    if (!options.output.empty() || std::filesystem::path(file).stem() != plan.name) continue;
    throw usage_error(
        fmt::format("{}: is called as {} of the paper, whose results it would write over; rename it, or name "
                    "another folder with --output",
                    file, plan.name));
  }
  constexpr int64_t kLimit = int64_t{1} << 20;  // bytes; whatever is larger is no plan
  return run_plan(read_plan(read_file(file, kLimit), file), options);
}

}  // namespace frgan
