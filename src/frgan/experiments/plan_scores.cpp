#include "frgan/experiments/plan_scores.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "frgan/classifier/checkpoint.h"
#include "frgan/classifier/generation.h"
#include "frgan/core/device.h"
#include "frgan/core/error.h"
#include "frgan/experiments/errors_table.h"
#include "frgan/io/checkpoint_files.h"
#include "frgan/io/files.h"
#include "frgan/metrics/statistics.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char *kRealTrain = "real-train", *kRealTest = "real-test", *kFormat = "frgan scored set 1";
constexpr const char* kRealRow = "real, train";  // a row of a plan that is called so has its published values

void write_scored_set(const fs::path& folder, const ScoredSet& set) {
  ensure_directory(folder);
  const ordered_json json = {{"format", kFormat},
                             {"key", set.key},
                             {"scorer_hash", set.scorer_hash},
                             {"precision", set.precision},
                             {"scores", set.scores}};
  write_file_safely(folder / (set.name + ".json"), json.dump(1) + "\n");
}

ScoredSet read_scored_set(const fs::path& file) try {
  const ordered_json json = ordered_json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.value("format", "") != kFormat) {
    throw Error(
        fmt::format("{}: no scores of frgan; expected an object with \"format\": \"{}\"", file.string(), kFormat));
  }
  return {file.stem().string(), json.at("key"), json.at("scorer_hash"), json.at("precision"), json.at("scores")};
} catch (const nlohmann::json::exception& error) {
  throw Error(fmt::format("{}: no whole scores of frgan ({})", file.string(), problem_of(error)));
}

bool is_scored(const PlanScoring& scoring, const std::string& name, const std::string& key, const Scorer& scorer,
               int64_t pictures) {
  const fs::path file = scoring.folder / (name + ".json");
  if (!fs::exists(file)) return false;
  const ScoredSet set = read_scored_set(file);
  return set.key == key && set.scorer_hash == scorer.hash && set.precision == scoring.precision &&
         set.scores.value("pictures", int64_t{0}) == pictures &&
         set.scores.value("splits", int64_t{0}) == scoring.options.splits;
}

// The real pictures of a role as a scored set of their own.
void score_real(const PlanScoring& scoring, const Scorer& scorer, const Dataset& data, const Features& real) {
  const int64_t wanted = std::min(scoring.pictures, data.train.size());
  const auto write = [&](const char* name, const ImageScores& images, const PictureSet& set) {
    ordered_json scores = to_json(images);
    scores["ceiling"] = label_ceiling(set, data.classes());
    write_scored_set(scoring.folder, {name, data.digest, scorer.hash, scoring.precision, std::move(scores)});
  };
  if (!is_scored(scoring, kRealTrain, data.digest, scorer, wanted)) {
    // They are among those that distances are to: there is none.
    write(kRealTrain, score_images(drawn(real, wanted, scoring.options.seed), scoring.options), data.train);
  }
  if (data.test.size() >= scoring.options.splits &&
      !is_scored(scoring, kRealTest, data.digest, scorer, data.test.size())) {
    write(kRealTest, scores_as_far_as_enough(features_of(scorer, data.test.pictures), real, scoring.options),
          data.test);
  }
}

// Pictures made with the run's seed by its last weights. Throws an Error where these are not there.
at::Tensor pictures_of_run(const PlanScoring& scoring, const fs::path& folder, const PlannedRun& run) {
  const Checkpoint checkpoint = load_checkpoint(folder);
  if (checkpoint.state.step != run.steps) {
    throw Error(fmt::format("{}: its last whole checkpoint is of step {} of {}: not scored", folder.string(),
                            checkpoint.state.step, run.steps));
  }
  const Precision precision =
      resolve_precision("auto", scoring.device) == "bf16" && checkpoint.state.precision == "bf16" ? Precision::kBf16
                                                                                                  : Precision::kFull;
  return generated_pictures(load_generator(checkpoint, scoring.device, precision), run.seed, scoring.pictures);
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

// Differences in Inception Score from another row, on the same seeds.
TableCell difference_cell(const std::map<int64_t, double>& scores, const std::map<int64_t, double>& reference) {
  std::vector<double> differences;
  for (const auto& [seed, score] : scores) {
    if (const auto other = reference.find(seed); other != reference.end()) differences.push_back(score - other->second);
  }
  if (differences.empty()) return {"–", {"", "", "", "0"}};
  const MeanInterval interval = mean_interval(differences);
  std::string text = fmt::format("{:+.3f}", interval.mean);
  if (interval.count > 1) text += fmt::format(" [{:+.3f}, {:+.3f}]", interval.low, interval.high);
  return {text + fmt::format(" ({})", interval.count),
          {number(interval.mean), number(interval.low), number(interval.high), fmt::format("{}", interval.count)}};
}

std::vector<TableColumn> score_columns() {
  return {{"Inception Score, mean ± sd over seeds", {"inception_score", "inception_score_sd"}},
          {"its spread over splits", {"spread_over_splits", "spread_over_splits_sd"}},
          {"Fréchet distance", {"frechet_distance", "frechet_distance_sd"}},
          {"kernel distance", {"kernel_distance", "kernel_distance_sd"}},
          {"precision", {"precision", "precision_sd"}},
          {"recall", {"recall", "recall_sd"}},
          {"class KL", {"class_divergence", "class_divergence_sd"}},
          {"% of class", {"histogram"}},
          {"pictures", {"pictures", "splits"}},
          {"seeds", {"seeds"}},
          {"", {"scorer_hash"}}};
}

std::vector<TableCell> score_cells(const std::vector<const ScoredSet*>& sets) {
  if (sets.empty()) return std::vector<TableCell>(score_columns().size(), TableCell{"–", {}});
  const ordered_json& first = sets.front()->scores;
  const auto pictures = first.value("pictures", int64_t{0}), splits = first.value("splits", int64_t{0});
  return {score_cell(sets, "inception_score", 3),
          score_cell(sets, "inception_score_std", 3),
          score_cell(sets, "frechet_distance", 2),
          score_cell(sets, "kernel_distance", 3),
          score_cell(sets, "precision", 3),
          score_cell(sets, "recall", 3),
          score_cell(sets, "histogram_divergence", 3),
          text_cell(histogram_text(first)),
          {fmt::format("{} in {} splits", pictures, splits), {fmt::format("{}", pictures), fmt::format("{}", splits)}},
          text_cell(fmt::format("{}", sets.size())),
          {"", {sets.front()->scorer_hash}}};
}

// The sets of a plan that can stand in one table: those of one scorer in one precision, of as many pictures each.
class ComparableSets {
 public:
  ComparableSets(const PlanResults& results, const std::vector<ScoredSet>& sets)
      : results_(results), sets_(sets), real_(set_called(sets, kRealTrain)) {
    const std::string data = results.data_digest();
    if (real_ != nullptr && !data.empty() && real_->key != data) real_ = nullptr;  // of another plan's data
  }

  const ScoredSet* real() const { return real_; }
  const ScoredSet* test() const {
    const ScoredSet* test = set_called(sets_, kRealTest);
    return real_ != nullptr && test != nullptr && same_scorer(*test) ? test : nullptr;
  }
  // Of a row in a section, by seed. What is left out is remembered.
  std::map<int64_t, const ScoredSet*> of(size_t row, size_t section) {
    std::map<int64_t, const ScoredSet*> found;
    for (int64_t seed = 1; seed <= results_.seeds() && real_ != nullptr; ++seed) {
      const ResultRecord* record = results_.find(row, section, seed);
      const ScoredSet* set = record == nullptr ? nullptr : set_called(sets_, record->name);
      if (set == nullptr || set->key != record->key) continue;
      const bool same = same_scorer(*set) && set->scores.value("pictures", 0) == real_->scores.value("pictures", 0) &&
                        set->scores.value("splits", 0) == real_->scores.value("splits", 0);
      if (same) {
        found[seed] = set;
      } else {
        left_out_.insert(set->name);
      }
    }
    return found;
  }
  const std::set<std::string>& left_out() const { return left_out_; }

 private:
  bool same_scorer(const ScoredSet& set) const {
    return set.scorer_hash == real_->scorer_hash && set.precision == real_->precision;
  }

  const PlanResults& results_;
  const std::vector<ScoredSet>& sets_;
  const ScoredSet* real_;
  std::set<std::string> left_out_;
};

std::vector<const ScoredSet*> values_of(const std::map<int64_t, const ScoredSet*>& sets) {
  std::vector<const ScoredSet*> list;
  for (const auto& [seed, set] : sets) list.push_back(set);
  return list;
}

std::map<int64_t, double> inception_scores(const std::map<int64_t, const ScoredSet*>& sets) {
  std::map<int64_t, double> scores;
  for (const auto& [seed, set] : sets) scores[seed] = set->scores.at("inception_score");
  return scores;
}

bool is_real_row(const PlanRow& row) {
  return row.preset.empty() && row.name == kRealRow;
}

std::vector<TableCell> row_of(const PlanResults& results, ComparableSets& sets, size_t row, size_t section) {
  const Plan& plan = results.plan();
  std::vector<TableCell> cells = {text_cell(plan.rows[row].name),
                                  published_cell(plan.rows[row], plan.published_key(plan.sections[section]))};
  const auto of_row = sets.of(row, section);
  std::vector<const ScoredSet*> shown = values_of(of_row);
  if (is_real_row(plan.rows[row]) && sets.real() != nullptr) shown = {sets.real()};
  const std::vector<TableCell> scores = score_cells(shown), effort = effort_cells(results.of(row, section));
  cells.insert(cells.end(), scores.begin(), scores.end());
  if (!plan.reference.empty()) {
    const bool is_reference = plan.rows[row].name == plan.reference;
    const auto of_reference = sets.of(plan.reference_row(), section);
    cells.push_back(is_reference ? difference_cell({}, {})
                                 : difference_cell(inception_scores(of_row), inception_scores(of_reference)));
  }
  cells.insert(cells.end(), effort.begin(), effort.end());
  return cells;
}

std::vector<TableCell> real_row(const PlanResults& results, const char* name, const ScoredSet& set) {
  std::vector<TableCell> cells = {text_cell(name), {"–", {}}};
  const std::vector<TableCell> scores = score_cells({&set}), effort = effort_cells({});
  cells.insert(cells.end(), scores.begin(), scores.end());
  if (!results.plan().reference.empty()) cells.push_back(difference_cell({}, {}));
  cells.insert(cells.end(), effort.begin(), effort.end());
  return cells;
}

std::vector<TableColumn> columns_of(const std::string& reference) {
  std::vector<TableColumn> columns = {{"pictures of", {"name"}},
                                      {"published (other scorer, not comparable)", {"published", "published_sd"}}};
  const std::vector<TableColumn> scores = score_columns(), effort = effort_columns();
  columns.insert(columns.end(), scores.begin(), scores.end());
  if (!reference.empty()) {
    columns.push_back({fmt::format("Inception Score less {}'s: mean [95 % t interval] (pairs)", reference),
                       {"difference", "difference_low", "difference_high", "pairs"}});
  }
  columns.insert(columns.end(), effort.begin(), effort.end());
  return columns;
}

std::vector<std::string> notes_of(const PlanResults& results, const ComparableSets& sets) {
  std::vector<std::string> notes = results.notes();
  if (const ScoredSet* real = sets.real()) {
    notes.push_back(fmt::format("Scorer: {}, {}, SHA-256 {}.", real->scores.value("scorer", ""), real->precision,
                                real->scorer_hash));
    notes.push_back(
        fmt::format("The ceiling exp(H(y)) of the training labels is {:.4f}: no scorer of these classes can give more.",
                    real->scores.value("ceiling", 0.0)));
    notes.emplace_back(
        "Distances are to all training pictures, in the scorer's features; precision and recall with k = 3, of 10,000 "
        "pictures each; class KL is from the classes of these to those of real pictures, as the scorer sees them.");
  }
  if (!sets.left_out().empty()) {
    notes.push_back(fmt::format("Left out, for another scorer scored them, or other numbers of pictures: {}.",
                                fmt::join(sets.left_out(), ", ")));
  }
  return notes;
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
  const int64_t real_pictures = std::min(scoring.pictures, data.train.size());
  if (left.empty() && is_scored(scoring, kRealTrain, data.digest, scorer, real_pictures)) return;
  const Features real = features_of(scorer, data.train.pictures);
  score_real(scoring, scorer, data, real);
  for (const PlannedRun* run : left) {
    if (stop_signal != 0) return;
    try {
      const Features made = features_of(scorer, pictures_of_run(scoring, run_folder(*run), *run));
      const ImageScores scores = score_images(made, real, scoring.options);
      write_scored_set(scoring.folder, {run->name, run->key, scorer.hash, scoring.precision, to_json(scores)});
      say(fmt::format("{}: Inception Score {:.3f}", run->name, scores.inception.mean));
    } catch (const Error& error) {  // one run's damage is not the others'
      say(error.what());
    }
  }
}

std::vector<ScoredSet> read_scored_sets(const fs::path& folder) {
  std::vector<ScoredSet> sets;
  for (const fs::path& file : files_in(folder, ".json")) sets.push_back(read_scored_set(file));
  return sets;
}

Table scores_table(const PlanResults& results, const std::vector<ScoredSet>& scored) {
  const Plan& plan = results.plan();
  ComparableSets sets(results, scored);
  Table table{plan.title, columns_of(plan.reference), {}, {}};
  for (size_t section = 0; section < plan.sections.size(); ++section) {
    TableSection rows{plan.sections[section].title, {}};
    for (size_t row = 0; row < plan.rows.size(); ++row) rows.rows.push_back(row_of(results, sets, row, section));
    const bool has_real_row = std::any_of(plan.rows.begin(), plan.rows.end(), is_real_row);
    if (sets.real() != nullptr && !has_real_row) rows.rows.push_back(real_row(results, kRealRow, *sets.real()));
    if (const ScoredSet* test = sets.test()) rows.rows.push_back(real_row(results, "real, test", *test));
    table.sections.push_back(std::move(rows));
  }
  table.notes = notes_of(results, sets);
  return table;
}

}  // namespace frgan
