#include "frgan/tables/errors_table.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "frgan/metrics/statistics.h"
#include "frgan/tables/result_cells.h"

namespace frgan {
namespace {

constexpr double kPercent = 100;

using Records = std::vector<const RunRecord*>;

// "7.62 ± 0.15 (3)": mean and standard deviation in percent, and the number of seeds.
TableCell mean_cell(const std::vector<double>& percents) {
  if (percents.empty()) return {"–", {"", "", "0"}};
  return {fmt::format("{} ({})", mean_text(percents, 2), percents.size()),
          {csv_number(mean(percents)), csv_number(standard_deviation(percents)), fmt::format("{}", percents.size())}};
}

// The finite values of `value` (0 to 1) over the records, in percent.
template <class Value>
std::vector<double> percents_of(const Records& records, Value value) {
  std::vector<double> percents;
  for (const RunRecord* record : records) {
    if (const double share = value(*record); std::isfinite(share)) percents.push_back(kPercent * share);
  }
  return percents;
}

// "translate:2", or with strong views "translate:4; strong: translate:4, cutout:0.5".
std::string augmentation_of(const RunRecord& record) {
  const auto words_of = [&](const std::string& option) {
    const auto words = record.options.value(option, std::vector<std::string>{});
    return words.empty() || words.front() == "none" ? "no" : fmt::format("{}", fmt::join(words, ", "));
  };
  const auto policies = record.summary.value("policies", std::vector<std::string>{});
  const bool has_strong = std::ranges::find(policies, "strong") != policies.end();
  return words_of("augmentation") + (has_strong ? "; strong: " + words_of("strong-augmentation") : "");
}

// A table row in one section: the runs of all its seeds.
struct Place {
  size_t row, section;
};

// Error differences between two places, paired by seed. Pairs with different test images are skipped.
struct Differences {
  std::vector<double> percents;
  std::vector<std::string> p_values;  // "1: 0.37": seed and p of McNemar's test
};

Differences differences(const PlanResults& results, Place place, Place reference) {
  Differences found;
  for (int64_t seed = 1; seed <= results.seeds(); ++seed) {
    const RunRecord* ours = results.find(place.row, place.section, seed);
    const RunRecord* other = results.find(reference.row, reference.section, seed);
    if (ours == nullptr || other == nullptr || ours == other || ours->data_digest != other->data_digest) continue;
    found.percents.push_back(kPercent * (ours->error() - other->error()));
    const double p = mcnemar_test(*ours, *other).p_value;
    found.p_values.push_back(fmt::format("{}: {}", seed, p > 0 ? fmt::format("{:.2g}", p) : "<1e-300"));
  }
  return found;
}

std::vector<TableCell> difference_cells(const Differences& found) {
  if (found.percents.empty()) return {difference_cell({}, 2), {"–", {""}}};
  return {difference_cell(found.percents, 2),
          {fmt::format("{}", fmt::join(found.p_values, ", ")), {fmt::format("{}", fmt::join(found.p_values, ";"))}}};
}

std::vector<TableCell> row_of(const PlanResults& results, size_t row, size_t section, size_t reference) {
  const PlanRow& planned = results.plan().rows[row];
  const Records records = results.of(row, section);
  std::vector<TableCell> cells = {
      text_cell(planned.name),
      published_cell(planned, results.plan().published_key(results.plan().sections[section])),
      text_cell(planned.augmentation),
      mean_cell(percents_of(records, [](const RunRecord& r) { return r.error(); })),
      mean_cell(percents_of(records, [](const RunRecord& r) { return r.median_error(); })),
      text_cell(distinct_texts(records, augmentation_of))};
  const auto append = [&](const std::vector<TableCell>& more) { cells.insert(cells.end(), more.begin(), more.end()); };
  if (reference < results.plan().rows.size()) {
    append(difference_cells(differences(results, {row, section}, {reference, section})));
  }
  if (kind_of(results.plan().show).against_first)
    append(difference_cells(differences(results, {row, section}, {row, 0})));
  append(effort_cells(records));
  return cells;
}

std::vector<TableColumn> columns_of(const Plan& plan) {
  std::vector<TableColumn> columns = {
      {"method", {"method"}},
      {"published error (%)", {"published_error", "published_sd"}},
      {"published augmentation", {"published_augmentation"}},
      {"our error (%): mean ± sd (seeds)", {"error_mean", "error_sd", "seeds"}},
      {"our median of the last 20 evaluations", {"median_mean", "median_sd", "median_seeds"}},
      {"our augmentation", {"augmentation"}}};
  if (!plan.reference.empty()) {
    columns.push_back({fmt::format("difference from {}: mean [95 % t interval] (pairs)", plan.reference),
                       {"difference", "difference_low", "difference_high", "pairs"}});
    columns.push_back({"McNemar's p, by seed", {"mcnemar_p"}});
  }
  if (kind_of(plan.show).against_first) {
    columns.push_back(
        {fmt::format("difference from the same row at {}: mean [95 % t interval] (pairs)", plan.sections[0].title),
         {"from_first", "from_first_low", "from_first_high", "from_first_pairs"}});
    columns.push_back(
        {fmt::format("McNemar's p against {}, by seed", plan.sections[0].title), {"from_first_mcnemar_p"}});
  }
  const std::vector<TableColumn> effort = effort_columns();
  columns.insert(columns.end(), effort.begin(), effort.end());
  return columns;
}

// The number of test images: "5000", or "5000 or 10000" if the plan varies the dataset. Empty if no run is finished.
std::string test_images(const PlanResults& results) {
  std::set<int64_t> counts;
  for (const PlannedRun& run : results.runs()) {
    if (const RunRecord* record = results.record_of(run)) counts.insert(record->test_images());
  }
  return fmt::format("{}", fmt::join(counts, " or "));
}

}  // namespace

Table errors_table(const PlanResults& results) {
  const Plan& plan = results.plan();
  Table table{plan.title, columns_of(plan), {}, {}};
  if (kind_of(plan.show).against_first)
    table.title += " (as test errors, %)";  // the figure with this title shows accuracies
  for (size_t section = 0; section < plan.sections.size(); ++section) {
    TableSection rows{plan.sections[section].title, {}};
    bool any = false;
    for (size_t row = 0; row < plan.rows.size(); ++row) {
      rows.rows.push_back(row_of(results, row, section, plan.reference_row()));
      any = any || !results.of(row, section).empty() ||
            plan.rows[row].published.contains(plan.published_key(plan.sections[section]));
    }
    if (any) table.sections.push_back(std::move(rows));
  }
  table.notes = results.notes();
  const std::string images = test_images(results);
  if (images.empty()) {
    table.notes.insert(table.notes.begin(), "No run of this plan is finished.");
    return table;
  }
  table.notes.insert(
      table.notes.begin(),
      fmt::format("Ours: test error of the last weights (averaged) on all {} test images of the dataset; "
                  "nothing is selected on them. Seed counts are in parentheses; {}.",
                  images,
                  results.same_splits() ? "each seed has its own label split, the same for all rows"
                                        : "for the same seed, the label splits of the rows differ"));
  return table;
}

}  // namespace frgan
