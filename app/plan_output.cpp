#include "app/plan_output.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/data_root.h"
#include "app/notes.h"
#include "app/stop_signal.h"
#include "frgan/classifier/checkpoint.h"
#include "frgan/core/error.h"
#include "frgan/core/hardware.h"
#include "frgan/data/dataset.h"
#include "frgan/data/load_dataset.h"
#include "frgan/device/device.h"
#include "frgan/io/files.h"
#include "frgan/metrics/features.h"
#include "frgan/plans/plan_scores.h"
#include "frgan/tables/errors_table.h"
#include "frgan/tables/grids_figure.h"
#include "frgan/tables/noise_figure.h"
#include "frgan/tables/scores_table.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

// All runs of the plan that may have results, whatever --rows, --where and --seeds chose.
std::vector<PlannedRun> all_runs(const Plan& plan, const PlanChoice& chosen, const std::vector<RunRecord>& records) {
  PlanChoice all = chosen;
  all.rows.clear();
  all.where.clear();
  all.seeds = std::max<int64_t>(1, chosen.seeds);
  for (const RunRecord& record : records) all.seeds = std::max(all.seeds, record.options.value("seed", int64_t{1}));
  return planned_runs(plan, all, data_root());
}

// The run that trains the scorer, with the length of its own plan.
PlannedRun scorer_run(const Plan& plan, const PlanChoice& choice) {
  return planned_runs(
             read_paper_plan(plan.scorer),
             {.budget = choice.budget, .steps = 0, .seeds = 1, .rows = {}, .where = {}, .data_dir = choice.data_dir},
             data_root())
      .front();
}

// The data of a run.
Dataset data_of(const PlannedRun& run) {
  DataOptions data;
  OptionSet set;
  describe(set, data);
  for (Option& option : set.all()) option.set(run.options.at(option.name), "the plan");
  return load_dataset(data, data_root());
}

// Throws an Error if the scorer is not completely trained, or has other classes than the data.
Scorer trained_scorer(const std::string& run_or_file, const PlanOptions& options, const Dataset& data) {
  const Hardware hardware{.device = options.device};
  const Messages messages = printed_messages(options.quiet);
  Scorer scorer;
  if (is_checkpoint(run_or_file)) {
    const Checkpoint checkpoint = load_checkpoint(run_or_file, messages);
    if (checkpoint.state.step != checkpoint.state.planned_steps) {
      throw Error(fmt::format("{}: step {} of {}; a scorer must be completely trained", checkpoint.path.string(),
                              checkpoint.state.step, checkpoint.state.planned_steps));
    }
    scorer = checkpoint_scorer(checkpoint, hardware, messages);
  } else {
    scorer = load_scorer(run_or_file, {data.image_size, data.channels, data.classes()}, hardware, messages);
  }
  if (!options.any_classes) check_classes(scorer, data);
  return scorer;
}

int64_t score_images(const PlanCall& call, int64_t train_images) {
  return std::min(call.plan.budget(call.choice.budget).score_images, train_images);
}

fs::path scores_folder(const PlanCall& call) {
  return call.output / "scores";
}

// Whether each chosen run has its record and its scores.
bool all_scored(const PlanCall& call, const std::vector<PlannedRun>& runs) {
  const PlanResults results(call.plan, call.plan.budget(call.choice.budget), runs,
                            read_run_records(call.execution.records));
  const auto is_done = [&](const PlannedRun& run) { return results.record_of(run) != nullptr; };
  return std::all_of(runs.begin(), runs.end(), is_done) &&
         is_scored_whole(results, read_scored_sets(scores_folder(call)),
                         score_images(call, data_of(runs.front()).train.size()));
}

void check_given_scorer(const PlanCall& call, const PlannedRun& run) {
  const Dataset data = data_of(run);
  const Scorer scorer = trained_scorer(call.options.scorer, call.options, data);
  const int64_t images = score_images(call, data.train.size());
  if (images > scorer.features) return;
  throw usage_error(fmt::format(
      "{}, budget.{}: score-images is {}: too few for the covariance of the scorer's {} features; must be at least {}",
      call.plan.name, call.choice.budget, images, scorer.features, scorer.features + 1));
}

// The results of one call.
struct Shown {
  const PlanCall& call;
  std::string name;  // of the files: "table3"
  PlanResults results;
};

void show_table(const Shown& shown, const Table& table) {
  write_table(shown.call.output, shown.name, table);
  fmt::print("{}", markdown_of(table));
  print_written(shown.call.output / (shown.name + ".{md,csv,tex,html}"));
}

void show_errors(const Shown& shown) {
  show_table(shown, errors_table(shown.results));
}

// Scores the runs that lack scores. Returns false if some could not be scored.
bool score(const Shown& shown) {
  const PlanCall& call = shown.call;
  const Dataset data = data_of(shown.results.runs().front());
  const int64_t images = score_images(call, data.train.size());
  std::string scorer = call.options.scorer;
  if (scorer.empty()) {
    if (is_scored_whole(shown.results, read_scored_sets(scores_folder(call)), images)) {
      if (!call.options.quiet) fmt::print(stderr, "all runs are scored in {}\n", scores_folder(call).string());
      return true;
    }
    scorer = call.execution.folder_of(scorer_run(call.plan, call.choice));
    if (!is_checkpoint(scorer))
      throw Error(fmt::format("{}: the scorer is not trained, so no scores were computed", scorer));
  }
  const Scorer by = trained_scorer(scorer, call.options, data);
  const PlanScoring scoring{.folder = scores_folder(call),
                            .images = images,
                            .precision = by.precision,
                            .device = resolve_device(call.options.device)};
  return score_plan(
             scoring, by, data, shown.results, [&](const PlannedRun& run) { return call.execution.folder_of(run); },
             [&](const std::string& line) {
               if (!call.options.quiet) fmt::print(stderr, "{}\n", line);
             },
             stop_signal) == 0;
}

bool show_scores(const Shown& shown) {
  const bool whole = shown.call.options.tables_only || score(shown);
  show_table(shown, scores_table(shown.results, read_scored_sets(scores_folder(shown.call))));
  return whole;
}

void show_grids(const Shown& shown) {
  const auto folder = [&](const PlannedRun& run) { return shown.call.execution.folder_of(run); };
  for (const fs::path& path : write_grids_figure(shown.call.output, shown.name, shown.results,
                                                 data_of(shown.results.runs().front()), folder)) {
    print_written(path);
  }
}

void show_noise(const Shown& shown) {
  show_errors(shown);
  write_file_safely(shown.call.output / (shown.name + ".svg"), noise_figure(shown.results));
  print_written(shown.call.output / (shown.name + ".svg"));
}

}  // namespace

std::optional<PlannedRun> scorer_to_train(const PlanCall& call, const std::vector<PlannedRun>& runs) {
  const Plan& plan = call.plan;
  if (plan.show != "scores") return std::nullopt;
  if (!call.options.scorer.empty()) {
    check_given_scorer(call, runs.front());
    return std::nullopt;
  }
  if (plan.scorer.empty()) {
    throw usage_error(fmt::format(
        "{}: missing scorer: give --scorer, or set scorer = \"scorer\" in the plan to train one", plan.name));
  }
  PlannedRun scorer = scorer_run(plan, call.choice);
  if (scorer.data_digest != runs.front().data_digest) {
    throw usage_error(
        fmt::format("{}: the scorer is trained on {}, but the runs use {}; give a fitting one with --scorer", plan.name,
                    setting_text(scorer.options.at("data")), setting_text(runs.front().options.at("data"))));
  }
  if (all_scored(call, runs)) return std::nullopt;
  return scorer;
}

bool show_plan(const PlanCall& call) {
  std::vector<RunRecord> records = read_run_records(call.execution.records);
  std::vector<PlannedRun> runs = all_runs(call.plan, call.choice, records);
  const Shown shown{call, fs::path(call.plan.name).stem().string(),
                    PlanResults(call.plan, call.plan.budget(call.choice.budget), std::move(runs), std::move(records))};
  shown.results.check_any();
  if (call.plan.show == "scores") return show_scores(shown);
  if (call.plan.show == "grids") {
    show_grids(shown);
  } else if (call.plan.show == "noise") {
    show_noise(shown);
  } else {
    show_errors(shown);
  }
  return true;
}

}  // namespace frgan
