#include "frgan/settings/run_settings.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/old_names.h"
#include "frgan/io/digests.h"
#include "frgan/io/files.h"

namespace frgan {

std::string named_method(const std::vector<std::vector<Setting>>& sources, std::string method) {
  for (const std::vector<Setting>& source : sources) {
    for (const Setting& setting : source) {
      if (setting.name == "method" && setting.value.is_string()) method = setting.value.text();
    }
  }
  return method;
}

void apply_settings(RunRequest& request, const std::vector<Setting>& settings) {
  for (const Setting& setting : settings) request.options.set(setting.name, setting.value, setting.source);
  make_weaker_void(request.run, [&](std::string_view name) {
    return std::any_of(settings.begin(), settings.end(), [&](const Setting& setting) { return setting.name == name; });
  });
}

void make_weaker_void(RunOptions& run, const std::function<bool(std::string_view)>& said) {
  const bool steps = said("steps") && run.steps > 0, time_budget = said("time-budget") && !run.time_budget.empty();
  if (steps && time_budget) throw usage_error("steps and time-budget exclude each other; give one of them");
  if (steps) run.time_budget.clear();
  if (time_budget) run.steps = 0;
  if (said("plan") && !run.plan.empty()) {
    run.steps = 0;
    run.time_budget.clear();
  }

  if (said("labels-file") && !run.split.labels_file.empty()) {
    if (!said("labels")) run.split.labels = 0;
    if (!said("dev-images")) run.split.dev_images = 0;
    if (!said("train-images")) run.split.train_images = 0;
  } else if (said("labels") && run.split.is_written()) {
    run.split.labels_file.clear();
  }
}

bool is_in_labels_file(std::string_view option) {
  constexpr std::array<std::string_view, 5> kNames{"labels", "label-mode", "split-seed", "dev-images", "train-images"};
  return std::find(kNames.begin(), kNames.end(), option) != kNames.end();
}

std::string run_key(const OptionSet& options, const std::string& data_digest, int64_t recipe) {
  constexpr std::array<std::string_view, 10> kExcluded{
      "data-dir",           "device",      "threads",          "epochs",     "time-budget", "log-every",
      "checkpoint-minutes", "tensorboard", "keep-checkpoints", "labels-file"};
  const auto names_file = [](const std::string& text) {
    return text.find('/') != std::string::npos || text.starts_with("matrix:");
  };
  std::string text = fmt::format("recipe {}\ndata {}\n", recipe, data_digest);
  for (const Option& option : options.all()) {
    const Json value = option.value();
    if (!option.saved || value == option.initial) continue;
    if (std::find(kExcluded.begin(), kExcluded.end(), option.name) != kExcluded.end()) continue;
    if (value.is_string() && names_file(value.get<std::string>())) continue;
    text += fmt::format("{} {}\n", first_name(option.name), value.dump());
  }
  // The method is its own default, so the loop leaves it out. Keys of the two first methods stay as they were.
  for (const Option& option : options.all()) {
    if (option.name != "method" || option.value() == "fr-gan" || option.value() == "supervised") continue;
    text += fmt::format("method {}\n", option.value().text());
  }
  return sha256(bytes_of(text));
}

}  // namespace frgan
