#include "frgan/plans/planned_runs.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/io/digests.h"
#include "frgan/methods/methods.h"
#include "frgan/plans/run_record.h"
#include "frgan/settings/presets.h"
#include "frgan/settings/run_settings.h"
#include "frgan/train/run_command.h"

namespace frgan {
namespace {

// The plan-wide settings that apply to this row: drops options that its method does not have.
std::vector<Setting> applicable(const std::vector<Setting>& settings, const OptionSet& options) {
  std::vector<Setting> kept;
  std::copy_if(settings.begin(), settings.end(), std::back_inserter(kept),
               [&](const Setting& setting) { return options.contains(setting.name); });
  return kept;
}

std::unique_ptr<RunRequest> preset_request(const PlanRow& row) {
  const std::vector<Setting> preset = read_config(find_preset(row.preset).text, fmt::format("preset {}", row.preset));
  auto request = std::make_unique<RunRequest>();
  declare_run(*request, named_method({preset}, request->run.method));
  apply_settings(*request, preset);
  return request;
}

// Resets plan-wide settings that have no effect on this row, such as --momentum for a row with Adam.
void drop_without_effect(RunRequest& request, const Plan& plan, const Budget& budget) {
  for (const WithoutEffect& found : method_options_without_effect(request.options, request.method.get())) {
    Option& option = request.options.find(found.option, "plan");
    for (const std::vector<Setting>& of_plan : {plan.settings, budget.settings}) {
      const bool is_plan_wide =
          std::ranges::any_of(of_plan, [&](const Setting& setting) { return setting.source == option.set_by; });
      if (is_plan_wide) option.set(option.initial, option.set_by);
    }
  }
}

// The options of a row in a section, before seed and steps are set.
std::unique_ptr<RunRequest> row_request(const Plan& plan, const Budget& budget, const PlanRow& row,
                                        const PlanSection& section, const PlanChoice& choice) {
  auto request = preset_request(row);
  for (const std::vector<Setting>& of_plan : {plan.settings, budget.settings}) {
    apply_settings(*request, applicable(of_plan, request->options));
  }
  apply_settings(*request, row.settings);
  apply_settings(*request, section.settings);
  drop_without_effect(*request, plan, budget);
  if (request->run.data.data_dir.empty()) request->run.data.data_dir = choice.data_dir;
  request->run.data = with_absolute_paths(request->run.data);
  validate(*request);
  return request;
}

// Throws a usage error if no row has an option that the plan or the budget sets.
void check_plan_settings(const Plan& plan, const Budget& budget) {
  std::vector<std::unique_ptr<RunRequest>> requests;
  for (const PlanRow& row : plan.rows) {
    if (!row.preset.empty()) requests.push_back(preset_request(row));
  }
  if (requests.empty()) throw usage_error(fmt::format("{}: nothing to run: no row has a preset", plan.name));
  for (const std::vector<Setting>& settings : {plan.settings, budget.settings}) {
    for (const Setting& setting : settings) {
      const auto has = [&](const auto& request) { return request->options.contains(setting.name); };
      if (std::any_of(requests.begin(), requests.end(), has)) continue;
      requests.front()->options.find(setting.name, setting.source);  // throws, with the nearest option
    }
  }
}

// Arguments of frgan train for this run: the preset and every option that differs from it.
std::vector<std::string> arguments_of(const PlanRow& row, const Json& options) {
  std::vector<std::string> words = {"--preset=" + row.preset};
  const Json preset = preset_request(row)->options.values();
  const auto labels_file = options.at("labels-file").get<std::string>();
  const bool split_in_file = !labels_file.empty() && !is_labels_table(labels_file);
  for (const auto& [name, value] : options.items()) {
    if (preset.at(name) == value || name == "epochs" || (split_in_file && is_in_labels_file(name))) continue;
    words.push_back(argument_of(name, value));
  }
  return words;
}

// The usage error for an unknown value of an option, with the nearest of the plan's `known` values.
Error not_in_plan(const std::string& option, const std::string& typed, const Plan& plan,
                  const std::vector<std::string>& known) {
  return usage_error(fmt::format("unknown {} '{}': {} has {}{}", option, typed, plan.name, fmt::join(known, ", "),
                                 nearest_hint(typed, known)));
}

bool chosen(const PlanChoice& choice, const PlanRow& row) {
  return choice.rows.empty() || std::any_of(choice.rows.begin(), choice.rows.end(), [&](const std::string& name) {
           return name == row.name || name == row.preset;
         });
}

// Whether, for each option named by --where, the section has one of the requested values.
bool chosen(const PlanChoice& choice, const PlanSection& section) {
  std::map<std::string, bool> met;
  for (const std::string& pair : choice.where) {
    const std::string name = pair.substr(0, pair.find('='));
    bool& hit = met.try_emplace(name, false).first->second;
    for (const Setting& setting : section.settings) {
      hit = hit || fmt::format("{}={}", setting.name, setting_text(setting.value)) == pair;
    }
  }
  return std::all_of(met.begin(), met.end(), [](const auto& item) { return item.second; });
}

void check_choice(const Plan& plan, const PlanChoice& choice) {
  std::vector<std::string> rows, values;
  for (const PlanRow& row : plan.rows) {
    if (row.preset.empty()) continue;
    for (const std::string& name : {row.name, row.preset}) {
      if (std::find(rows.begin(), rows.end(), name) == rows.end()) rows.push_back(name);
    }
  }
  for (const PlanSection& section : plan.sections) {
    for (const Setting& setting : section.settings) {
      values.push_back(fmt::format("{}={}", setting.name, setting_text(setting.value)));
    }
  }
  for (const std::string& row : choice.rows) {
    if (std::find(rows.begin(), rows.end(), row) == rows.end()) throw not_in_plan("--rows", row, plan, rows);
  }
  for (const std::string& pair : choice.where) {
    if (std::find(values.begin(), values.end(), pair) == values.end()) {
      throw not_in_plan("--where", pair, plan, values);
    }
  }
}

// A row in a section. Its runs differ in the seed only.
struct Cell {
  size_t row, section;
  std::unique_ptr<RunRequest> request;
  RunFacts facts{};
};

int64_t seeds_of(const Plan& plan, const Budget& budget, const PlanChoice& choice) {
  return choice.seeds > 0 ? choice.seeds : budget.seeds > 0 ? budget.seeds : plan.seeds;
}

// Throws a usage error for more runs than could be listed. A record may have any seed.
void check_number_of_runs(const Plan& plan, int64_t seeds) {
  constexpr int64_t kMostRuns = 100'000;
  const auto cells = static_cast<int64_t>(plan.rows.size() * plan.sections.size());  // read_plan limits both
  if (seeds <= kMostRuns / cells) return;
  throw usage_error(
      fmt::format("{}: {} rows, {} combinations of varied values and {} seeds; at most {} runs are allowed", plan.name,
                  plan.rows.size(), plan.sections.size(), seeds, kMostRuns));
}

// Cells without facts. Throws a usage error for options that are unknown or out of range.
std::vector<Cell> cells_of(const Plan& plan, const Budget& budget, const PlanChoice& choice) {
  check_number_of_runs(plan, seeds_of(plan, budget, choice));
  check_choice(plan, choice);
  check_plan_settings(plan, budget);
  std::vector<Cell> cells;
  for (size_t section = 0; section < plan.sections.size(); ++section) {
    for (size_t row = 0; row < plan.rows.size(); ++row) {
      if (plan.rows[row].preset.empty()) continue;
      cells.push_back({row, section, row_request(plan, budget, plan.rows[row], plan.sections[section], choice)});
    }
  }
  return cells;
}

int64_t checked_steps(const Plan& plan, const Budget& budget, double steps) {
  constexpr double kMaxSteps = 1e9;  // the limit of --steps
  if (steps <= kMaxSteps) return std::max<int64_t>(1, std::llround(steps));
  throw usage_error(fmt::format("{}, budget.{}: too long: {:.3g} steps; the maximum is {:.0g}", plan.name, budget.name,
                                steps, kMaxSteps));
}

// The length of every run.
int64_t steps_of(const Plan& plan, const Budget& budget, const PlanChoice& choice, const std::vector<Cell>& cells) {
  if (choice.steps > 0) return choice.steps;
  if (budget.steps > 0) return budget.steps;
  if (budget.epochs > 0) {
    const int64_t epoch = cells.front().facts.steps_per_epoch;
    for (const Cell& cell : cells) {
      if (cell.facts.steps_per_epoch == epoch) continue;
      throw usage_error(
          fmt::format("{}, budget.{}: an epoch has {} steps in row '{}' but {} in row '{}', and all runs of a plan "
                      "have the same number of steps; give steps or tflop instead of epochs",
                      plan.name, budget.name, epoch, plan.rows[cells.front().row].name, cell.facts.steps_per_epoch,
                      plan.rows[cell.row].name));
    }
    return checked_steps(plan, budget, budget.epochs * static_cast<double>(epoch));
  }
  double most = 0;
  for (const Cell& cell : cells) most = std::max(most, cell.facts.step_flop);
  return checked_steps(plan, budget, budget.tflop * 1e12 / most);
}

// Throws, before anything runs, if the results cannot be shown as the plan's `show` says.
void check_shown(const Plan& plan, const std::vector<Cell>& cells) {
  const ShowKind& kind = kind_of(plan.show);
  for (const Cell& cell : cells) {
    if (kind.needs_generators && !has_generator(*cell.request->method)) {
      throw usage_error(
          fmt::format("{}, row '{}': show = \"{}\" needs generated images, but its method has no generator", plan.name,
                      plan.rows[cell.row].name, kind.name));
    }
    if (kind.needs_one_dataset && cell.facts.data_digest != cells.front().facts.data_digest) {
      throw usage_error(
          fmt::format("{}: show = \"{}\" requires one dataset, but the plan has several", plan.name, kind.name));
    }
  }
}

// Digests of the files that options name. Run keys depend on file content, not on file names.
std::string digest_of_files(const RunOptions& run) {
  const SplitOptions& split = run.split;
  constexpr std::string_view kMatrix = "matrix:";
  std::string digests;
  if (!split.labels_file.empty()) digests += "\n" + file_digest(split.labels_file);
  if (split.noise.kind.starts_with(kMatrix)) {
    digests += "\n" + file_digest(split.noise.kind.substr(kMatrix.size()));
  }
  if (!run.encoder.file.empty()) digests += "\n" + file_digest(run.encoder.file);
  return digests;
}

// Sets length and seed. Returns the key of this run.
std::string set_run(RunRequest& request, const std::string& data_digest, int64_t steps, int64_t seed) {
  request.run.steps = steps;
  request.run.time_budget.clear();
  request.run.seed = request.run.split.noise.seed = seed;
  if (!request.run.split.is_written()) request.run.split.split_seed = seed;
  return run_key(request.options, data_digest + digest_of_files(request.run), recipe_of(request.run.method));
}

PlannedRun planned_run(const Plan& plan, const Cell& cell, int64_t steps, int64_t seed) {
  const PlanRow& row = plan.rows[cell.row];
  PlannedRun run;
  run.row = cell.row;
  run.section = cell.section;
  run.seed = seed;
  run.key = set_run(*cell.request, cell.facts.data_digest, steps, seed);
  run.options = cell.request->options.values();
  run.data_digest = cell.facts.data_digest;
  run.arguments = arguments_of(row, run.options);
  constexpr size_t kShort = 8;
  const int64_t labels = cell.request->run.split.labels;
  run.name = fmt::format("{}_labels-{}_seed-{}_{}", row.preset, labels == 0 ? "all" : fmt::format("{}", labels), seed,
                         run.key.substr(0, kShort));
  run.steps = steps;
  run.train_images = cell.facts.train_images;
  run.steps_per_epoch = cell.facts.steps_per_epoch;
  run.tflop = cell.facts.step_flop * static_cast<double>(steps) * 1e-12;
  run.images_per_step = cell.facts.images_per_step;
  run.parameters = cell.facts.parameters;
  return run;
}

// The chosen runs of cells with facts.
std::vector<PlannedRun> runs_of(const Plan& plan, const Budget& budget, const PlanChoice& choice,
                                const std::vector<Cell>& cells) {
  check_shown(plan, cells);
  const int64_t steps = steps_of(plan, budget, choice, cells);
  std::vector<PlannedRun> runs;
  for (int64_t seed = 1; seed <= seeds_of(plan, budget, choice); ++seed) {
    for (const Cell& cell : cells) {
      if (!chosen(choice, plan.rows[cell.row]) || !chosen(choice, plan.sections[cell.section])) continue;
      runs.push_back(planned_run(plan, cell, steps, seed));
    }
  }
  return runs;
}

// Whether this is the record of a run of the cell, whatever its length.
bool is_of(const RunRecord& record, const Cell& cell) {
  const int64_t steps = record.options.value("steps", int64_t{0}), seed = record.options.value("seed", int64_t{0});
  const std::string& method = cell.request->run.method;
  return steps > 0 && record.options.value("method", method) == method &&
         set_run(*cell.request, record.data_digest, steps, seed) == record.key;
}

RunFacts recorded_facts(const RunRecord& record) {
  const auto steps = record.options.at("steps").get<int64_t>();
  return {.data_digest = record.data_digest,
          .steps_per_epoch = record.steps_per_epoch,
          .images_per_step = record.images_seen / steps,
          .step_flop = record.tflop * 1e12 / static_cast<double>(steps),
          .parameters = record.parameters};
}

}  // namespace

std::string tflop_number(double tflop) {
  constexpr double kNoDecimals = 100;  // from this value on
  return tflop < kNoDecimals ? fmt::format("{:.3g}", tflop) : fmt::format("{:.0f}", tflop);
}

std::string tflop_text(double tflop) {
  return tflop_number(tflop) + " TFLOP";
}

std::vector<PlannedRun> planned_runs(const Plan& plan, const PlanChoice& choice, RunMeasurer& measurer) {
  const Budget& budget = plan.budget(choice.budget);
  std::vector<Cell> cells = cells_of(plan, budget, choice);
  for (Cell& cell : cells) cell.facts = measurer.measure(cell.request->run, *cell.request->method);
  return runs_of(plan, budget, choice, cells);
}

std::optional<std::vector<PlannedRun>> planned_runs(const Plan& plan, const PlanChoice& choice,
                                                    const std::vector<RunRecord>& records) {
  const Budget& budget = plan.budget(choice.budget);
  const bool steps_given = choice.steps > 0 || budget.steps > 0;
  std::vector<Cell> cells = cells_of(plan, budget, choice);
  std::map<std::string, std::set<std::string>> digests;  // by dataset_id
  for (Cell& cell : cells) {
    for (const RunRecord& record : records) {
      if (!is_of(record, cell)) continue;
      cell.facts = recorded_facts(record);
      digests[dataset_id(cell.request->run)].insert(record.data_digest);
    }
    if (cell.facts.data_digest.empty() && !steps_given) return std::nullopt;
  }
  for (Cell& cell : cells) {
    const std::set<std::string>& known = digests[dataset_id(cell.request->run)];
    if (known.size() != 1) return std::nullopt;
    cell.facts.data_digest = *known.begin();
  }
  return runs_of(plan, budget, choice, cells);
}

}  // namespace frgan
