#include "app/plan_command.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <unistd.h>

#include "app/command_line.h"
#include "app/console.h"
#include "app/data_root.h"
#include "app/plan_output.h"
#include "app/status_line.h"
#include "app/stop_signal.h"
#include "frgan/core/error.h"
#include "frgan/core/hardware.h"
#include "frgan/device/machine.h"
#include "frgan/plans/plan_check.h"
#include "frgan/plans/plan_execution.h"
#include "frgan/plans/planned_runs.h"
#include "frgan/profile/expected_rate.h"
#include "frgan/profile/thread_choice.h"
#include "frgan/report/progress.h"
#include "frgan/report/run_summary.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> budget_names(const Plan& plan) {
  std::vector<std::string> names;
  for (const Budget& budget : plan.budgets) names.push_back(budget.name);
  return names;
}

bool is_budget_chosen(const Plan& plan, const PlanOptions& options) {
  return !options.budget.empty() || plan.budgets.size() == 1;
}

// The budget of --budget, else the only one of the plan, else "hour"; empty if the plan has none of these.
std::string budget_name(const Plan& plan, const PlanOptions& options) {
  if (is_budget_chosen(plan, options)) return options.budget.empty() ? plan.budgets.front().name : options.budget;
  const std::vector<std::string> names = budget_names(plan);
  return std::find(names.begin(), names.end(), "hour") == names.end() ? "" : "hour";
}

PlanChoice choice_of(const PlanOptions& options, const std::string& budget) {
  return {.budget = budget,
          .steps = options.steps,
          .seeds = options.seeds,
          .rows = options.rows,
          .where = options.where,
          .data_dir = options.data_dir};
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

// The work of the different runs of a plan; rows may share a run.
struct PlanWork {
  int64_t runs = 0, unfinished = 0;
  double tflop = 0, left = 0;
};

PlanWork work_of(const PlanExecution& execution, const std::vector<PlannedRun>& runs) {
  PlanWork work;
  std::set<std::string> names;
  for (const PlannedRun& run : runs) {
    if (!names.insert(run.name).second) continue;
    ++work.runs;
    work.tflop += run.tflop;
    if (execution.state_of(run) == RunState::kDone) continue;
    ++work.unfinished;
    work.left += run.tflop;
  }
  return work;
}

// "at least 5 d 3 h, without evaluations and scores", for all unfinished runs. A lower bound from the rate of matrix
// products: a step at full width comes near to it, a step at half width with small batches does not
// (docs/performance.md). Measured once for all budgets.
class TimeEstimate {
 public:
  explicit TimeEstimate(const std::string& device) : rate_(is_gpu(device) ? 0 : cpu_matrix_rate(0)) {}
  std::string text(double tflop) const {
    if (rate_ == 0) return "no time estimate for a GPU";
    return fmt::format("at least {}, without evaluations and scores", duration_text(tflop * 1e12 / rate_));
  }

 private:
  double rate_;  // FLOP/s of all cores; 0: unknown
};

// The error for a plan with several budgets if none is chosen: the length of each, for all runs and the scorer.
Error missing_budget(const Plan& plan, const PlanOptions& options, RunMeasurer& measurer) {
  const TimeEstimate estimate(options.device);
  std::vector<std::string> totals;
  for (const Budget& budget : plan.budgets) {
    const PlanChoice choice = choice_of(options, budget.name);
    const std::vector<PlannedRun> runs = planned_runs(plan, choice, measurer);
    const fs::path output = output_folder(options, budget.name);
    const PlanCall call{plan, options, choice, output, execution_of(options, output, runs), measurer};
    std::optional<PlannedRun> scorer;
    if (options.scorer.empty()) scorer = scorer_to_train(call, runs);
    std::vector<PlannedRun> all = runs;
    if (scorer) all.push_back(*scorer);
    const double tflop = work_of(call.execution, all).tflop;
    const int64_t count = work_of(call.execution, runs).runs;
    totals.push_back(fmt::format("{}: {} of {} steps, {}{}, {}", budget.name, counted(count, "run"), runs.front().steps,
                                 tflop_text(tflop), scorer ? " with the scorer" : "", estimate.text(tflop)));
  }
  return usage_error(
      fmt::format("{}: missing --budget, the length of each run; {}", plan.name, fmt::join(totals, "; ")));
}

// "2 at a time, 1 thread each"
std::string jobs_text(const PlanExecution& execution) {
  return fmt::format("{} at a time, {}{} each", execution.jobs, execution.jobs == 1 ? "up to " : "",
                     counted(execution.threads, "thread"));
}

// Whether a timing of the training step decides the number of concurrent runs.
bool is_timing_useful(const PlanOptions& options, const PlanExecution& execution, int64_t unfinished) {
  return options.jobs == 0 && !is_gpu(options.device) && unfinished >= 2 && execution.jobs > 1;
}

// Chooses between the given number of concurrent runs and one at a time, by the training step of the first unfinished
// run. Returns a line about the choice and the time of `tflop`, the work that is left.
std::string choose_jobs(PlanExecution& execution, const std::vector<PlannedRun>& runs, double tflop) {
  const auto first = std::find_if(runs.begin(), runs.end(),
                                  [&](const PlannedRun& run) { return execution.state_of(run) != RunState::kDone; });
  const auto time = [&](int64_t threads) {
    return time_threads(first->options.at("method").get<std::string>(), first->options, threads);
  };
  const ThreadTimes times = time(this_machine().cores);
  double step_seconds = times.one_thread;
  if (times.favors_one_run()) {
    execution.jobs = 1;
    execution.threads = times.cores;
    step_seconds = times.all_cores;
  } else if (execution.threads > 1) {
    const ThreadTimes some = time(execution.threads);
    if (some.speedup() <= 1) execution.threads = 1;  // small steps
    step_seconds = std::min(some.one_thread, some.all_cores);
  }
  const double steps = tflop / first->tflop * static_cast<double>(first->steps);
  return fmt::format(
      "training step: {:.3g} s with 1 thread, {:.3g} s with {} ({:.1f} times as fast): {}; in total about {}, without "
      "evaluations and scores\n",
      times.one_thread, times.all_cores, counted(times.cores, "thread"), times.speedup(), jobs_text(execution),
      duration_text(steps * step_seconds / static_cast<double>(execution.jobs)));
}

// One line per row and section with the number of finished seeds.
std::string rows_text(const Plan& plan, const PlanExecution& execution, const std::vector<PlannedRun>& runs) {
  std::string text;
  for (size_t section = 0; section < plan.sections.size(); ++section) {
    for (size_t row = 0; row < plan.rows.size(); ++row) {
      int64_t of_state[3] = {0, 0, 0}, all = 0;
      double each = 0;
      for (const PlannedRun& run : runs) {
        if (run.row != row || run.section != section) continue;
        ++of_state[static_cast<size_t>(execution.state_of(run))];
        ++all;
        each = run.tflop;
      }
      if (all == 0) continue;
      text += fmt::format("  {:<30} {:<16} {:>8} of {}: {} finished, {} started, {} new\n",
                          one_line(plan.rows[row].name), one_line(plan.sections[section].title), counted(all, "run"),
                          tflop_text(each), of_state[2], of_state[1], of_state[0]);
    }
  }
  return text;
}

// The total first, then the rows. `work` includes the scorer.
std::string plan_text(const PlanCall& call, const std::vector<PlannedRun>& runs,
                      const std::optional<PlannedRun>& scorer, const PlanWork& work, const std::string& time) {
  const int64_t count = work.runs - (scorer ? 1 : 0);
  std::string text =
      fmt::format("{}\nbudget {}: {} of {} steps, {} in total, {} remaining{}{}\n", one_line(call.plan.title),
                  call.choice.budget, counted(count, "run"), runs.front().steps, tflop_text(work.tflop),
                  tflop_text(work.left), time.empty() ? "" : ": ", time);
  text += rows_text(call.plan, call.execution, runs);
  if (scorer) {
    text +=
        fmt::format("first the scorer, {}, unless it is finished; the total includes it\n", tflop_text(scorer->tflop));
  }
  return text;
}

// Prints the plan and asks whether to start. Without a terminal, throws the usage error for a missing budget.
bool is_confirmed(const PlanCall& call, const std::string& text, const std::string& time) {
  if (isatty(STDIN_FILENO) == 0 || isatty(STDERR_FILENO) == 0) {
    throw missing_budget(call.plan, call.options, call.measurer);
  }
  print_message("{}Start ({})? [y/N] ", text, time);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return true;
  print_message("not started; --budget chooses the length of each run: {}\n", fmt::join(budget_names(call.plan), ", "));
  return false;
}

void print_failed(const std::vector<FailedRun>& failed) {
  for (const FailedRun& run : failed) {
    const std::string code = run.code == 0 ? "" : fmt::format(" (exit code {})", run.code);
    print_message("failed: {}{}: {}; see the log {}\n", run.name, code, one_line(run.message),
                  one_line(run.log.string()));
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

// What a call without --dry-run does: the plan, the number of concurrent runs, and the folders of the runs.
void print_dry_run(const PlanCall& call, const std::vector<PlannedRun>& runs, const std::string& text,
                   const PlanWork& work, bool timed) {
  print_output("{}", text);
  if (work.left > 0) {
    print_output(
        "{}{}\n", jobs_text(call.execution),
        timed ? fmt::format(", or 1 at a time with up to {}; a timing of the training step decides before the start",
                            counted(this_machine().cores, "thread"))
              : "");
  }
  print_output("\n");
  for (const PlannedRun& run : runs) print_output("{}\n", one_line(call.execution.folder_of(run).string()));
}

// Runs what is not finished, and shows the results. Returns the exit code.
int carry_out(const PlanCall& call, const std::vector<PlannedRun>& runs) {
  stop_on_signals(
      "\nstopping the runs after their next checkpoint; press Ctrl-C again after a second to stop at once\n");
  const std::vector<FailedRun> failed = execute_with_progress(call.execution, runs, call.options.quiet);
  const bool shown = stop_signal == 0 && show_plan(call);
  if (stop_signal != 0) {
    print_message("stopped; repeat the command to continue\n");
    return 128 + stop_signal;
  }
  return shown && failed.empty() ? 0 : 1;
}

// Writes missing and damaged records of finished runs. Returns the runs whose record cannot be written.
std::vector<FailedRun> restore_records(const PlanExecution& execution, const std::vector<PlannedRun>& runs) {
  for (const std::string& damage : damaged_records(execution, runs)) {
    print_message("warning: {}; it is written again from its run folder, or the run is repeated\n", one_line(damage));
  }
  return take_up_finished(execution, runs);
}

// --tables-only. Returns the exit code. Needs the datasets only if the records do not determine all runs, or if a
// finished run has no record yet, because records contain the digest of the dataset.
int write_tables(const Plan& plan, const PlanOptions& options, const PlanChoice& choice, const fs::path& output,
                 RunMeasurer& measurer) {
  const PlanCall call{plan, options, choice, output, {.runs = options.runs, .records = output / "runs"}, measurer};
  std::optional<std::vector<PlannedRun>> runs = planned_runs(plan, choice, read_run_records(call.execution.records));
  std::vector<FailedRun> failed;
  if (!runs || lacks_record(call.execution, *runs)) {
    for (const std::string& damage : damaged_records(call.execution.records)) {
      print_message(
          "warning: {}; if the run is of this plan, its run folder and the dataset are needed to write it again\n",
          one_line(damage));
    }
    runs = planned_runs(plan, choice, measurer);
    failed = take_up_finished(call.execution, *runs);
  }
  print_failed(failed);
  const std::vector<std::string> damaged = damaged_records(call.execution, *runs);
  if (!damaged.empty()) throw Error(fmt::format("{}; run the command without --tables-only", damaged.front()));
  return show_plan(call) && failed.empty() ? 0 : 1;
}

}  // namespace

void describe(OptionSet& options, PlanOptions& plan, PlanOrigin origin) {
  options.group("Plan", /*saved=*/false);
  options.add(
      "budget", plan.budget,
      origin == PlanOrigin::kPaper
          ? "Length of each run. paper: as in the paper; hour: about an hour on a fast CPU; smoke: 20 steps. "
            "--dry-run prints the time of the unfinished runs. Required, unless the start is confirmed on a terminal."
          : "Length of each run: the name of a [budget.NAME] of the plan. Required if the plan has several "
            "budgets, unless the start is confirmed on a terminal.",
      origin == PlanOrigin::kPaper ? Suggestions{{"paper", "hour", "smoke"}} : Suggestions{});
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
      "Number of concurrent runs. On a GPU, 0 starts one. On a CPU, 0 starts one per core, or a single run if its "
      "speedup on all N cores is at least 0.9 N. The cores are shared evenly.",
      Range<int64_t>{0, 1024, "runs"});
  options.add("device", plan.device, "Device: auto, cpu, cuda or cuda:N; auto selects the first GPU, else the CPU.",
              device_suggestions());
  options.add("runs", plan.runs, "Parent folder of all run folders.");
  options.add("output", plan.output,
              origin == PlanOrigin::kPaper
                  ? "Folder of the results; empty: results/BUDGET, or results/networks for drawings and layer tables."
                  : "Folder of the results; empty: results/BUDGET.");
  options.add("dry-run", plan.dry_run,
              "Checks and prints the plan and the estimated time of the unfinished runs, and stops.");
  options.add("tables-only", plan.tables_only, "Writes the tables of the finished runs without running anything.");
  add_quiet(options, plan.quiet);
}

void print_written(const fs::path& path) {
  print_unattended("written     {}\n", one_line(path.string()));
}

int run_plan(const Plan& plan, const PlanOptions& options) {
  RunMeasurer measurer(data_root());
  const PlanChoice choice = choice_of(options, budget_name(plan, options));
  if (choice.budget.empty() && options.tables_only) {
    throw usage_error(fmt::format("{}: missing --budget, the length of each run; available: {}", plan.name,
                                  fmt::join(budget_names(plan), ", ")));
  }
  if (choice.budget.empty()) throw missing_budget(plan, options, measurer);
  const fs::path output = output_folder(options, choice.budget);
  if (!options.dry_run) ignore_broken_output();
  if (options.tables_only) return write_tables(plan, options, choice, output, measurer);
  const std::vector<PlannedRun> runs = planned_runs(plan, choice, measurer);
  check_runs(plan, runs, measurer);
  if (!options.dry_run) restore_records({.runs = options.runs, .records = output / "runs"}, runs);
  PlanCall call{plan, options, choice, output, execution_of(options, output, runs), measurer};
  const std::optional<PlannedRun> scorer = scorer_to_train(call, runs);
  std::vector<PlannedRun> all = runs;
  if (scorer) all.insert(all.begin(), *scorer);
  const PlanWork work = work_of(call.execution, all);
  const std::string time = work.left == 0 ? "" : TimeEstimate(options.device).text(work.left);
  const std::string text = plan_text(call, runs, scorer, work, time);
  const bool timed = is_timing_useful(options, call.execution, work.unfinished);
  if (options.dry_run) {
    print_dry_run(call, all, text, work, timed);
    return 0;
  }
  if (!is_budget_chosen(plan, options) && work.left > 0) {
    if (!is_confirmed(call, text, time)) return 1;
  } else if (!options.quiet) {
    print_message("{}", text);
  }
  const std::string jobs = timed ? choose_jobs(call.execution, all, work.left) : jobs_text(call.execution) + "\n";
  if (!options.quiet && work.left > 0) print_message("{}", jobs);
  return carry_out(call, all);
}

}  // namespace frgan
