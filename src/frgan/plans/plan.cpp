#include "frgan/plans/plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/options.h"
#include "frgan/plans/paper_plans.h"
#include "frgan/settings/presets.h"

namespace frgan {
namespace {

// Options that a plan determines for each run by other means, so that plans cannot set them.
constexpr std::array<std::string_view, 10> kNotAllowed = {
    "method", "steps", "epochs", "time-budget", "plan", "seed", "split-seed", "label-noise-seed", "threads", "device"};

constexpr size_t kShown = 100;                   // characters of a value in a message
constexpr int64_t kMostSeeds = 1000;             // the limit of --seeds
constexpr int64_t kMostSteps = 1'000'000'000;    // the limit of --steps
constexpr int64_t kMostScoreImages = 1'000'000;  // memory is proportional to this number
constexpr size_t kMostVaried = 8;                // options
constexpr size_t kMostSections = 1000;
constexpr size_t kMostCells = 10'000;    // rows times sections
constexpr size_t kLongestVaried = 1000;  // characters of a value, which is part of the titles of sections

void check_allowed(const std::string& option, const std::string& where) {
  if (std::find(kNotAllowed.begin(), kNotAllowed.end(), option) == kNotAllowed.end()) return;
  throw usage_error(fmt::format(
      "{}: option '{}' is not allowed in a plan; presets set the method, budgets the length, `seeds` the seeds, --jobs "
      "the threads, --device the device",
      where, option));
}

// Reads a TOML table key by key. `finish` throws if the table has keys that were never asked for.
class Reader {
 public:
  Reader(const Json& table, std::string where) : table_(table), where_(std::move(where)) {
    if (!table.is_object())
      throw usage_error(fmt::format("{}: is {}; expected a [table]", where_, table.dump().substr(0, kShown)));
  }

  const Json* find(const std::string& key) {
    known_.push_back(key);
    return table_.find(key);
  }
  std::string text(const std::string& key, std::string fallback = "") {
    const Json* value = find(key);
    if (value == nullptr) return fallback;
    if (!value->is_string()) throw wrong(key, *value, "a string in quotes");
    // Messages contain names; only a note may have several lines.
    if (key != "note" && has_control_characters(value->text())) throw wrong(key, *value, "text on one line");
    return value->get<std::string>();
  }
  double positive(const std::string& key, double fallback) {
    const Json* value = find(key);
    if (value == nullptr) return fallback;
    const double number = value->is_number() ? value->get<double>() : 0;
    if (!(number > 0) || !std::isfinite(number)) throw wrong(key, *value, "a number above 0");
    return number;
  }
  int64_t count(const std::string& key, int64_t fallback, int64_t most) {
    const Json* value = find(key);
    if (value == nullptr) return fallback;
    const int64_t number = value->is_count() ? value->get<int64_t>() : 0;
    if (number < 1 || number > most) throw wrong(key, *value, fmt::format("an integer from 1 to {}", most));
    return number;
  }
  std::vector<Setting> settings(const std::string& key) {
    const Json* value = find(key);
    std::vector<Setting> settings;
    if (value == nullptr) return settings;
    if (!value->is_object()) throw wrong(key, *value, "a table of options");
    for (const auto& [name, setting] : value->items()) {
      check_allowed(name, fmt::format("{}, {}", where_, key));
      settings.push_back({name, setting, fmt::format("{}, {}", where_, key)});
    }
    return settings;
  }
  Error wrong(const std::string& key, const Json& value, std::string_view expected) const {
    return usage_error(fmt::format("{}: {} is {}; expected {}", where_, key, value.dump().substr(0, kShown), expected));
  }
  void finish() const {
    for (const auto& [key, value] : table_.items()) {
      if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
      throw usage_error(fmt::format("{}: unknown key '{}'; allowed here: {}{}", where_, key, fmt::join(known_, ", "),
                                    nearest_hint(key, known_)));
    }
  }
  const std::string& where() const { return where_; }

 private:
  const Json& table_;
  std::string where_;
  std::vector<std::string> known_;
};

// One section per combination of the varied values. Options are in alphabetical order; the first varies slowest.
std::vector<PlanSection> read_sections(Reader& plan) {
  std::vector<PlanSection> sections(1);
  const Json* vary = plan.find("vary");
  if (vary == nullptr) return sections;
  if (!vary->is_object()) throw plan.wrong("vary", *vary, "a table of lists");
  if (vary->size() > kMostVaried) {
    throw usage_error(
        fmt::format("{}: vary has {} options; at most {} are allowed", plan.where(), vary->size(), kMostVaried));
  }
  for (const auto& [name, values] : vary->items()) {
    if (!values.is_array() || values.empty()) throw plan.wrong("vary." + name, values, "a list of values");
    check_allowed(name, fmt::format("{}, vary", plan.where()));
    if (values.size() > kMostSections / sections.size()) {
      throw usage_error(
          fmt::format("{}: vary has more than {} combinations of values; split the plan", plan.where(), kMostSections));
    }
    for (const Json& value : values) {
      const std::string text = setting_text(value);
      if (text.size() <= kLongestVaried && !has_control_characters(text)) continue;
      throw plan.wrong("vary." + name, text.substr(0, kShown),
                       fmt::format("values of at most {} characters on one line", kLongestVaried));
    }
    std::vector<PlanSection> more;
    for (const PlanSection& section : sections) {
      for (const Json& value : values) {
        PlanSection next = section;
        next.title += fmt::format("{}{} {}", next.title.empty() ? "" : ", ", name, setting_text(value));
        next.value += (next.value.empty() ? "" : ",") + setting_text(value);
        next.settings.push_back({name, value, fmt::format("{}, vary", plan.where())});
        more.push_back(std::move(next));
      }
    }
    sections = std::move(more);
  }
  return sections;
}

Budget read_budget(const Json& table, const std::string& name, const std::string& where) {
  Reader reader(table, where);
  Budget budget;
  budget.name = name;
  budget.steps = reader.count("steps", 0, kMostSteps);
  budget.epochs = reader.positive("epochs", 0);
  budget.tflop = reader.positive("tflop", 0);
  budget.seeds = reader.count("seeds", 0, kMostSeeds);
  budget.score_images = reader.count("score-images", budget.score_images, kMostScoreImages);
  budget.settings = reader.settings("settings");
  budget.note = reader.text("note");
  reader.finish();
  if ((budget.steps > 0) + (budget.epochs > 0) + (budget.tflop > 0) != 1) {
    throw usage_error(fmt::format("{}: expected exactly one of steps, epochs and tflop", where));
  }
  return budget;
}

std::vector<Budget> read_budgets(Reader& plan) {
  std::vector<Budget> budgets;
  const Json* table = plan.find("budget");
  if (table == nullptr || !table->is_object() || table->empty()) {
    throw usage_error(fmt::format("{}: missing [budget.NAME]; add one with steps, epochs or tflop", plan.where()));
  }
  for (const auto& [name, budget] : table->items()) {
    budgets.push_back(read_budget(budget, name, fmt::format("{}, budget.{}", plan.where(), name)));
  }
  return budgets;
}

std::map<std::string, Published> read_published(Reader& row) {
  std::map<std::string, Published> published;
  const Json* table = row.find("published");
  if (table == nullptr) return published;
  if (!table->is_object()) throw row.wrong("published", *table, "a table of values");
  for (const auto& [value, numbers] : table->items()) {
    const bool pair =
        numbers.is_array() && numbers.size() == 2 && numbers.at(0).is_number() && numbers.at(1).is_number();
    const bool single = numbers.is_array() && numbers.size() == 1 && numbers.at(0).is_number();
    if (!pair && !single) throw row.wrong("published." + value, numbers, "[value, deviation] or [value]");
    published[value] = {numbers.at(0).get<double>(), pair ? std::optional(numbers.at(1).get<double>()) : std::nullopt};
  }
  return published;
}

PlanRow read_row(const Json& table, size_t number, const std::string& where) {
  Reader reader(table, fmt::format("{}, row {}", where, number));
  PlanRow row;
  row.preset = reader.text("preset");
  row.name = reader.text("name", row.preset);
  if (row.name.empty()) throw usage_error(fmt::format("{}: missing name or preset", reader.where()));
  if (!row.preset.empty()) {
    try {
      find_preset(row.preset);
    } catch (const Error& error) {
      throw usage_error(fmt::format("{} ({}): {}", reader.where(), row.name, error.what()));
    }
  }
  row.settings = reader.settings("settings");
  row.augmentation = reader.text("augmentation");
  row.source = reader.text("source");
  row.note = reader.text("note");
  row.published = read_published(reader);
  reader.finish();
  return row;
}

std::vector<PlanRow> read_rows(Reader& plan) {
  const Json* list = plan.find("row");
  if (list == nullptr || !list->is_array() || list->empty()) {
    throw usage_error(fmt::format("{}: missing [[row]]; add at least one", plan.where()));
  }
  std::vector<PlanRow> rows;
  std::set<std::string> names;
  for (const Json& table : *list) {
    rows.push_back(read_row(table, rows.size() + 1, plan.where()));
    if (!names.insert(rows.back().name).second) {
      throw usage_error(fmt::format("{}: duplicate row name '{}'", plan.where(), rows.back().name));
    }
  }
  return rows;
}

Show read_show(Reader& plan) {
  const std::string text = plan.text("show", std::string(kind_of(Show::kErrors).name));
  std::vector<std::string> names;
  for (const ShowKind& kind : kShowKinds) {
    if (kind.name == text) return kind.show;
    names.emplace_back(kind.name);
  }
  throw usage_error(fmt::format("{}: invalid show '{}'; allowed: {}{}", plan.where(), text, fmt::join(names, ", "),
                                nearest_hint(text, names)));
}

// Throws unless the plan varies what its kind of results requires.
void check_varied(const Plan& plan) {
  const ShowKind& kind = kind_of(plan.show);
  const std::vector<Setting>& varied = plan.sections.front().settings;
  if (kind.varied.empty() || (varied.size() == 1 && varied.front().name == kind.varied)) return;
  throw usage_error(fmt::format("{}: show = \"{}\" requires a [vary] with {} only", plan.name, kind.name, kind.varied));
}

// Throws if a published value matches no section: no table would show it.
void check_published(const Plan& plan) {
  std::vector<std::string> known;
  for (const PlanSection& section : plan.sections) known.push_back(plan.published_key(section));
  for (const PlanRow& row : plan.rows) {
    for (const auto& [key, value] : row.published) {
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      throw usage_error(fmt::format("{}, row '{}': published.{} matches no section; allowed: {}", plan.name, row.name,
                                    key, fmt::join(known, ", ")));
    }
  }
}

}  // namespace

std::string Plan::published_key(const PlanSection& section) const {
  return kind_of(show).one_published || section.value.empty() ? "all" : section.value;
}

size_t Plan::reference_row() const {
  size_t row = 0;
  while (row < rows.size() && rows[row].name != reference) ++row;
  return row;
}

const Budget& Plan::budget(const std::string& wanted) const {
  std::vector<std::string> names;
  for (const Budget& budget : budgets) {
    if (budget.name == wanted) return budget;
    names.push_back(budget.name);
  }
  throw usage_error(fmt::format("unknown --budget '{}': {} has {}{}", wanted, name, fmt::join(names, ", "),
                                nearest_hint(wanted, names)));
}

Plan read_plan(std::string_view text, const std::string& name) {
  const Json table = read_toml(text, name);
  Reader reader(table, name);
  Plan plan;
  plan.name = name;
  plan.title = reader.text("title", name);
  plan.show = read_show(reader);
  plan.reference = reader.text("reference");
  plan.scorer = reader.text("scorer");
  plan.seeds = reader.count("seeds", plan.seeds, kMostSeeds);
  plan.settings = reader.settings("settings");
  plan.sections = read_sections(reader);
  plan.budgets = read_budgets(reader);
  plan.rows = read_rows(reader);
  reader.finish();
  if (plan.rows.size() > kMostCells / plan.sections.size()) {
    throw usage_error(fmt::format("{}: {} rows with {} combinations of varied values; at most {} in total are allowed",
                                  name, plan.rows.size(), plan.sections.size(), kMostCells));
  }
  check_varied(plan);
  const auto is_reference = [&](const PlanRow& row) { return row.name == plan.reference; };
  if (!plan.reference.empty() && std::none_of(plan.rows.begin(), plan.rows.end(), is_reference)) {
    throw usage_error(fmt::format("{}: reference '{}' is not the name of a row", name, plan.reference));
  }
  check_published(plan);
  return plan;
}

Plan read_paper_plan(const std::string& name) {
  std::vector<std::string> names;
  for (const PaperPlan& plan : all_paper_plans()) {
    if (plan.name == name) return read_plan(plan.text, name);
    names.emplace_back(plan.name);
  }
  throw usage_error(fmt::format("unknown plan '{}'; plans of the paper: {}{}", name, fmt::join(names, ", "),
                                nearest_hint(name, names)));
}

}  // namespace frgan
