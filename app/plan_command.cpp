#include "app/plan_command.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "app/command_line.h"
#include "app/data_root.h"
#include "app/plan_output.h"
#include "app/status_line.h"
#include "app/stop_signal.h"
#include "frgan/core/error.h"
#include "frgan/plans/plan_execution.h"
#include "frgan/plans/planned_runs.h"
#include "frgan/profile/expected_rate.h"
#include "frgan/report/progress.h"
#include "frgan/report/run_summary.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

// The budget of --budget, else the only one of the plan, else "hour".
std::string budget_name(const Plan& plan, const PlanOptions& options) {
  if (!options.budget.empty()) return options.budget;
  if (plan.budgets.size() == 1) return plan.budgets.front().name;
  std::vector<std::string> names;
  for (const Budget& budget : plan.budgets) names.push_back(budget.name);
  if (std::find(names.begin(), names.end(), "hour") != names.end()) return "hour";
  throw usage_error(
      fmt::format("{}: missing --budget, the length of each run; available: {}", plan.name, fmt::join(names, ", ")));
}

// Results of different lengths go to different folders: results/hour, results/hour-8000-steps.
fs::path output_folder(const PlanOptions& options, const std::string& budget) {
  if (!options.output.empty()) return options.output;
  return fs::path("results") / (options.steps > 0 ? fmt::format("{}-{}-steps", budget, options.steps) : budget);
}

// The number of concurrent runs is limited by the cores, the memory and the number of unfinished runs.
PlanExecution execution_of(const PlanOptions& options, const fs::path& output, const std::vector<PlannedRun>& runs) {
  constexpr int64_t kRunBytes = int64_t{3} << 29;  // memory of a run at full width on SVHN
  PlanExecution execution{.runs = options.runs, .records = output / "runs", .device = options.device};
  const Machine machine = this_machine();
  const int64_t cores = machine.cores;
  const int64_t room = std::max<int64_t>(1, machine.memory_bytes / kRunBytes);
  const int64_t left = std::count_if(runs.begin(), runs.end(),
                                     [&](const PlannedRun& run) { return execution.state_of(run) != RunState::kDone; });
  const bool on_gpu = is_gpu(options.device);
  const int64_t most = on_gpu ? 1 : std::min(cores, room);  // the memory of a GPU is not known
  execution.jobs = options.jobs > 0 ? options.jobs : std::clamp<int64_t>(left, 1, most);
  execution.threads = std::max<int64_t>(1, cores / execution.jobs);
  return execution;
}

// A lower bound in seconds, from the rate of matrix products. A step at full width comes near to it, a step at half
// width with small batches does not (docs/performance.md). 0 if unknown.
double estimated_seconds(const PlanExecution& execution, double tflop) {
  if (is_gpu(execution.device)) return 0;
  return tflop * 1e12 / (cpu_matrix_rate(execution.threads) * static_cast<double>(execution.jobs));
}

// One line per row and section with the number of finished seeds.
std::string plan_text(const Plan& plan, const std::string& budget, const PlanExecution& execution,
                      const std::vector<PlannedRun>& runs) {
  double tflop = 0, left = 0;
  std::string text;
  std::set<std::string> names;  // two rows may share a run
  for (size_t section = 0; section < plan.sections.size(); ++section) {
    for (size_t row = 0; row < plan.rows.size(); ++row) {
      int64_t of_state[3] = {0, 0, 0}, all = 0;
      double each = 0;
      for (const PlannedRun& run : runs) {
        if (run.row != row || run.section != section) continue;
        const RunState state = execution.state_of(run);
        ++of_state[static_cast<size_t>(state)];
        ++all;
        each = run.tflop;
        if (!names.insert(run.name).second) continue;
        tflop += run.tflop;
        if (state != RunState::kDone) left += run.tflop;
      }
      if (all == 0) continue;
      const std::string& title = plan.sections[section].title;
      text += fmt::format("  {:<30} {:<16} {:>3} runs of {}: {} finished, {} started, {} new\n", plan.rows[row].name,
                          title, all, tflop_text(each), of_state[2], of_state[1], of_state[0]);
    }
  }
  text = fmt::format("{}\nbudget {}: {} runs of {} steps, {} in total, {} remaining\n", plan.title, budget,
                     names.size(), runs.empty() ? 0 : runs.front().steps, tflop_text(tflop), tflop_text(left)) +
         text;
  if (left == 0) return text;
  const double seconds = estimated_seconds(execution, left);
  return text + fmt::format("{} at a time, {} thread{} each{}\n", execution.jobs, execution.threads,
                            execution.threads == 1 ? "" : "s",
                            seconds > 0 ? ": at least " + duration_text(seconds) + ", without evaluations and scores"
                                        : "; no time estimate for a GPU");
}

void print_failed(const std::vector<FailedRun>& failed) {
  for (const FailedRun& run : failed) {
    const std::string code = run.code == 0 ? "" : fmt::format(" (exit code {})", run.code);
    fmt::print(stderr, "failed: {}{}: {}; see the log {}\n", run.name, code, run.message, run.log.string());
  }
}

std::vector<FailedRun> execute_with_progress(const PlanExecution& execution, const std::vector<PlannedRun>& runs,
                                             bool quiet) {
  std::vector<FailedRun> failed;
  {
    StatusLine status(quiet);
    failed = execute(
        execution, runs, [&](const std::string& line) { status.print(line); },
        [&](const std::string& line) { status.show(line); }, stop_signal);
  }
  print_failed(failed);
  return failed;
}

// --tables-only. Returns the exit code. Needs the datasets only if the records do not determine all runs, or if a
// finished run has no record yet, because records contain the digest of the dataset.
int write_tables(const Plan& plan, const PlanOptions& options, const PlanChoice& choice, const fs::path& output,
                 RunMeasurer& measurer) {
  const PlanCall call{plan, options, choice, output, {.runs = options.runs, .records = output / "runs"}, measurer};
  const auto runs = planned_runs(plan, choice, read_run_records(call.execution.records));
  std::vector<FailedRun> failed;
  if (!runs || lacks_record(call.execution, *runs)) {
    failed = take_up_finished(call.execution, planned_runs(plan, choice, measurer));
  }
  print_failed(failed);
  return show_plan(call) && failed.empty() ? 0 : 1;
}

}  // namespace

void describe(OptionSet& options, PlanOptions& plan, PlanOrigin origin) {
  options.group("Plan", /*saved=*/false);
  options.add("budget", plan.budget,
              origin == PlanOrigin::kPaper
                  ? "Length of each run. paper: as in the paper; hour: about an hour on a fast CPU; smoke: 20 steps."
                  : "Length of each run: the name of a [budget.NAME] of the plan.");
  options.add("steps", plan.steps, "Number of steps of each run; 0 uses that of the budget.",
              Range<int64_t>{0, 1'000'000'000, "steps"});
  options.add("seeds", plan.seeds, "Number of runs of each row, with seeds 1 to N; 0 uses that of the plan.",
              Range<int64_t>{0, 1000, "seeds"});
  options.add("rows", plan.rows, "Runs these rows only, by name or preset; write a comma within a name as \\,.");
  options.add("where", plan.where, "Runs these values of the varied options only, such as labels=500,labels=1000.");
  options.add("scorer", plan.scorer, "Run or TorchScript file that scores images, in place of the scorer of the plan.");
  options.add("any-classes", plan.any_classes,
              "Accepts a scorer with classes other than the data's, such as an ImageNet network.");
  options.add("data-dir", plan.data_dir, "Folder of the dataset's files, as for train.");
  options.group("Execution", /*saved=*/false);
  options.add(
      "jobs", plan.jobs,
      "Number of concurrent runs; 0 starts one per core on a CPU and one on a GPU. The cores are shared evenly.",
      Range<int64_t>{0, 1024, "runs"});
  options.add("device", plan.device, "Device: auto, cpu, cuda or cuda:N; auto selects the first GPU, else the CPU.");
  options.add("runs", plan.runs, "Parent folder of all run folders.");
  options.add("output", plan.output,
              "Folder of the results; empty: results/BUDGET, or results/networks for drawings and layer tables.");
  options.add("dry-run", plan.dry_run, "Prints the plan and the estimated time, and stops.");
  options.add("tables-only", plan.tables_only, "Writes the tables of the finished runs without running anything.");
  add_quiet(options, plan.quiet);
}

void print_written(const fs::path& path) {
  fmt::print("written     {}\n", path.string());
}

int run_plan(const Plan& plan, const PlanOptions& options) {
  const PlanChoice choice{.budget = budget_name(plan, options),
                          .steps = options.steps,
                          .seeds = options.seeds,
                          .rows = options.rows,
                          .where = options.where,
                          .data_dir = options.data_dir};
  const fs::path output = output_folder(options, choice.budget);
  RunMeasurer measurer(data_root());
  if (options.tables_only) return write_tables(plan, options, choice, output, measurer);
  std::vector<PlannedRun> runs = planned_runs(plan, choice, measurer);
  const PlanCall call{plan, options, choice, output, execution_of(options, output, runs), measurer};
  std::optional<PlannedRun> scorer = scorer_to_train(call, runs);
  std::string text = plan_text(plan, choice.budget, call.execution, runs);
  if (scorer) {
    text += fmt::format("first the scorer, {}, unless it is finished\n", tflop_text(scorer->tflop));
    runs.insert(runs.begin(), *std::move(scorer));
  }
  if (options.dry_run || !options.quiet) fmt::print(options.dry_run ? stdout : stderr, "{}", text);
  if (options.dry_run) {
    fmt::print("\n");
    for (const PlannedRun& run : runs) fmt::print("{}\n", call.execution.folder_of(run).string());
    return 0;
  }
  stop_on_signals();
  const std::vector<FailedRun> failed = execute_with_progress(call.execution, runs, options.quiet);
  const bool shown = stop_signal == 0 && show_plan(call);
  if (stop_signal != 0) {
    fmt::print(stderr, "stopped; repeat the command to continue\n");
    return 128 + stop_signal;
  }
  return shown && failed.empty() ? 0 : 1;
}

}  // namespace frgan
