#include "frgan/tables/scores_table.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "frgan/metrics/statistics.h"
#include "frgan/tables/result_cells.h"

namespace frgan {
namespace {

constexpr const char* kRealRow = "real, train";  // a plan's row with this name gives the published values

// Mean and standard deviation of a score over sets: "3.02 ± 0.14". JSON null stands for infinity; the mean is then
// infinite.
TableCell score_cell(const std::vector<const ScoredSet*>& sets, const char* key, int digits) {
  std::vector<double> values;
  for (const ScoredSet* set : sets) {
    if (!set->scores.contains(key)) continue;
    const Json& score = set->scores.at(key);
    values.push_back(score.is_number() ? score.get<double>() : std::numeric_limits<double>::infinity());
  }
  if (values.empty()) return {"–", {"", ""}};
  if (!std::isfinite(mean(values))) return {"∞", {"inf", ""}};
  return {mean_text(values, digits), {csv_number(mean(values)), csv_number(standard_deviation(values))}};
}

// "12.1 9.8 ...": percent of each class over all sets.
std::string histogram_text(const std::vector<const ScoredSet*>& sets) {
  std::vector<double> sums;
  for (const ScoredSet* set : sets) {
    const auto counts = set->scores.at("histogram").get<std::vector<double>>();
    sums.resize(std::max(sums.size(), counts.size()));
    std::transform(counts.begin(), counts.end(), sums.begin(), sums.begin(), std::plus<>());
  }
  const double total = std::accumulate(sums.begin(), sums.end(), 0.0);
  std::string text;
  for (const double sum : sums) text += fmt::format("{}{:.1f}", text.empty() ? "" : " ", 100 * sum / total);
  return text;
}

// Differences in Inception Score from another row, paired by seed.
std::vector<double> differences(const std::map<int64_t, double>& scores, const std::map<int64_t, double>& reference) {
  std::vector<double> found;
  for (const auto& [seed, score] : scores) {
    if (const auto other = reference.find(seed); other != reference.end()) found.push_back(score - other->second);
  }
  return found;
}

std::vector<TableColumn> score_columns() {
  return {{"Inception Score, mean ± sd over seeds", {"inception_score", "inception_score_sd"}},
          {"sd over splits", {"spread_over_splits", "spread_over_splits_sd"}},
          {"Fréchet distance", {"frechet_distance", "frechet_distance_sd"}},
          {"kernel distance", {"kernel_distance", "kernel_distance_sd"}},
          {"precision", {"precision", "precision_sd"}},
          {"recall", {"recall", "recall_sd"}},
          {"class KL", {"class_divergence", "class_divergence_sd"}},
          {"class histogram (%), all seeds", {"histogram"}},
          {"images", {"images", "splits"}},
          {"seeds", {"seeds"}},
          {"", {"scorer_digest"}}};
}

std::vector<TableCell> score_cells(const std::vector<const ScoredSet*>& sets) {
  if (sets.empty()) return std::vector<TableCell>(score_columns().size(), TableCell{"–", {}});
  const Json& first = sets.front()->scores;
  const auto images = first.value("images", int64_t{0}), splits = first.value("splits", int64_t{0});
  return {score_cell(sets, "inception_score", 3),
          score_cell(sets, "inception_score_std", 3),
          score_cell(sets, "frechet_distance", 2),
          score_cell(sets, "kernel_distance", 3),
          score_cell(sets, "precision", 3),
          score_cell(sets, "recall", 3),
          score_cell(sets, "histogram_divergence", 3),
          text_cell(histogram_text(sets)),
          {fmt::format("{} in {} splits", images, splits), {fmt::format("{}", images), fmt::format("{}", splits)}},
          text_cell(fmt::format("{}", sets.size())),
          {"", {sets.front()->scorer_digest}}};
}

// The comparable sets of a plan: same scorer, precision, and number of images and splits as the real training images.
class ComparableSets {
 public:
  ComparableSets(const PlanResults& results, const std::vector<ScoredSet>& sets)
      : results_(results), sets_(sets), real_(find_set(sets, kRealTrain)) {
    const std::string data = results.data_digest();
    if (real_ != nullptr && !data.empty() && real_->key != data) real_ = nullptr;  // other dataset
  }

  const ScoredSet* real() const { return real_; }
  const ScoredSet* test() {
    const ScoredSet* test = find_set(sets_, kRealTest);
    if (real_ == nullptr || test == nullptr || !same_scorer(*test)) return nullptr;
    remember_drawn(*test, "test images");
    return test;
  }
  // The comparable sets of a row in a section, by seed. Adds the others to left_out().
  std::map<int64_t, const ScoredSet*> of(size_t row, size_t section) {
    std::map<int64_t, const ScoredSet*> found;
    for (int64_t seed = 1; seed <= results_.seeds() && real_ != nullptr; ++seed) {
      const RunRecord* record = results_.find(row, section, seed);
      const ScoredSet* set = record == nullptr ? nullptr : find_set(sets_, record->name);
      if (set == nullptr || set->key != record->key) continue;
      const bool same = same_scorer(*set) && set->scores.value("images", 0) == real_->scores.value("images", 0) &&
                        set->scores.value("splits", 0) == real_->scores.value("splits", 0);
      if (same) {
        found[seed] = set;
        remember_drawn(*set, "generated");
      } else {
        left_out_.insert(set->name);
      }
    }
    return found;
  }
  const std::set<std::string>& left_out() const { return left_out_; }
  // Sample sizes of precision and recall, sorted: "10000 generated against 10000 real images".
  const std::set<std::string>& drawn() const { return drawn_; }

 private:
  bool same_scorer(const ScoredSet& set) const {
    return set.scorer_digest == real_->scorer_digest && set.precision == real_->precision;
  }

  void remember_drawn(const ScoredSet& set, std::string_view what) {
    const Json* const counts = set.scores.find("precision_recall_images");
    if (counts == nullptr) return;
    drawn_.insert(
        fmt::format("{} {} against {} real images", counts->at(0).get<int64_t>(), what, counts->at(1).get<int64_t>()));
  }

  const PlanResults& results_;
  const std::vector<ScoredSet>& sets_;
  const ScoredSet* real_;
  std::set<std::string> left_out_, drawn_;
};

std::vector<const ScoredSet*> values_of(const std::map<int64_t, const ScoredSet*>& sets) {
  std::vector<const ScoredSet*> list;
  list.reserve(sets.size());
  for (const auto& [seed, set] : sets) list.push_back(set);
  return list;
}

std::map<int64_t, double> inception_scores(const std::map<int64_t, const ScoredSet*>& sets) {
  std::map<int64_t, double> scores;
  for (const auto& [seed, set] : sets) scores[seed] = set->scores.at("inception_score").get<double>();
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
    const std::vector<double> from_reference = differences(inception_scores(of_row), inception_scores(of_reference));
    cells.push_back(difference_cell(is_reference ? std::vector<double>() : from_reference, 3));
  }
  cells.insert(cells.end(), effort.begin(), effort.end());
  return cells;
}

std::vector<TableCell> real_row(const PlanResults& results, const char* name, const ScoredSet& set) {
  std::vector<TableCell> cells = {text_cell(name), {"–", {}}};
  const std::vector<TableCell> scores = score_cells({&set}), effort = effort_cells({});
  cells.insert(cells.end(), scores.begin(), scores.end());
  if (!results.plan().reference.empty()) cells.push_back(difference_cell({}, 3));
  cells.insert(cells.end(), effort.begin(), effort.end());
  return cells;
}

std::vector<TableColumn> columns_of(const std::string& reference) {
  std::vector<TableColumn> columns = {{"images from", {"name"}},
                                      {"published (other scorer, not comparable)", {"published", "published_sd"}}};
  const std::vector<TableColumn> scores = score_columns(), effort = effort_columns();
  columns.insert(columns.end(), scores.begin(), scores.end());
  if (!reference.empty()) {
    columns.push_back({fmt::format("Inception Score difference from {}: mean [95 % t interval] (pairs)", reference),
                       {"difference", "difference_low", "difference_high", "pairs"}});
  }
  columns.insert(columns.end(), effort.begin(), effort.end());
  return columns;
}

std::vector<std::string> notes_of(const PlanResults& results, const ComparableSets& sets) {
  std::vector<std::string> notes = results.notes();
  if (const ScoredSet* real = sets.real()) {
    notes.push_back(fmt::format("Scorer: {}, {}, SHA-256 {}.", real->scores.value("scorer", ""), real->precision,
                                real->scorer_digest));
    notes.push_back(
        fmt::format("Ceiling exp(H(y)) of the training labels: {:.4f}; a perfect scorer gives real images this score.",
                    real->scores.value("ceiling", 0.0)));
    notes.emplace_back(
        "Distances are measured in the scorer's features, to all training images. Class KL is the divergence (nats) of "
        "the predicted class frequencies from those of the training images.");
    if (!sets.drawn().empty()) {
      notes.push_back(
          fmt::format("Precision and recall use k = 3 and random samples: {}. They and the distances depend on the "
                      "number of images.",
                      fmt::join(sets.drawn(), "; ")));
    }
  }
  if (!sets.left_out().empty()) {
    notes.push_back(fmt::format("Left out because of another scorer, precision or number of images or splits: {}.",
                                fmt::join(sets.left_out(), ", ")));
  }
  return notes;
}

}  // namespace

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

bool is_scored_whole(const PlanResults& results, const std::vector<ScoredSet>& scored, int64_t images) {
  ComparableSets sets(results, scored);
  if (sets.real() == nullptr || sets.real()->scores.value("images", int64_t{0}) != images) return false;
  return std::all_of(results.runs().begin(), results.runs().end(), [&](const PlannedRun& run) {
    return results.record_of(run) == nullptr || sets.of(run.row, run.section).contains(run.seed);
  });
}

}  // namespace frgan
