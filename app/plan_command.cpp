#include "app/plan_command.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "app/data_root.h"
#include "app/plan_output.h"
#include "app/status_line.h"
#include "app/stop_signal.h"
#include "frgan/core/device.h"
#include "frgan/core/error.h"
#include "frgan/experiments/plan_execution.h"
#include "frgan/experiments/planned_runs.h"
#include "frgan/profile/gemm_rate.h"
#include "frgan/report/progress.h"
#include "frgan/report/run_summary.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

// The budget asked for, or the plan's only one, or an hour.
std::string budget_name(const Plan& plan, const PlanOptions& options) {
  if (!options.budget.empty()) return options.budget;
  if (plan.budgets.size() == 1) return plan.budgets.front().name;
  std::vector<std::string> names;
  for (const Budget& budget : plan.budgets) names.push_back(budget.name);
  if (std::find(names.begin(), names.end(), "hour") != names.end()) return "hour";
  throw usage_error(fmt::format("{}: say by --budget how long its runs are: {}", plan.name, fmt::join(names, ", ")));
}

// Results of other lengths lie apart: results/hour, results/hour-8000-steps.
fs::path output_folder(const PlanOptions& options, const std::string& budget) {
  if (!options.output.empty()) return options.output;
  return fs::path("results") / (options.steps > 0 ? fmt::format("{}-{}-steps", budget, options.steps) : budget);
}

// As many at once as there are cores and memory for, and no more than there is to do.
PlanExecution execution_of(const PlanOptions& options, const fs::path& output, const std::vector<PlannedRun>& runs) {
  constexpr int64_t kRunBytes = int64_t{3} << 29;  // of a run at full width, with SVHN
  PlanExecution execution{.runs = options.runs, .records = output / "runs", .device = options.device};
  const Machine machine = this_machine();
  const int64_t cores = machine.cores;
  const int64_t room = std::max<int64_t>(1, machine.memory_bytes / kRunBytes);
  const int64_t left = std::count_if(runs.begin(), runs.end(),
                                     [&](const PlannedRun& run) { return execution.state_of(run) != RunState::kDone; });
  const bool on_gpu = resolve_device(options.device).is_cuda();
  const int64_t most = on_gpu ? 1 : std::min(cores, room);  // how many a GPU has room for is not known
  execution.jobs = options.jobs > 0 ? options.jobs : std::clamp<int64_t>(left, 1, most);
  execution.threads = std::max<int64_t>(1, cores / execution.jobs);
  return execution;
}

// Seconds at the rate of matrix products, which a step of full width comes near to (docs/performance.md), and one of
// half width and small batches does not; 0 where it is not known.
double estimated_seconds(const PlanExecution& execution, double tflop) {
  constexpr int64_t kSize = 2048;
  if (resolve_device(execution.device).is_cuda()) return 0;
  set_threads(execution.threads);
  const at::ScalarType type = has_native_bf16() ? at::kBFloat16 : at::kFloat;
  return tflop * 1e12 / (gemm_rate(type, kSize) * static_cast<double>(execution.jobs));
}

// A line for each row and section: how many of its seeds are done.
std::string plan_text(const Plan& plan, const std::string& budget, const PlanExecution& execution,
                      const std::vector<PlannedRun>& runs) {
  double tflop = 0, left = 0;
  std::string text;
  std::set<std::string> names;  // two rows may come to the same run
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
      text += fmt::format("  {:<30} {:<16} {:>3} runs of {}: {} done, {} begun, {} new\n", plan.rows[row].name, title,
                          all, tflop_text(each), of_state[2], of_state[1], of_state[0]);
    }
  }
  text = fmt::format("{}\nbudget {}: {} runs of {} steps, {} in all, {} not done\n", plan.title, budget, names.size(),
                     runs.empty() ? 0 : runs.front().steps, tflop_text(tflop), tflop_text(left)) +
         text;
  if (left == 0) return text;
  const double seconds = estimated_seconds(execution, left);
  return text + fmt::format("{} at a time with {} thread{} each{}\n", execution.jobs, execution.threads,
                            execution.threads == 1 ? "" : "s",
                            seconds > 0
                                ? ": " + duration_text(seconds) + " at least, evaluations and scores not counted"
                                : "; how long it takes on a GPU is seen when it runs");
}

void tell_failed(const std::vector<FailedRun>& failed) {
  for (const FailedRun& run : failed) {
    const std::string code = run.code == 0 ? "" : fmt::format(" (exit code {})", run.code);
    fmt::print(stderr, "failed: {}{}: {}; its log is {}\n", run.name, code, run.message, run.log.string());
  }
}

std::vector<FailedRun> execute_aloud(const PlanExecution& execution, const std::vector<PlannedRun>& runs) {
  std::vector<FailedRun> failed;
  {
    StatusLine status;
    failed = execute(
        execution, runs, [&](const std::string& line) { status.say(line); },
        [&](const std::string& line) { status.show(line); }, stop_signal);
  }
  tell_failed(failed);
  return failed;
}

}  // namespace

void describe(OptionSet& options, PlanOptions& plan) {
  options.group("Plan", /*saved=*/false);
  options.add("budget", plan.budget,
              "How long each run is; paper: as in the paper, hour: about an hour of a fast CPU, smoke: 20 steps.");
  options.add("steps", plan.steps, "Steps of each run, in place of the budget's; 0: as it says.",
              Range<int64_t>{0, 1'000'000'000});
  options.add("seeds", plan.seeds, "Runs of each row, with seeds 1 to N; 0: as the plan says.",
              Range<int64_t>{0, 1000});
  options.add("rows", plan.rows, "Only these rows, by name or preset.");
  options.add("where", plan.where, "Only these values of what varies, as labels=500,labels=1000.");
  options.add("scorer", plan.scorer,
              "Where images are scored: a run or a TorchScript file in place of the plan's own scorer.");
  options.add("any-classes", plan.any_classes, "Takes a scorer of other classes than the data's, such as ImageNet's.");
  options.add("data-dir", plan.data_dir, "Where the files of the dataset lie, as for train.");
  options.group("Work", /*saved=*/false);
  options.add("jobs", plan.jobs,
              "Runs at once; 0: as many as there are cores, each with its share of them, and one on a GPU.",
              Range<int64_t>{0, 1024});
  options.add("device", plan.device, "auto, cpu, cuda or cuda:N.");
  options.add("runs", plan.runs, "Folder of the run directories, with their checkpoints.");
  options.add("output", plan.output, "Folder of the results; empty: results/BUDGET, or results/networks without runs.");
  options.add("dry-run", plan.dry_run, "Prints the plan and its time, and stops.");
  options.add("tables-only", plan.tables_only, "Writes the tables of what is done, and runs nothing.");
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
  std::vector<PlannedRun> runs = planned_runs(plan, choice, data_root());
  const PlanCall call{plan, options, choice, output, execution_of(options, output, runs)};
  if (options.tables_only) {
    const std::vector<FailedRun> failed = take_up_finished(call.execution, runs);
    tell_failed(failed);
    return show_plan(call) && failed.empty() ? 0 : 1;
  }
  std::optional<PlannedRun> scorer = scorer_to_train(call, runs);
  std::string text = plan_text(plan, choice.budget, call.execution, runs);
  if (scorer) {
    text += fmt::format("and first the scorer, {}, where it is not done\n", tflop_text(scorer->tflop));
    runs.insert(runs.begin(), *std::move(scorer));
  }
  fmt::print(options.dry_run ? stdout : stderr, "{}", text);
  if (options.dry_run) {
    fmt::print("\n");
    for (const PlannedRun& run : runs) fmt::print("{}\n", call.execution.folder_of(run).string());
    return 0;
  }
  stop_on_signals();
  const std::vector<FailedRun> failed = execute_aloud(call.execution, runs);
  const bool shown = stop_signal == 0 && show_plan(call);
  if (stop_signal != 0) {
    fmt::print(stderr, "stopped; the same command goes on where it was\n");
    return 128 + stop_signal;
  }
  return shown && failed.empty() ? 0 : 1;
}

}  // namespace frgan
