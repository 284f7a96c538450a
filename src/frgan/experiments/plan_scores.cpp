#include "frgan/experiments/plan_scores.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "frgan/classifier/checkpoint.h"
#include "frgan/classifier/generation.h"
#include "frgan/core/error.h"
#include "frgan/io/checkpoint_files.h"
#include "frgan/io/files.h"
#include "frgan/metrics/statistics.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char *kRealTrain = "real-train", *kRealTest = "real-test", *kFormat = "frgan scored set 1";

void write_scored_set(const fs::path& folder, const ScoredSet& set) {
  ensure_directory(folder);
  const ordered_json json = {
      {"format", kFormat}, {"key", set.key}, {"scorer_hash", set.scorer_hash}, {"scores", set.scores}};
  write_file_safely(folder / (set.name + ".json"), json.dump(1) + "\n");
}

ScoredSet read_scored_set(const fs::path& file) try {
  const ordered_json json = ordered_json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.value("format", "") != kFormat) {
    throw Error(
        fmt::format("{}: no scores of frgan; expected an object with \"format\": \"{}\"", file.string(), kFormat));
  }
  return {file.stem().string(), json.at("key"), json.at("scorer_hash"), json.at("scores")};
} catch (const nlohmann::json::exception& error) {
  throw Error(fmt::format("{}: no whole scores of frgan ({})", file.string(), error.what()));
}

bool is_scored(const PlanScoring& scoring, const std::string& name, const std::string& key, const Scorer& scorer,
               int64_t pictures) {
  const fs::path file = scoring.folder / (name + ".json");
  if (!fs::exists(file)) return false;
  const ScoredSet set = read_scored_set(file);
  return set.key == key && set.scorer_hash == scorer.hash && set.scores.value("pictures", int64_t{0}) == pictures &&
         set.scores.value("splits", int64_t{0}) == scoring.options.splits;
}

double ceiling_of(const PictureSet& set, int64_t classes) {
  std::vector<int64_t> counts = class_counts(set, classes);
  counts.pop_back();  // of unknown class
  return inception_ceiling(counts);
}

// The real pictures of a role as a scored set of their own.
void score_real(const PlanScoring& scoring, const Scorer& scorer, const Dataset& data, const Features& real) {
  const int64_t wanted = std::min(scoring.pictures, data.train.size());
  const auto write = [&](const char* name, const Features& features, const PictureSet& set) {
    ordered_json scores = to_json(score_images(features, real, scoring.options));
    scores["ceiling"] = ceiling_of(set, data.classes());
    write_scored_set(scoring.folder, {name, data.digest, scorer.hash, std::move(scores)});
  };
  if (!is_scored(scoring, kRealTrain, data.digest, scorer, wanted)) {
    write(kRealTrain, drawn(real, wanted, scoring.options.seed), data.train);
  }
  if (data.test.size() > 0 && !is_scored(scoring, kRealTest, data.digest, scorer, data.test.size())) {
    write(kRealTest, features_of(scorer, data.test.pictures), data.test);
  }
}

// Pictures made with the run's seed, in the precision of the run.
at::Tensor pictures_of_run(const fs::path& run, int64_t seed, int64_t count) {
  const Checkpoint checkpoint = load_checkpoint(run);
  const Precision precision = checkpoint.state.precision == "bf16" ? Precision::kBf16 : Precision::kFull;
  return generated_pictures(load_generator(checkpoint, at::kCPU, precision), seed, count);
}

const ScoredSet* set_called(const std::vector<ScoredSet>& sets, const std::string& name) {
  const auto found = std::find_if(sets.begin(), sets.end(), [&](const ScoredSet& set) { return set.name == name; });
  return found == sets.end() ? nullptr : &*found;
}

std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{:.6g}", value) : "";
}

// The mean over sets of a score, "3.02 ± 0.14", and how many there are.
TableCell score_cell(const std::vector<const ScoredSet*>& sets, const char* key, int digits, double scale = 1) {
  std::vector<double> values;
  for (const ScoredSet* set : sets) {
    if (set->scores.contains(key) && set->scores.at(key).is_number()) {
      values.push_back(scale * set->scores.at(key).get<double>());
    }
  }
  if (values.empty()) return {"–", {"", ""}};
  const double center = mean(values), spread = standard_deviation(values);
  std::string text = fmt::format("{:.{}f}", center, digits);
  if (std::isfinite(spread)) text += fmt::format(" ± {:.{}f}", spread, digits);
  return {std::move(text), {number(center), number(spread)}};
}

std::string histogram_text(const ordered_json& scores) {
  const auto counts = scores.at("histogram").get<std::vector<int64_t>>();
  double all = 0;
  for (const int64_t count : counts) all += static_cast<double>(count);
  std::string text;
  for (const int64_t count : counts) {
    text += fmt::format("{}{:.1f}", text.empty() ? "" : " ", 100 * static_cast<double>(count) / all);
  }
  return text;
}

std::vector<TableCell> row_of(const std::string& name, const TableCell& published,
                              const std::vector<const ScoredSet*>& sets) {
  std::vector<TableCell> cells = {text_cell(name), published};
  if (sets.empty()) {
    while (cells.size() < 12) cells.push_back({"–", {""}});
    return cells;
  }
  const ordered_json& first = sets.front()->scores;
  const std::vector<TableCell> scores = {
      score_cell(sets, "inception_score", 3),
      text_cell(score_cell(sets, "inception_score_std", 3).text),
      score_cell(sets, "frechet_distance", 2),
      score_cell(sets, "kernel_distance", 3),
      score_cell(sets, "precision", 3),
      score_cell(sets, "recall", 3),
      score_cell(sets, "histogram_divergence", 3),
      text_cell(histogram_text(first)),
      text_cell(fmt::format("{} in {} splits", first.value("pictures", int64_t{0}), first.value("splits", int64_t{0}))),
      text_cell(fmt::format("{}", sets.size()))};
  cells.insert(cells.end(), scores.begin(), scores.end());
  return cells;
}

}  // namespace

void score_plan(const PlanScoring& scoring, const Scorer& scorer, const Dataset& data, const PlanResults& results,
                const std::function<fs::path(const PlannedRun&)>& run_folder,
                const std::function<void(const std::string&)>& say, const std::atomic<int>& stop_signal) {
  std::vector<const PlannedRun*> left;
  for (const PlannedRun& run : results.runs()) {
    if (results.record_of(run) == nullptr || is_scored(scoring, run.name, run.key, scorer, scoring.pictures)) continue;
    if (has_checkpoints(run_folder(run) / "checkpoints")) {
      left.push_back(&run);
    } else {
      say(fmt::format("{}: not scored, for its checkpoint is not in {}", run.name, run_folder(run).string()));
    }
  }
  if (left.empty() && fs::exists(scoring.folder / fmt::format("{}.json", kRealTrain))) return;
  const Features real = features_of(scorer, data.train.pictures);
  score_real(scoring, scorer, data, real);
  for (const PlannedRun* run : left) {
    if (stop_signal != 0) return;
    const Features made = features_of(scorer, pictures_of_run(run_folder(*run), run->seed, scoring.pictures));
    const ImageScores scores = score_images(made, real, scoring.options);
    write_scored_set(scoring.folder, {run->name, run->key, scorer.hash, to_json(scores)});
    say(fmt::format("{}: Inception Score {:.3f}", run->name, scores.inception.mean));
  }
}

std::vector<ScoredSet> read_scored_sets(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code missing;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, missing)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<ScoredSet> sets;
  for (const fs::path& file : files) sets.push_back(read_scored_set(file));
  return sets;
}

Table scores_table(const PlanResults& results, const std::vector<ScoredSet>& sets) {
  const Plan& plan = results.plan();
  Table table{plan.title,
              {{"pictures of", {"name"}},
               {"published (other scorer, not comparable)", {"published", "published_sd"}},
               {"Inception Score, mean ± sd over seeds", {"inception_score", "inception_score_sd"}},
               {"its spread over splits", {"spread_over_splits"}},
               {"Fréchet distance", {"frechet_distance", "frechet_distance_sd"}},
               {"kernel distance", {"kernel_distance", "kernel_distance_sd"}},
               {"precision", {"precision", "precision_sd"}},
               {"recall", {"recall", "recall_sd"}},
               {"class KL", {"class_divergence", "class_divergence_sd"}},
               {"% of class", {"histogram"}},
               {"pictures", {"pictures"}},
               {"seeds", {"seeds"}}},
              {},
              results.notes()};
  const auto published = [&](const PlanRow& row) {
    if (row.published.empty()) return TableCell{"–", {"", ""}};
    const Published& value = row.published.begin()->second;
    return value.deviation ? TableCell{fmt::format("{:.2f} ± {:.2f}", value.value, *value.deviation),
                                       {number(value.value), number(*value.deviation)}}
                           : TableCell{fmt::format("{:.2f}", value.value), {number(value.value), ""}};
  };
  const ScoredSet* real = set_called(sets, kRealTrain);
  const std::string hash = real == nullptr ? "" : real->scorer_hash;
  std::vector<std::string> other_scorers;
  for (size_t section = 0; section < plan.sections.size(); ++section) {
    TableSection rows{plan.sections[section].title, {}};
    for (size_t row = 0; row < plan.rows.size(); ++row) {
      const PlanRow& planned = plan.rows[row];
      std::vector<const ScoredSet*> of_row;
      if (planned.preset.empty()) {
        if (real != nullptr) of_row.push_back(real);
      } else {
        for (const ResultRecord* record : results.of(row, section)) {
          const ScoredSet* set = set_called(sets, record->name);
          if (set == nullptr || set->key != record->key) continue;
          if (set->scorer_hash == hash) {
            of_row.push_back(set);
          } else {
            other_scorers.push_back(set->name);
          }
        }
      }
      rows.rows.push_back(row_of(planned.name, published(planned), of_row));
    }
    const ScoredSet* test = set_called(sets, kRealTest);
    if (test != nullptr && test->scorer_hash == hash) {
      rows.rows.push_back(row_of("real, test", {"–", {"", ""}}, {test}));
    }
    table.sections.push_back(std::move(rows));
  }
  if (real != nullptr) {
    table.notes.push_back(fmt::format("Scorer: {}, SHA-256 {}.", real->scores.value("scorer", ""), hash));
    table.notes.push_back(
        fmt::format("The ceiling exp(H(y)) of the training labels is {:.4f}: no scorer of these classes can give more.",
                    real->scores.value("ceiling", 0.0)));
    table.notes.push_back(
        "Distances are to all training pictures, in the scorer's features; precision and recall with k = 3, of 10,000 "
        "pictures each; class KL is from the classes of these to those of real pictures, as the scorer sees them.");
  }
  if (!other_scorers.empty()) {
    table.notes.push_back(fmt::format("Left out, for another scorer scored them: {}.", fmt::join(other_scorers, ", ")));
  }
  return table;
}

}  // namespace frgan
