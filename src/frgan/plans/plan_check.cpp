#include "frgan/plans/plan_check.h"

#include <map>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/options.h"
#include "frgan/train/run_request.h"

namespace frgan {
namespace {

// Text that is equal for runs with the same label split.
std::string split_id(RunOptions run) {
  OptionSet options;
  describe(options, run.data);
  describe(options, run.split);
  return options.values().dump();
}

// Why the labels of the run cannot be drawn; empty if they can.
std::string split_error(const RunOptions& run, RunMeasurer& measurer) try {
  measurer.check_labels(run);
  return "";
} catch (const Error& error) {
  return error.what();
}

// "row 'half', labels 100, seed 1"
std::string place_of(const Plan& plan, const PlannedRun& run) {
  const std::string& section = plan.sections[run.section].title;
  return fmt::format("row '{}'{}{}, seed {}", plan.rows[run.row].name, section.empty() ? "" : ", ", section, run.seed);
}

}  // namespace

void check_runs(const Plan& plan, const std::vector<PlannedRun>& runs, RunMeasurer& measurer) {
  std::map<std::string, std::string> split_errors;  // by split_id; rows have the same splits
  std::string first;
  size_t failing = 0;
  for (const PlannedRun& run : runs) {
    const std::unique_ptr<RunRequest> request =
        make_run_request(run.options.at("method").get<std::string>(), run.options);
    const std::string id = split_id(request->run);
    if (!split_errors.contains(id)) split_errors[id] = split_error(request->run, measurer);
    const std::string& error = split_errors[id];
    if (error.empty()) continue;
    ++failing;
    if (first.empty()) first = fmt::format("{}: {}", place_of(plan, run), error);
  }
  if (failing == 0) return;
  throw usage_error(fmt::format("{}, {}{}", plan.name, first,
                                failing == 1 ? "" : fmt::format(" ({} of {} runs would fail)", failing, runs.size())));
}

}  // namespace frgan
