#include "frgan/plans/planned_runs.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/data/load_dataset.h"
#include "frgan/io/digests.h"
#include "frgan/io/files.h"
#include "frgan/methods/method.h"
#include "frgan/nn/named_tensors.h"
#include "frgan/settings/presets.h"
#include "frgan/settings/run_settings.h"
#include "frgan/train/recipe.h"
#include "frgan/train/run_command.h"

namespace frgan {
namespace {

// The properties of a dataset that a plan needs.
struct DataFacts {
  ImageShape shape;
  int64_t train_images = 0;
  std::string digest;
};

DataFacts facts_of(const Dataset& data) {
  if (data.test.size() == 0) {
    throw Error(fmt::format("{}: has no test images, but the tables of a plan need a test set", data.source));
  }
  return {{data.image_size, data.channels, data.classes()}, data.train.size(), data.digest};
}

// Loads each dataset once.
class Datasets {
 public:
  explicit Datasets(std::filesystem::path root) : root_(std::move(root)) {}

  const DataFacts& of(const DataOptions& options) {
    const std::string id =
        fmt::format("{}\n{}\n{}\n{}", options.data, options.data_dir, options.image_size, options.channels);
    const auto known = facts_.find(id);
    if (known != facts_.end()) return known->second;
    return facts_[id] = facts_of(load_dataset(options, root_));
  }

 private:
  std::filesystem::path root_;
  std::map<std::string, DataFacts> facts_;
};

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

// The options of a row in a section, before seed and steps are set.
std::unique_ptr<RunRequest> row_request(const Plan& plan, const Budget& budget, const PlanRow& row,
                                        const PlanSection& section, const PlanChoice& choice) {
  auto request = preset_request(row);
  for (const std::vector<Setting>& of_plan : {plan.settings, budget.settings}) {
    apply_settings(*request, applicable(of_plan, request->options));
  }
  apply_settings(*request, row.settings);
  apply_settings(*request, section.settings);
  if (request->run.data.data_dir.empty()) request->run.data.data_dir = choice.data_dir;
  request->run.data = with_absolute_paths(request->run.data);
  request->method->validate();
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

int64_t epoch_steps(const RunRequest& request, const DataFacts& facts) {
  const SplitOptions& split = request.run.split;
  const int64_t images = split.train_images > 0 ? split.train_images : facts.train_images - split.dev_images;
  return std::max<int64_t>(1, images / epoch_images_per_step(request.method->stages().front()));
}

// Arguments of frgan train for this run: the preset and every option that differs from it.
std::vector<std::string> arguments_of(const PlanRow& row, const Json& options) {
  std::vector<std::string> words = {"--preset=" + row.preset};
  const Json preset = preset_request(row)->options.values();
  const bool split_in_file = !options.at("labels-file").get<std::string>().empty();
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

// A row in a section, with the size of its networks and the work of a step.
struct Cell {
  size_t row, section;
  std::unique_ptr<RunRequest> request;
  std::string digest;
  double step_flop;
  int64_t images_per_step, epoch;
  Json parameters;
};

// Builds the networks to count parameters and work.
Cell measured_cell(size_t row, size_t section, std::unique_ptr<RunRequest> request, Datasets& data) {
  const DataFacts& facts = data.of(request->run.data);
  Method& method = *request->method;
  method.build({.shape = facts.shape, .seed = 0});
  Cell cell{row,
            section,
            nullptr,
            facts.digest,
            method.step_flop(),
            images_per_step(method.stages().front()),
            epoch_steps(*request, facts),
            {}};
  for (const Player& player : method.players()) cell.parameters[player.name] = parameter_count(*player.network);
  cell.request = std::move(request);
  return cell;
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
    for (const Cell& cell : cells) {
      if (cell.epoch == cells.front().epoch) continue;
      throw usage_error(
          fmt::format("{}, budget.{}: an epoch has {} steps in row '{}' but {} in row '{}', and all runs of a plan "
                      "have the same number of steps; give steps or tflop instead of epochs",
                      plan.name, budget.name, cells.front().epoch, plan.rows[cells.front().row].name, cell.epoch,
                      plan.rows[cell.row].name));
    }
    return checked_steps(plan, budget, budget.epochs * static_cast<double>(cells.front().epoch));
  }
  double most = 0;
  for (const Cell& cell : cells) most = std::max(most, cell.step_flop);
  return checked_steps(plan, budget, budget.tflop * 1e12 / most);
}

// Throws, before anything runs, if the results cannot be shown as the plan's `show` says.
void check_shown(const Plan& plan, const std::vector<Cell>& cells) {
  if (plan.show != "scores" && plan.show != "grids") return;
  for (const Cell& cell : cells) {
    if (cell.request->method->noise_size() == 0) {
      throw usage_error(
          fmt::format("{}, row '{}': show = \"{}\" needs generated images, but its method has no generator", plan.name,
                      plan.rows[cell.row].name, plan.show));
    }
    if (cell.digest != cells.front().digest) {
      throw usage_error(
          fmt::format("{}: show = \"{}\" requires one dataset, but the plan has several", plan.name, plan.show));
    }
  }
}

// Digests of the files that options name. Run keys depend on file content, not on file names.
std::string digest_of_files(const SplitOptions& split) {
  constexpr std::string_view kMatrix = "matrix:";
  std::string digests;
  if (!split.labels_file.empty()) digests += "\n" + sha256(bytes_of(read_file(split.labels_file)));
  if (split.noise.kind.starts_with(kMatrix)) {
    digests += "\n" + sha256(bytes_of(read_file(split.noise.kind.substr(kMatrix.size()))));
  }
  return digests;
}

PlannedRun planned_run(const Plan& plan, const Cell& cell, int64_t steps, int64_t seed) {
  const PlanRow& row = plan.rows[cell.row];
  RunRequest& request = *cell.request;
  request.run.steps = steps;
  request.run.time_budget.clear();
  request.run.seed = request.run.split.noise.seed = seed;
  if (request.run.split.labels_file.empty()) request.run.split.split_seed = seed;
  PlannedRun run;
  run.row = cell.row;
  run.section = cell.section;
  run.seed = seed;
  run.options = request.options.values();
  run.key = run_key(request.options, cell.digest + digest_of_files(request.run.split), kRecipe);
  run.data_digest = cell.digest;
  run.arguments = arguments_of(row, run.options);
  constexpr size_t kShort = 8;
  const int64_t labels = request.run.split.labels;
  run.name = fmt::format("{}_labels-{}_seed-{}_{}", row.preset, labels == 0 ? "all" : fmt::format("{}", labels), seed,
                         run.key.substr(0, kShort));
  run.steps = steps;
  run.steps_per_epoch = cell.epoch;
  run.tflop = cell.step_flop * static_cast<double>(steps) * 1e-12;
  run.images_per_step = cell.images_per_step;
  run.parameters = cell.parameters;
  return run;
}

}  // namespace

std::string tflop_number(double tflop) {
  constexpr double kNoDecimals = 100;  // from this value on
  return tflop < kNoDecimals ? fmt::format("{:.3g}", tflop) : fmt::format("{:.0f}", tflop);
}

std::string tflop_text(double tflop) {
  return tflop_number(tflop) + " TFLOP";
}

std::vector<PlannedRun> planned_runs(const Plan& plan, const PlanChoice& choice,
                                     const std::filesystem::path& data_root) {
  check_choice(plan, choice);
  const Budget& budget = plan.budget(choice.budget);
  check_plan_settings(plan, budget);
  Datasets data(data_root);
  std::vector<Cell> cells;
  for (size_t section = 0; section < plan.sections.size(); ++section) {
    for (size_t row = 0; row < plan.rows.size(); ++row) {
      if (plan.rows[row].preset.empty()) continue;
      cells.push_back(
          measured_cell(row, section, row_request(plan, budget, plan.rows[row], plan.sections[section], choice), data));
    }
  }
  check_shown(plan, cells);
  const int64_t steps = steps_of(plan, budget, choice, cells);
  std::vector<PlannedRun> runs;
  const int64_t seeds = choice.seeds > 0 ? choice.seeds : budget.seeds > 0 ? budget.seeds : plan.seeds;
  for (int64_t seed = 1; seed <= seeds; ++seed) {
    for (const Cell& cell : cells) {
      if (!chosen(choice, plan.rows[cell.row]) || !chosen(choice, plan.sections[cell.section])) continue;
      runs.push_back(planned_run(plan, cell, steps, seed));
    }
  }
  return runs;
}

}  // namespace frgan
