#include "app/plan_command.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <unistd.h>

#include "app/chosen_scorer.h"
#include "app/data_root.h"
#include "app/inference.h"
#include "app/stop_signal.h"
#include "frgan/core/device.h"
#include "frgan/core/error.h"
#include "frgan/data/load_dataset.h"
#include "frgan/experiments/errors_table.h"
#include "frgan/experiments/grids_figure.h"
#include "frgan/experiments/noise_figure.h"
#include "frgan/experiments/plan_execution.h"
#include "frgan/experiments/plan_scores.h"
#include "frgan/experiments/planned_runs.h"
#include "frgan/io/files.h"
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
  const int64_t most = on_gpu ? 1 : std::min(cores, room);  // several trainings on one GPU take turns
  execution.jobs = options.jobs > 0 ? options.jobs : std::clamp<int64_t>(left, 1, most);
  execution.threads = std::max<int64_t>(1, cores / execution.jobs);
  return execution;
}

// Seconds at the rate of matrix products, which a step comes near to (docs/performance.md); 0 where it is not known.
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
                            seconds > 0 ? ": about " + duration_text(seconds) + ", evaluations and scores not counted"
                                        : "; how long it takes on a GPU is seen when it runs");
}

// A line at the bottom of a terminal, drawn anew; elsewhere a line a minute.
class StatusLine {
 public:
  ~StatusLine() { clear(); }
  void show(const std::string& line) {
    constexpr int64_t kCallsPerLine = 60;  // a call a second
    if (isatty(STDERR_FILENO) == 0) {
      if (calls_++ % kCallsPerLine == 0) fmt::print(stderr, "{}\n", line);
      return;
    }
    fmt::print(stderr, "\r\x1b[K{}", line);
    std::fflush(stderr);
    stands_ = true;
  }
  void say(const std::string& line) {
    clear();
    fmt::print(stderr, "{}\n", line);
  }

 private:
  void clear() {
    if (stands_) fmt::print(stderr, "\r\x1b[K");
    stands_ = false;
  }
  bool stands_ = false;
  int64_t calls_ = 0;
};

// All runs of the plan that there may be results of, whatever was chosen this time.
std::vector<PlannedRun> all_runs(const Plan& plan, const PlanChoice& chosen, const std::vector<ResultRecord>& records) {
  PlanChoice all = chosen;
  all.rows.clear();
  all.where.clear();
  all.seeds = std::max<int64_t>(1, chosen.seeds);
  for (const ResultRecord& record : records) all.seeds = std::max(all.seeds, record.options.value("seed", int64_t{1}));
  return planned_runs(plan, all, data_root());
}

// The run of the plan that trains the scorer, at its own length.
PlannedRun scorer_run(const Plan& plan, const PlanChoice& choice) {
  return planned_runs(
             read_paper_plan(plan.scorer),
             {.budget = choice.budget, .steps = 0, .seeds = 1, .rows = {}, .where = {}, .data_dir = choice.data_dir},
             data_root())
      .front();
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

// What the results of one call are made of.
struct Shown {
  const PlanOptions& options;
  const PlanChoice& choice;
  const PlanExecution& execution;
  fs::path output;
  std::string name;  // of the files: "table3"
  PlanResults results;
};

void show_errors(const Shown& shown) {
  const Table table = errors_table(shown.results);
  write_table(shown.output, shown.name, table);
  fmt::print("{}", markdown_of(table));
  print_written(shown.output / (shown.name + ".{md,csv,tex,html}"));
}

// The data of a run.
Dataset data_of(const PlannedRun& run) {
  DataOptions data;
  OptionSet set;
  describe(set, data);
  for (Option& option : set.all()) option.set(run.options.at(option.name), "the plan");
  return load_dataset(data, data_root());
}

// Throws an Error where the scorer was not trained to its end, or tells other classes apart.
ChosenScorer load_scorer(const std::string& run_or_file, const PlanOptions& options, const Dataset& data) {
  const InferenceOptions inference{.device = options.device};
  ChosenScorer chosen;
  if (is_checkpoint(run_or_file)) {
    const Checkpoint checkpoint = load_checkpoint_aloud(run_or_file);
    if (checkpoint.state.step != checkpoint.state.planned_steps) {
      throw Error(fmt::format("{}: is of step {} of {}; a scorer must be trained to its end", checkpoint.path.string(),
                              checkpoint.state.step, checkpoint.state.planned_steps));
    }
    chosen = scorer_of(checkpoint, inference);
  } else {
    chosen = scorer_of_file(run_or_file, {data.image_size, data.channels, data.classes()}, inference);
  }
  if (!options.any_classes) check_classes(chosen.scorer, data);
  return chosen;
}

// What would be found only after all runs is said before them. `scorer` is the run that trains it.
void check_scorer(const Plan& plan, const PlanOptions& options, const PlannedRun& run,
                  const std::optional<PlannedRun>& scorer) {
  if (plan.show != "scores") return;
  if (!options.scorer.empty()) {
    load_scorer(options.scorer, options, data_of(run));
  } else if (!scorer) {
    throw usage_error(fmt::format(
        "{}: who scores its pictures? Give --scorer, or name the plan that trains one (scorer = \"scorer\")",
        plan.name));
  } else if (scorer->data_digest != run.data_digest) {
    throw usage_error(fmt::format("{}: its scorer is trained on other data ({}) than its runs ({}); give --scorer",
                                  plan.name, setting_text(scorer->options.at("data")),
                                  setting_text(run.options.at("data"))));
  }
}

void show_scores(const Shown& shown) {
  const fs::path folder = shown.output / "scores";
  if (!shown.options.tables_only) {
    const Dataset data = data_of(shown.results.runs().front());
    std::string scorer = shown.options.scorer;
    if (scorer.empty()) {
      scorer = shown.execution.folder_of(scorer_run(shown.results.plan(), shown.choice));
      if (!is_checkpoint(scorer)) throw Error(fmt::format("{}: the scorer is not trained: nothing is scored", scorer));
    }
    const ChosenScorer by = load_scorer(scorer, shown.options, data);
    const PlanScoring scoring{
        .folder = folder,
        .pictures = std::min(shown.results.plan().budget(shown.choice.budget).score_pictures, data.train.size()),
        .precision = by.precision,
        .device = resolve_device(shown.options.device)};
    score_plan(
        scoring, by.scorer, data, shown.results, [&](const PlannedRun& run) { return shown.execution.folder_of(run); },
        [](const std::string& line) { fmt::print(stderr, "{}\n", line); }, stop_signal);
  }
  const Table table = scores_table(shown.results, read_scored_sets(folder));
  write_table(shown.output, shown.name, table);
  fmt::print("{}", markdown_of(table));
  print_written(shown.output / (shown.name + ".{md,csv,tex,html}"));
}

void show_grids(const Shown& shown) {
  const auto folder = [&](const PlannedRun& run) { return shown.execution.folder_of(run); };
  for (const fs::path& path :
       write_grids_figure(shown.output, shown.name, shown.results, data_of(shown.results.runs().front()), folder)) {
    print_written(path);
  }
}

void show_noise(const Shown& shown) {
  show_errors(shown);
  write_file_safely(shown.output / (shown.name + ".svg"), noise_figure(shown.results));
  print_written(shown.output / (shown.name + ".svg"));
}

void show_results(const Plan& plan, const PlanOptions& options, const PlanChoice& choice, const fs::path& output,
                  const PlanExecution& execution) {
  std::vector<ResultRecord> records = read_result_records(execution.records);
  std::vector<PlannedRun> runs = all_runs(plan, choice, records);
  const Shown shown{options,
                    choice,
                    execution,
                    output,
                    fs::path(plan.name).stem().string(),
                    PlanResults(plan, plan.budget(choice.budget), std::move(runs), std::move(records))};
  if (plan.show == "scores") return show_scores(shown);
  if (plan.show == "grids") return show_grids(shown);
  if (plan.show == "noise") return show_noise(shown);
  show_errors(shown);
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
              "Where pictures are scored: a run or a TorchScript file in place of the plan's own scorer.");
  options.add("any-classes", plan.any_classes, "Takes a scorer of other classes than the data's, such as ImageNet's.");
  options.add("data-dir", plan.data_dir, "Where the files of the data set lie, as for train.");
  options.group("Work", /*saved=*/false);
  options.add("jobs", plan.jobs, "Runs at once; 0: as many as there are cores, each with its share of them.",
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
  const PlanExecution execution = execution_of(options, output, runs);
  if (options.tables_only) {
    const std::vector<FailedRun> failed = take_up_finished(execution, runs);
    tell_failed(failed);
    show_results(plan, options, choice, output, execution);
    return failed.empty() ? 0 : 1;
  }
  std::optional<PlannedRun> scorer;
  if (!plan.scorer.empty() && options.scorer.empty()) scorer = scorer_run(plan, choice);
  check_scorer(plan, options, runs.front(), scorer);
  std::string text = plan_text(plan, choice.budget, execution, runs);
  if (scorer) {
    text += fmt::format("and first the scorer, {}, where it is not done\n", tflop_text(scorer->tflop));
    runs.insert(runs.begin(), *std::move(scorer));
  }
  fmt::print(options.dry_run ? stdout : stderr, "{}", text);
  if (options.dry_run) {
    fmt::print("\n");
    for (const PlannedRun& run : runs) fmt::print("{}\n", execution.folder_of(run).string());
    return 0;
  }
  stop_on_signals();
  const std::vector<FailedRun> failed = execute_aloud(execution, runs);
  if (stop_signal == 0) show_results(plan, options, choice, output, execution);
  if (stop_signal != 0) {
    fmt::print(stderr, "stopped; the same command goes on where it was\n");
    return 128 + stop_signal;
  }
  return failed.empty() ? 0 : 1;
}

}  // namespace frgan
