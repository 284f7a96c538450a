#include "app/plan_output.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/console.h"
#include "app/stop_signal.h"
#include "frgan/core/error.h"
#include "frgan/core/run_files.h"
#include "frgan/io/checkpoint_files.h"
#include "frgan/io/files.h"
#include "frgan/metrics/image_scores.h"
#include "frgan/plans/plan_check.h"
#include "frgan/plans/plan_scores.h"
#include "frgan/tables/errors_table.h"
#include "frgan/tables/grids_figure.h"
#include "frgan/tables/noise_figure.h"
#include "frgan/tables/scores_table.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

// All runs of the plan that may have results, whatever --rows, --where and --seeds chose.
std::vector<PlannedRun> all_runs(const PlanCall& call, const std::vector<RunRecord>& records) {
  PlanChoice all = call.choice;
  all.rows.clear();
  all.where.clear();
  all.seeds = std::max<int64_t>(1, all.seeds);
  for (const RunRecord& record : records) all.seeds = std::max(all.seeds, record.options.value("seed", int64_t{1}));
  if (call.options.tables_only) {
    if (auto runs = planned_runs(call.plan, all, records)) return *std::move(runs);
  }
  return planned_runs(call.plan, all, call.measurer);
}

// The plan that trains the scorer. Throws a usage error if it lacks the budget of this call.
Plan scorer_plan(const PlanCall& call) {
  Plan plan = read_paper_plan(call.plan.scorer);
  std::vector<std::string> names;
  for (const Budget& budget : plan.budgets) names.push_back(budget.name);
  if (std::find(names.begin(), names.end(), call.choice.budget) != names.end()) return plan;
  throw usage_error(fmt::format(
      "{}: the plan '{}' that trains the scorer has no budget '{}'; it has {}; rename the budget, or give a "
      "trained scorer with --scorer",
      call.plan.name, plan.name, call.choice.budget, fmt::join(names, ", ")));
}

// The run that trains the scorer, with the length of its own plan.
PlannedRun scorer_run(const PlanCall& call) {
  return planned_runs(scorer_plan(call),
                      {.budget = call.choice.budget,
                       .steps = 0,
                       .seeds = 1,
                       .rows = {},
                       .where = {},
                       .data_dir = call.choice.data_dir},
                      call.measurer)
      .front();
}

// The number of images scored per generator.
int64_t scored_images(const PlanCall& call, const std::vector<PlannedRun>& runs) {
  return std::min(call.plan.budget(call.choice.budget).score_images, runs.front().train_images);
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
         is_scored_whole(results, read_scored_sets(scores_folder(call)), scored_images(call, runs));
}

PlanScoring scoring_by(const std::string& scorer, const PlanCall& call, int64_t images) {
  return {.folder = scores_folder(call),
          .images = images,
          .scorer = scorer,
          .any_classes = call.options.any_classes,
          .device = call.options.device,
          .data_root = call.measurer.data_root(),
          .say =
              [quiet = call.options.quiet](const std::string& line) {
                if (!quiet) print_message("{}\n", one_line(line));
              },
          .warn = [](const std::string& warning) { print_message("warning: {}\n", one_line(warning)); }};
}

// Throws a usage error if there are too few images for an Inception Score.
void check_image_count(const PlanCall& call, const std::vector<PlannedRun>& runs) {
  const int64_t images = scored_images(call, runs), splits = ScoreOptions{}.splits;
  if (images >= splits) return;
  throw usage_error(
      fmt::format("{}, budget.{}: {} images are scored: too few for the {} splits of the Inception Score; "
                  "increase score-images or use a larger dataset",
                  call.plan.name, call.choice.budget, images, splits));
}

void check_given_scorer(const PlanCall& call, const std::vector<PlannedRun>& runs) {
  const int64_t images = scored_images(call, runs);
  const int64_t features = scorer_features(scoring_by(call.options.scorer, call, images), runs.front());
  if (images > features) return;
  throw usage_error(fmt::format(
      "{}, budget.{}: score-images is {}: too few for the covariance of the scorer's {} features; must be at least {}",
      call.plan.name, call.choice.budget, images, features, features + 1));
}

// The results of one call.
struct Shown {
  const PlanCall& call;
  std::string name;  // of the files: "table3"
  PlanResults results;
};

void show_table(const Shown& shown, const Table& table) {
  write_table(shown.call.output, shown.name, table);
  print_unattended("{}", markdown_of(table));
  print_written(shown.call.output / (shown.name + ".{md,csv,tex,html}"));
}

void warn_of_damaged_scores(const std::string& damage) {
  print_message("warning: {}; if the scores are of this plan, the results lack them\n", one_line(damage));
}

// Scores the runs that lack scores. Returns false if some could not be scored.
bool score(const Shown& shown) {
  const PlanCall& call = shown.call;
  const int64_t images = scored_images(call, shown.results.runs());
  std::string scorer = call.options.scorer;
  if (scorer.empty()) {
    if (is_scored_whole(shown.results, read_scored_sets(scores_folder(call)), images)) {
      if (!call.options.quiet) print_message("all runs are scored in {}\n", one_line(scores_folder(call).string()));
      return true;
    }
    const fs::path run = call.execution.folder_of(scorer_run(call));
    if (!has_checkpoints(run / kCheckpointsFolder)) {
      throw Error(fmt::format("{}: the scorer is not trained, so no scores were computed", run.string()));
    }
    scorer = run;
  }
  return score_plan(
             scoring_by(scorer, call, images), shown.results,
             [&](const PlannedRun& run) { return call.execution.folder_of(run); }, stop_signal) == 0;
}

void show_grids(const Shown& shown) {
  const auto folder = [&](const PlannedRun& run) { return shown.call.execution.folder_of(run); };
  const SquareImages real =
      random_training_images(shown.results.runs().front().options, shown.call.measurer.data_root(), kGridsFigureImages);
  for (const fs::path& path : write_grids_figure(shown.call.output, shown.name, shown.results, real, folder)) {
    print_written(path);
  }
}

// Writes one result. Returns false if some runs could not be scored.
bool show(const Shown& shown, PlanOutput output) {
  bool whole = true;
  switch (output) {
    case PlanOutput::kErrorsTable:
      show_table(shown, errors_table(shown.results));
      break;
    case PlanOutput::kScoresTable:
      whole = shown.call.options.tables_only || score(shown);
      show_table(shown,
                 scores_table(shown.results, read_scored_sets(scores_folder(shown.call), warn_of_damaged_scores)));
      break;
    case PlanOutput::kGridsFigure:
      show_grids(shown);
      break;
    case PlanOutput::kNoiseFigure:
      write_file_safely(shown.call.output / (shown.name + ".svg"), noise_figure(shown.results));
      print_written(shown.call.output / (shown.name + ".svg"));
      break;
    case PlanOutput::kNone:
      break;
  }
  return whole;
}

}  // namespace

std::optional<PlannedRun> scorer_to_train(const PlanCall& call, const std::vector<PlannedRun>& runs) {
  const Plan& plan = call.plan;
  if (!kind_of(plan.show).needs_scorer) return std::nullopt;
  check_image_count(call, runs);
  if (!call.options.scorer.empty()) {
    check_given_scorer(call, runs);
    return std::nullopt;
  }
  if (plan.scorer.empty()) {
    throw usage_error(fmt::format(
        "{}: missing scorer: give --scorer, or set scorer = \"scorer\" in the plan to train one", plan.name));
  }
  PlannedRun scorer = scorer_run(call);
  if (scorer.data_digest != runs.front().data_digest) {
    throw usage_error(
        fmt::format("{}: the scorer is trained on {}, but the runs use {}; give a fitting one with --scorer", plan.name,
                    setting_text(scorer.options.at("data")), setting_text(runs.front().options.at("data"))));
  }
  if (all_scored(call, runs)) return std::nullopt;
  check_runs(scorer_plan(call), {scorer}, call.measurer);
  return scorer;
}

bool show_plan(const PlanCall& call) {
  std::vector<RunRecord> records = read_run_records(call.execution.records);
  std::vector<PlannedRun> runs = all_runs(call, records);
  for (const std::string& damage : damaged_records(call.execution.records)) {
    print_message("warning: {}; if the run is of this plan, the results lack it\n", one_line(damage));
  }
  const Shown shown{call, fs::path(call.plan.name).stem().string(),
                    PlanResults(call.plan, call.plan.budget(call.choice.budget), std::move(runs), std::move(records))};
  shown.results.check_any();
  bool whole = true;
  for (const PlanOutput output : kind_of(call.plan.show).outputs) whole = show(shown, output) && whole;
  return whole;
}

}  // namespace frgan
