// frgan train: from a dataset to a run directory.
#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/data_root.h"
#include "app/stop_signal.h"
#include "frgan/core/device.h"
#include "frgan/core/error.h"
#include "frgan/experiments/config_file.h"
#include "frgan/experiments/presets.h"
#include "frgan/experiments/run_settings.h"
#include "frgan/io/checkpoint_files.h"
#include "frgan/io/files.h"
#include "frgan/methods/methods.h"
#include "frgan/report/tensorboard.h"
#include "frgan/train/run.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr Syntax kSyntax = {"train", "", "Trains a classifier, and writes a run directory with its checkpoints."};

constexpr std::string_view kOptionsFile = "options.toml", kSplitFile = "labels.json", kLogFile = "metrics.jsonl";

// Whether a file of this name is among all that a run has written when it has no checkpoint yet.
bool is_written_at_start(const fs::path& path) {
  constexpr std::array<std::string_view, 4> kNames{kOptionsFile, kSplitFile, kLogFile, "checkpoints"};
  return std::find(kNames.begin(), kNames.end(), path.filename().string()) != kNames.end() || is_event_file(path);
}

// Whether a start that was killed while it wrote one of its files left this.
bool is_unfinished(const fs::path& path) {
  const std::string name = name_of_unfinished(path);
  return name == kOptionsFile || name == kSplitFile;
}

// Of one call, and not of the run.
struct TrainCall {
  std::string preset;
  std::string config;
  std::string run;
  std::string resume;
  std::string init_from;
  bool dry_run = false;
  bool print_config = false;
};

void describe(OptionSet& options, TrainCall& call) {
  options.group("Call", /*saved=*/false);
  options.add("preset", call.preset, "Settings of a published row; frgan methods lists them.");
  options.add("config", call.config, "A file of settings (TOML).");
  options.add("run", call.run, "The run's folder, new or empty; without: runs/DATE-METHOD.");
  options.add("resume", call.resume, "A run's folder: goes on with it, with its own options.");
  options.add("init-from", call.init_from, "A run or checkpoint whose weights a new run starts from.");
  options.add("dry-run", call.dry_run, "Prints what would be trained, and stops.");
  options.add("print-config", call.print_config, "Prints all settings as a config file, and stops.");
}

struct Request : RunRequest {
  TrainCall call;
};

void declare_options(Request& request, const std::string& method) {
  describe(request.options, request.call);
  declare_run(request, method);
}

// What a preset and a config file set: the weaker and the stronger, with the command line over both.
std::vector<std::vector<Setting>> read_settings(std::span<const std::string> arguments) {
  std::vector<std::vector<Setting>> sources;
  if (const auto preset = typed_value(arguments, "preset")) {
    sources.push_back(read_config(find_preset(*preset).text, fmt::format("preset {}", *preset)));
  }
  if (const auto config = typed_value(arguments, "config")) sources.push_back(read_config_file(*config));
  return sources;
}

// Declares the options of the method that the command line or else the settings name.
void declare_options(Request& request, std::span<const std::string> arguments,
                     const std::vector<std::vector<Setting>>& settings) {
  declare_options(request, typed_value(arguments, "method").value_or(named_method(settings, request.run.method)));
}

void refuse_two_of(const std::function<bool(std::string_view)>& typed, std::initializer_list<std::string_view> names) {
  std::vector<std::string> given;
  for (const std::string_view name : names) {
    if (typed(name)) given.push_back(fmt::format("--{}", name));
  }
  if (given.size() > 1) throw usage_error(fmt::format("{}: give one of them", fmt::join(given, " and ")));
}

// The settings of a preset and of a config file, and the words of the command line, the stronger over the weaker.
void read_request(Request& request, std::span<const std::string> arguments) {
  const std::vector<std::vector<Setting>> settings = read_settings(arguments);
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

// All options are the run's; what may differ is taken from the command line, and anything else there is an error.
void read_resumed_request(Request& request, std::span<const std::string> arguments, const Checkpoint& checkpoint) {
  declare_options(request, checkpoint.state.method);
  request.options.set_values(checkpoint.state.options, checkpoint.path.string());
  for (Option& option : request.options.all()) option.given = false;
  read_arguments(kSyntax, arguments, request.options);
  for (const Option& option : request.options.all()) {
    if (!option.given || option.name == "resume" || option.name == "dry-run" || may_differ_on_resume(option.name))
      continue;
    throw usage_error(fmt::format(
        "--{} cannot be given with --resume: a run goes on with its own options; start a new one with --init-from {}",
        option.name, request.call.resume));
  }
}

// `options` are resolved.
void warn_of_another_machine(const RunOptions& options, const Checkpoint& resumed) {
  const int64_t threads = resumed.state.options.at("threads");
  if (options.threads != threads) {
    fmt::print(stderr, "warning: the run had {} threads; with {} its results will differ in their last bits\n", threads,
               options.threads);
  }
  if (options.precision == "bf16" && resolve_device(options.device).is_cpu() && !has_native_bf16()) {
    fmt::print(stderr, "warning: the run computes in bf16, which this processor only emulates, many times slower\n");
  }
}

// Whether a run that was killed before its first checkpoint may have left it; the run that begins now writes it anew.
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
      throw Error(fmt::format("{}: there is a run already; go on with --resume {}, or name another folder",
                              folder.string(), folder.string()));
    }
    if (!fs::exists(folder) || !fs::is_directory(folder)) return folder;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      if (is_left_by_a_start(entry, request)) continue;
      throw Error(fmt::format("{}: holds {}; name a new or empty folder for the run", folder.string(),
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

// A new run's folder. Where the run ends before its first checkpoint, for whatever reason, what it wrote goes with it;
// what was there before stays, but for a file that a killed start left unfinished.
class NewFolder {
 public:
  explicit NewFolder(fs::path folder)
      : folder_(std::move(folder)), is_new_(!fs::exists(folder_)), is_ours_(is_new_ || fs::is_empty(folder_)) {
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
      return;  // what cannot be read is left as it is
    }
    if (is_new_) fs::remove(folder_, ignored);
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
  bool is_new_, is_ours_;
};

// For a shell.
std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

// What was typed, with the number of steps that a time or epochs came to, and without the folder.
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

// The same for a run that is resumed: the first line of its options says so.
std::string first_command(const fs::path& folder) {
  const std::string text = read_file(folder / kOptionsFile);
  return text.starts_with("# ") ? text.substr(2, text.find('\n') - 2) : "";
}

// The options of all methods, once each: the page shows those that all have, and then what each method adds.
void print_markdown() {
  std::vector<Request> requests(all_methods().size());
  for (size_t i = 0; i < requests.size(); ++i) declare_options(requests[i], std::string(all_methods()[i].name));
  const auto shared = [&](const Option& option) {
    return std::all_of(requests.begin(), requests.end(),
                       [&](const Request& request) { return request.options.contains(option.name); });
  };
  fmt::print("\n## frgan train\n\n{}\n{}", kSyntax.summary, markdown_text(requests.front().options, 3, shared));
  for (const Request& request : requests) {
    const std::string own = markdown_text(request.options, 4, [&](const Option& option) { return !shared(option); });
    if (!own.empty()) fmt::print("\n### With --method {} only\n{}", request.run.method, own);
  }
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
    fmt::print("test error  none: the data has no test images\n");
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
  if (typed(arguments, "--help-markdown")) {
    print_markdown();
    return 0;
  }
  if (typed(arguments, "--help") || typed(arguments, "-h")) {
    declare_options(request, arguments, read_settings(arguments));
    print_help(kSyntax, arguments, request.options);
    return 0;
  }
  if (const auto folder = typed_value(arguments, "resume")) {
    if (!fs::exists(fs::path(*folder) / kOptionsFile)) {
      throw Error(fmt::format("{}: is no folder of a run, for it has no {}; give the one that has checkpoints/",
                              *folder, kOptionsFile));
    }
    resumed = load_checkpoint(*folder);
    for (const std::string& warning : resumed->warnings) fmt::print(stderr, "warning: {}\n", warning);
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
  std::optional<NewFolder> new_folder;  // before the work: a path that will not do is known at once
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
  options = run.options();  // with the steps
  const std::string plan = run.plan_text(run.step_seconds());
  if (stop_signal != 0) {
    fmt::print(stderr, "stopped before the first step: nothing new was written\n");
    return 128 + stop_signal;
  }
  fmt::print(request.call.dry_run ? stdout : stderr, "{}", plan);
  if (request.call.dry_run) return 0;

  const nlohmann::ordered_json values = request.options.values();
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
    fmt::print(stderr, "stopped at step {} of {}; go on with: frgan train --resume {}\n", result.steps, options.steps,
               folder.string());
    return 128 + stop_signal;
  }
  print_result(result, folder, command);
  return 0;
}

}  // namespace frgan
