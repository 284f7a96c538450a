// frgan train: trains a classifier into a run folder.
#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/data_root.h"
#include "app/help.h"
#include "app/notes.h"
#include "app/stop_signal.h"
#include "frgan/core/error.h"
#include "frgan/device/device.h"
#include "frgan/io/checkpoint_files.h"
#include "frgan/io/files.h"
#include "frgan/methods/methods.h"
#include "frgan/report/tensorboard.h"
#include "frgan/settings/config_file.h"
#include "frgan/settings/presets.h"
#include "frgan/settings/run_settings.h"
#include "frgan/train/run.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kExamples[] = {
    "train --data my-images --preset demo --labels 0 --image-size 32 --time-budget 30m --run my-run",
    "train --preset fr-gan --data svhn --labels 1000 --epochs 20",
    "train --resume my-run",
    "train --preset fast --dry-run",
};
constexpr std::string_view kImportant[] = {"data",   "preset", "labels", "time-budget", "steps",
                                           "method", "width",  "run",    "resume",      "dry-run"};

constexpr Syntax kSyntax = {
    "train",
    "",
    "Trains a classifier from few labeled and many unlabeled images (semi-supervised learning). "
    "Writes a run folder with checkpoints, log, samples and summary. --method NAME --help shows "
    "the options of another method.",
    0,
    0,
    kImportant,
    kExamples};

constexpr std::string_view kOptionsFile = "options.toml", kSplitFile = "labels.json", kLogFile = "metrics.jsonl";

// Whether a run writes a file of this name before its first checkpoint.
bool is_written_at_start(const fs::path& path) {
  constexpr std::array<std::string_view, 4> kNames{kOptionsFile, kSplitFile, kLogFile, "checkpoints"};
  return std::find(kNames.begin(), kNames.end(), path.filename().string()) != kNames.end() || is_event_file(path);
}

// Whether this is a temporary file of a start that was killed.
bool is_unfinished(const fs::path& path) {
  const std::string name = name_of_unfinished(path);
  return name == kOptionsFile || name == kSplitFile;
}

// Options of one call, which are not part of the run.
struct TrainCall {
  std::string preset;
  std::string config;
  std::string run;
  std::string resume;
  std::string init_from;
  bool dry_run = false;
  bool print_config = false;
  bool quiet = false;
};

void describe(OptionSet& options, TrainCall& call) {
  options.group("Call", /*saved=*/false);
  options.add("preset", call.preset, "Preset whose option values to use; 'frgan methods' lists the presets.");
  options.add("config", call.config, "Config file (TOML) with option values.");
  options.add("run", call.run, "Folder of the run, new or empty; empty uses runs/DATE-PRESET, else runs/DATE-METHOD.");
  options.add("resume", call.resume, "Folder of a run to continue with its own options.");
  options.add("init-from", call.init_from, "Run or checkpoint whose weights initialize the new run.");
  options.add("dry-run", call.dry_run, "Prints the dataset, the plan and the estimated time, and stops.");
  options.add("print-config", call.print_config, "Prints all options as a config file, and stops.");
  add_quiet(options, call.quiet);
}

struct Request : RunRequest {
  TrainCall call;
};

void declare_options(Request& request, const std::string& method) {
  describe(request.options, request.call);
  declare_run(request, method);
}

// The values of the preset and of the config file, in ascending precedence. A config file may name the preset.
std::vector<std::vector<Setting>> read_settings(Request& request, std::span<const std::string> arguments) {
  std::vector<std::vector<Setting>> sources;
  if (const auto config = typed_value(arguments, "config")) sources.push_back(read_config_file(*config));
  if (const auto preset = typed_value(arguments, "preset")) request.call.preset = *preset;
  for (std::vector<Setting>& source : sources) {
    const auto found = std::ranges::find(source, "preset", &Setting::name);
    if (found == source.end()) continue;
    if (!found->value.is_string()) {
      throw usage_error(fmt::format("{}: preset must be the name of a preset in quotes", found->source));
    }
    if (request.call.preset.empty()) request.call.preset = found->value.text();
    source.erase(found);
  }
  if (const std::string& preset = request.call.preset; !preset.empty()) {
    sources.insert(sources.begin(), read_config(find_preset(preset).text, fmt::format("preset {}", preset)));
  }
  return sources;
}

// Declares the options of the method that the command line, else the settings, name.
void declare_options(Request& request, std::span<const std::string> arguments,
                     const std::vector<std::vector<Setting>>& settings) {
  declare_options(request, typed_value(arguments, "method").value_or(named_method(settings, request.run.method)));
}

void refuse_two_of(const std::function<bool(std::string_view)>& typed, std::initializer_list<std::string_view> names) {
  std::vector<std::string> given;
  for (const std::string_view name : names) {
    if (typed(name)) given.push_back(fmt::format("--{}", name));
  }
  if (given.size() > 1)
    throw usage_error(fmt::format("{} cannot be combined; give one of them", fmt::join(given, " and ")));
}

// Applies preset, config file and command line, in ascending precedence.
void read_request(Request& request, std::span<const std::string> arguments) {
  const std::vector<std::vector<Setting>> settings = read_settings(request, arguments);
  declare_options(request, arguments, settings);
  for (const std::vector<Setting>& source : settings) apply_settings(request, source);
  read_arguments(kSyntax, arguments, request.options);
  const auto typed = [&](std::string_view name) { return typed_value(arguments, name).has_value(); };
  refuse_two_of(typed, {"steps", "epochs", "time-budget"});
  for (const Option& option : request.options.all()) {
    if (is_in_labels_file(option.name)) refuse_two_of(typed, {"labels-file", option.name});
  }
  make_weaker_void(request.run, typed);
  if (typed("epochs")) {
    request.run.steps = 0;
    request.run.time_budget.clear();
  }
}

// Takes all options from the run. The command line may change those that may differ; any other is an error.
void read_resumed_request(Request& request, std::span<const std::string> arguments, const Checkpoint& checkpoint) {
  declare_options(request, checkpoint.state.method);
  request.options.set_values(checkpoint.state.options, checkpoint.path.string());
  for (Option& option : request.options.all()) option.given = false;
  read_arguments(kSyntax, arguments, request.options);
  for (const Option& option : request.options.all()) {
    if (!option.given || option.name == "resume" || option.name == "dry-run" || may_differ_on_resume(option.name))
      continue;
    throw usage_error(
        fmt::format("--{} cannot be combined with --resume, which keeps the options of the run; start a new run with "
                    "--init-from {}",
                    option.name, request.call.resume));
  }
}

// `options` are resolved.
void warn_of_another_machine(const RunOptions& options, const Checkpoint& resumed) {
  const int64_t threads = resumed.state.options.at("threads").get<int64_t>();
  if (options.threads != threads) {
    fmt::print(stderr, "warning: the run used {} threads; with {}, results differ in their last bits\n", threads,
               options.threads);
  }
  if (options.precision == "bf16" && resolve_device(options.device).is_cpu() && !has_native_bf16()) {
    fmt::print(stderr, "warning: the run uses bf16, which this processor only emulates, many times slower\n");
  }
}

// Whether a run that was killed before its first checkpoint may have left this entry. The new run overwrites it.
bool is_left_by_a_start(const fs::directory_entry& entry, const Request& request) {
  std::error_code ignored;
  for (const std::string& given : {request.call.config, request.run.split.labels_file}) {
    if (!given.empty() && fs::equivalent(entry.path(), given, ignored)) return false;
  }
  if (is_unfinished(entry.path())) return true;
  return is_written_at_start(entry.path()) && (entry.path().filename() != kLogFile || fs::is_empty(entry.path()));
}

fs::path new_run_folder(const Request& request) {
  if (!request.call.run.empty()) {
    const fs::path folder = request.call.run;
    if (has_checkpoints(folder / "checkpoints")) {
      throw Error(fmt::format("{}: already holds a run; continue it with --resume {}, or give another folder",
                              folder.string(), folder.string()));
    }
    if (!fs::exists(folder) || !fs::is_directory(folder)) return folder;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      if (is_left_by_a_start(entry, request)) continue;
      throw Error(fmt::format("{}: not empty: holds {}; give a new or empty folder for the run", folder.string(),
                              entry.path().filename().string()));
    }
    return folder;
  }
  const std::time_t now = std::time(nullptr);
  const std::string name = fmt::format("runs/{:%Y%m%d-%H%M%S}-{}", fmt::localtime(now),
                                       request.call.preset.empty() ? request.run.method : request.call.preset);
  fs::path folder = name;
  for (int again = 2; fs::exists(folder); ++again) folder = fmt::format("{}-{}", name, again);
  return folder;
}

// The folder of a new run. If the run ends before its first checkpoint, its files are removed again, and the folder if
// it was new. Other files stay, except temporary files of a start that was killed.
class NewFolder {
 public:
  explicit NewFolder(fs::path folder)
      : folder_(std::move(folder)),
        is_new_(!fs::exists(folder_)),
        parent_is_new_(folder_.has_parent_path() && !fs::exists(folder_.parent_path())),
        is_ours_(is_new_ || fs::is_empty(folder_)) {
    ensure_directory(folder_);
    remove_if(is_unfinished);
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;
  ~NewFolder() {
    std::error_code ignored;
    try {
      if (!is_ours_ || has_checkpoints(folder_ / "checkpoints")) return;
      remove_if(is_written_at_start);
    } catch (const std::exception&) {
      return;  // unreadable entries stay
    }
    if (is_new_) fs::remove(folder_, ignored);
    if (parent_is_new_) fs::remove(folder_.parent_path(), ignored);  // "runs"; fails if it is not empty
  }

 private:
  void remove_if(bool (*is_meant)(const fs::path&)) const {
    std::vector<fs::path> meant;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
      if (is_meant(entry.path())) meant.push_back(entry.path());
    }
    std::error_code ignored;
    for (const fs::path& path : meant) fs::remove(path, ignored);
  }

  fs::path folder_;
  bool is_new_, parent_is_new_, is_ours_;
};

// The word as a shell reads it.
std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

// The typed command without the folder, and with the number of steps instead of epochs or a time budget.
std::string repeating_command(std::span<const std::string> arguments, int64_t steps) {
  std::string command = "frgan train";
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string name = arguments[i].substr(0, arguments[i].find('='));
    if (name == "--time-budget" || name == "--steps" || name == "--epochs" || name == "--run") {
      if (name == arguments[i]) ++i;
      continue;
    }
    command += " " + shell_word(arguments[i]);
  }
  return fmt::format("{} --steps {}", command, steps);
}

// The command of a run that is resumed, from the first line of its options file.
std::string first_command(const fs::path& folder) {
  const std::string text = read_file(folder / kOptionsFile);
  return text.starts_with("# ") ? text.substr(2, text.find('\n') - 2) : "";
}

// The pages of the options of all methods. Each option appears once: first those of all methods, then those of some
// methods, whose names the heading lists.
void print_all_methods(HelpFormat format) {
  std::vector<Request> requests(all_methods().size());
  for (size_t i = 0; i < requests.size(); ++i) declare_options(requests[i], std::string(all_methods()[i].name));
  std::vector<OptionGroup> groups, special;
  std::set<std::string> seen;
  for (const Request& request : requests) {
    for (const OptionGroup& group : request.options.groups()) {
      for (const Option* option : group.options) {
        if (!seen.insert(option->name).second) continue;
        std::vector<std::string> owners;
        for (const Request& other : requests) {
          if (other.options.contains(option->name)) owners.push_back(other.run.method);
        }
        const bool of_all = owners.size() == requests.size();
        const std::string heading =
            of_all ? group.name : fmt::format("{} (only for --method {})", group.name, fmt::join(owners, ", "));
        std::vector<OptionGroup>& list = of_all ? groups : special;
        auto place = std::ranges::find(list, heading, &OptionGroup::name);
        if (place == list.end()) place = list.insert(place, {heading, {}});
        place->options.push_back(option);
      }
    }
  }
  groups.insert(groups.end(), special.begin(), special.end());
  fmt::print("{}", help_page(format, kSyntax, groups));
}

void print_result(const RunResult& result, const fs::path& folder, const std::string& command) {
  const auto print_error = [](const EvaluationRecord& record) {
    fmt::print("{} error  {:.2f} % (95 % interval {:.2f} to {:.2f} %) on {} images\n", record.role, 100 * record.error,
               100 * record.error_low, 100 * record.error_high, record.images);
  };
  if (result.dev) print_error(*result.dev);
  if (result.test) {
    print_error(*result.test);
  } else {
    fmt::print("test error  none: the dataset has no test images\n");
  }
  if (!result.samples.empty()) fmt::print("images    {}\n", result.samples.string());
  fmt::print("log         {}\n", (folder / "metrics.jsonl").string());
  fmt::print("checkpoint  {}\n", result.checkpoint.string());
  fmt::print("summary     {}\n", (folder / "summary.json").string());
  fmt::print("repeat      {}\n", command);
}

}  // namespace

int run_train(std::span<const std::string> arguments) {
  Request request;
  RunOptions& options = request.run;
  std::optional<Checkpoint> resumed, start;
  if (const auto format = requested_help(arguments); format && *format != HelpFormat::kText) {
    print_all_methods(*format);
    return 0;
  } else if (format) {
    declare_options(request, arguments, read_settings(request, arguments));
    fmt::print("{}", help_page(*format, kSyntax, request.options.groups()));
    return 0;
  }
  if (const auto folder = typed_value(arguments, "resume")) {
    if (!fs::exists(fs::path(*folder) / kOptionsFile)) {
      throw Error(fmt::format("{}: not a run folder: has no {}; give the folder that contains checkpoints/", *folder,
                              kOptionsFile));
    }
    resumed = load_checkpoint(*folder);
    print_warnings(resumed->warnings);
    read_resumed_request(request, arguments, *resumed);
  } else {
    read_request(request, arguments);
  }
  if (!options.time_budget.empty()) parse_duration(options.time_budget);
  parse_augmentation(options.augmentation.augmentation);
  request.method->validate();
  if (request.call.print_config) {
    fmt::print("{}", config_text(request.options));
    return 0;
  }
  if (!request.call.init_from.empty()) start = load_checkpoint(request.call.init_from);
  const fs::path folder = resumed ? fs::path(request.call.resume) : new_run_folder(request);
  options.precision = resolve_precision(options.precision, resolve_device(options.device));
  options.threads = set_threads(options.threads);
  if (resumed) warn_of_another_machine(options, *resumed);
  keep_freed_memory();

  stop_on_signals();
  std::optional<NewFolder> new_folder;  // before the work, so that an unusable path fails at once
  if (!resumed && !request.call.dry_run) new_folder.emplace(folder);
  Dataset data = load_dataset(options.data, data_root());
  LabelSplit split = resumed ? label_split_from_json(resumed->state.label_split, data, resumed->path.string())
                             : split_labels(data, options.split);
  options.data = with_absolute_paths(options.data);
  if (std::string& file = options.split.labels_file; !file.empty())
    file = fs::absolute(file).lexically_normal().string();
  TrainingRun run(options, std::move(request.method), std::move(data), split);
  if (resumed) {
    run.resume(*resumed);
  } else if (start) {
    run.begin_from(*start);
  } else {
    run.begin();
  }
  run.fix_steps();
  options = run.options();  // now with the number of steps
  const std::string plan = run.plan_text(run.step_seconds());
  if (stop_signal != 0) {
    fmt::print(stderr, "stopped before the first step; nothing was written\n");
    return 128 + stop_signal;
  }
  if (request.call.dry_run || !request.call.quiet) fmt::print(request.call.dry_run ? stdout : stderr, "{}", plan);
  if (request.call.dry_run) return 0;

  const Json values = request.options.values();
  const std::string command = resumed ? first_command(folder) : repeating_command(arguments, options.steps);
  if (!resumed) {
    write_file_safely(folder / kOptionsFile, fmt::format("# {}\n\n{}", command, config_text(request.options)));
    write_label_split(folder / kSplitFile, split);
  }
  RunResult result;
  {
    Progress progress(standard_error_progress(), options.steps, resumed ? resumed->state.step : 0);
    result = run.train(folder, values, command, progress, stop_signal);
  }
  if (!result.finished) {
    fmt::print(stderr, "stopped at step {} of {}; continue with: frgan train --resume {}\n", result.steps,
               options.steps, folder.string());
    return 128 + stop_signal;
  }
  print_result(result, folder, command);
  return 0;
}

}  // namespace frgan
