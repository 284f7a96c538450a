// frgan train: trains a classifier into a run folder.
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "app/cache_folder.h"
#include "app/command_line.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/data_root.h"
#include "app/help.h"
#include "app/notes.h"
#include "app/stop_signal.h"
#include "app/watch_loading.h"
#include "frgan/classifier/encoder_files.h"
#include "frgan/core/error.h"
#include "frgan/core/run_files.h"
#include "frgan/device/machine.h"
#include "frgan/methods/methods.h"
#include "frgan/report/progress.h"
#include "frgan/settings/config_file.h"
#include "frgan/settings/presets.h"
#include "frgan/settings/run_settings.h"
#include "frgan/train/run_command.h"
#include "frgan/train/training.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTrainExamples[] = {
    "train --data my-images --preset demo --labels 0 --image-size 32 --time-budget 30m --run my-run",
    "train --preset fr-gan --data svhn --labels 1000 --epochs 20",
    "train --resume my-run",
    "train --preset fast --dry-run",
};
constexpr std::string_view kTrainImportant[] = {"data",   "preset", "labels", "time-budget", "steps",
                                                "method", "width",  "run",    "resume",      "dry-run"};

constexpr Syntax kTrainSyntax = {
    "train",
    "",
    "Trains a classifier from few labeled and many unlabeled images (semi-supervised learning). "
    "Writes a run folder with checkpoints, log, samples and summary. --method NAME --help shows "
    "the options of another method.",
    0,
    0,
    kTrainImportant,
    kTrainExamples};

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
  // Where the length of the run comes from: typed or in the config file, else the preset, else the default of --epochs.
  enum class Length { kDefault, kPreset, kGiven } length = Length::kGiven;
};

// Options that set the length of a run.
constexpr std::string_view kLengths[] = {"steps", "epochs", "time-budget", "plan"};

void describe(OptionSet& options, TrainCall& call) {
  options.group("Call", /*saved=*/false);
  options.add("preset", call.preset, "Preset that sets option values; 'frgan methods' lists them.",
              preset_suggestions());
  options.add("config", call.config, "Config file (TOML) with option values.");
  options.add("run", call.run,
              "Folder of the run, new or empty; empty: runs/DATE-PRESET, or runs/DATE-METHOD without a preset.");
  options.add("resume", call.resume, "Run folder to continue; its stored options apply.");
  options.add("init-from", call.init_from, "Run or checkpoint whose weights initialize the new run.");
  options.add("dry-run", call.dry_run, "Prints the dataset, the plan and the estimated time, and stops.");
  options.add("print-config", call.print_config, "Prints all options as a config file, and stops.");
  add_quiet(options, call.quiet);
}

// `request` declares the options of the call too.
struct TrainCommand {
  TrainCall call;
  std::unique_ptr<RunRequest> request = std::make_unique<RunRequest>();
};

void declare_options(TrainCommand& command, const std::string& method) {
  describe(command.request->options, command.call);
  declare_run(*command.request, method);
}

// The values of the preset and of the config file, in ascending precedence. A config file may name the preset.
std::vector<std::vector<Setting>> read_settings(TrainCall& call, std::span<const std::string> arguments) {
  std::vector<std::vector<Setting>> sources;
  if (const auto config = typed_value(arguments, "config")) sources.push_back(read_config_file(*config));
  if (const auto preset = typed_value(arguments, "preset")) call.preset = *preset;
  for (std::vector<Setting>& source : sources) {
    const auto found = std::ranges::find(source, "preset", &Setting::name);
    if (found == source.end()) continue;
    if (!found->value.is_string()) {
      throw usage_error(fmt::format("{}: preset must be the name of a preset in quotes", found->source));
    }
    if (call.preset.empty()) call.preset = found->value.text();
    source.erase(found);
  }
  if (const std::string& preset = call.preset; !preset.empty()) {
    sources.insert(sources.begin(), read_config(find_preset(preset).text, fmt::format("preset {}", preset)));
  }
  return sources;
}

bool is_quiet(std::span<const std::string> arguments) {
  return typed(arguments, "--quiet") || typed(arguments, "-q");
}

// Options that a run with published weights does not need, or that tell how to train without them.
constexpr std::string_view kTrainsOtherwise[] = {"method",  "preset",      "config",    "encoder",
                                                 "network", "resume",      "init-from", "image-size",
                                                 "epochs",  "time-budget", "plan",      "steps"};

// Uses published weights from the cache for a folder of images, if the user did not say how to train: appends --encoder
// to the arguments. Without weights in the cache, says how to get them.
std::vector<std::string> with_cached_encoder(std::span<const std::string> arguments) {
  std::vector<std::string> all(arguments.begin(), arguments.end());
  const auto data = typed_value(arguments, "data");
  const bool is_folder = data && fs::is_directory(*data);
  const auto typed_one = [&](std::string_view name) { return typed_value(arguments, name).has_value(); };
  if (!is_folder || std::ranges::any_of(kTrainsOtherwise, typed_one)) return all;
  const bool quiet = is_quiet(arguments);
  if (const auto weights = cached_encoder(cache_folder())) {
    all.push_back(fmt::format("--encoder={}", weights->string()));
    if (!quiet)
      print_message("using the published weights {}; for training without them, give --method or --preset\n",
                    weights->string());
  } else if (!quiet) {
    print_message(
        "hint: photos with few labels need published weights; get them with 'frgan data fetch encoder "
        "efficientnet-lite0'\n");
  }
  return all;
}

// Declares the options of the method that the command line, else the settings, name.
void declare_options(TrainCommand& command, std::span<const std::string> arguments,
                     const std::vector<std::vector<Setting>>& settings) {
  const bool has_encoder =
      typed_value(arguments, "encoder").has_value() || std::ranges::any_of(settings, [](const auto& source) {
        return std::ranges::find(source, "encoder", &Setting::name) != source.end();
      });
  const std::string standard = has_encoder ? "linear" : command.request->run.method;
  declare_options(command, typed_value(arguments, "method").value_or(named_method(settings, standard)));
}

void refuse_two_of(const std::function<bool(std::string_view)>& typed, std::span<const std::string_view> names) {
  std::vector<std::string> given;
  for (const std::string_view name : names) {
    if (typed(name)) given.push_back(fmt::format("--{}", name));
  }
  if (given.size() > 1)
    throw usage_error(fmt::format("{} cannot be combined; give one of them", fmt::join(given, " and ")));
}

TrainCall::Length length_source(const OptionSet& options) {
  auto source = TrainCall::Length::kDefault;
  for (const Option& option : options.all()) {
    if (!option.given || std::ranges::find(kLengths, option.name) == std::end(kLengths)) continue;
    if (!option.set_by.starts_with("preset ")) return TrainCall::Length::kGiven;
    source = TrainCall::Length::kPreset;
  }
  return source;
}

// Applies preset, config file and command line, in ascending precedence.
void read_options(TrainCommand& command, std::span<const std::string> arguments) {
  const std::vector<std::vector<Setting>> settings = read_settings(command.call, arguments);
  declare_options(command, arguments, settings);
  RunRequest& request = *command.request;
  for (const std::vector<Setting>& source : settings) apply_settings(request, source);
  read_arguments(kTrainSyntax, arguments, request.options);
  const auto typed = [&](std::string_view name) { return typed_value(arguments, name).has_value(); };
  refuse_two_of(typed, kLengths);
  for (const Option& option : request.options.all()) {
    if (request.run.split.is_written() && is_in_labels_file(option.name))
      refuse_two_of(typed, std::array<std::string_view, 2>{"labels-file", option.name});
  }
  make_weaker_void(request.run, typed);
  if (typed("epochs")) {
    request.run.steps = 0;
    request.run.time_budget.clear();
  }
  command.call.length = length_source(request.options);
  if (find_method(request.run.method)->steps > 0) command.call.length = TrainCall::Length::kGiven;
  if (request.run.encoder.file.empty()) validate(request);  // else when the run starts: the weights set options
}

Training start(TrainCommand& command, std::span<const std::string> arguments) {
  const TrainCall& call = command.call;
  StartOptions options{.folder = call.run,
                       .name = call.preset,
                       .init_from = call.init_from,
                       .data_root = data_root(),
                       .arguments = {arguments.begin(), arguments.end()},
                       .dry_run = call.dry_run,
                       .watch = watch_loading(call.quiet),
                       .used_seconds = process_seconds()};
  if (!call.config.empty()) options.inputs.emplace_back(call.config);
  return Training::start(std::move(command.request), options);
}

Training resume(const std::string& folder, TrainCall& call, std::span<const std::string> arguments) {
  const auto change = [&](OptionSet& options) {
    describe(options, call);
    read_arguments(kTrainSyntax, arguments, options);
    for (const char* name : {"resume", "dry-run", "quiet"}) options.find(name, "").given = false;  // not of the run
  };
  return Training::resume(folder, {.change = change,
                                   .data_root = data_root(),
                                   .dry_run = typed(arguments, "--dry-run"),
                                   .watch = watch_loading(is_quiet(arguments)),
                                   .used_seconds = process_seconds(),
                                   .messages = printed_messages(is_quiet(arguments))});
}

// " Other defaults: mean-teacher: 0.003; fixmatch: 0.03.": the methods whose default differs from that of `option`;
// else empty.
std::string other_defaults(const Option& option, const std::vector<TrainCommand>& commands) {
  std::vector<std::string> others;
  for (const TrainCommand& command : commands) {
    for (const Option& same : command.request->options.all()) {
      if (same.name != option.name || same.initial == option.initial || same.name == "method") continue;
      const std::string value = same.initial.is_string() ? same.initial.text() : same.initial.dump();
      others.push_back(fmt::format("{}: {}", command.request->run.method, value));
    }
  }
  return others.empty() ? "" : fmt::format(" Other defaults: {}.", fmt::join(others, "; "));
}

// The pages of the options of all methods. Each option appears once: first those of all methods, then those of some
// methods, whose names the heading lists.
void print_all_methods(HelpFormat format) {
  std::vector<TrainCommand> commands(all_methods().size());
  for (size_t i = 0; i < commands.size(); ++i) declare_options(commands[i], std::string(all_methods()[i].name));
  std::vector<OptionGroup> groups, special;
  std::set<std::string> seen;
  for (TrainCommand& command : commands) {
    for (const OptionGroup& group : command.request->options.groups()) {
      for (const Option* option : group.options) {
        if (!seen.insert(option->name).second) continue;
        std::vector<std::string> owners;
        for (const TrainCommand& other : commands) {
          if (other.request->options.contains(option->name)) owners.push_back(other.request->run.method);
        }
        const bool of_all = owners.size() == commands.size();
        const std::string heading =
            of_all ? group.name : fmt::format("{} (only for --method {})", group.name, fmt::join(owners, ", "));
        std::vector<OptionGroup>& list = of_all ? groups : special;
        auto place = std::ranges::find(list, heading, &OptionGroup::name);
        if (place == list.end()) place = list.insert(place, {heading, {}});
        place->options.push_back(option);
        command.request->options.find(option->name, "help").help += other_defaults(*option, commands);
      }
    }
  }
  groups.insert(groups.end(), special.begin(), special.end());
  print_output("{}", help_page(format, kTrainSyntax, groups));
}

void print_result(const RunResult& result, const fs::path& folder) {
  const auto print_error = [](const EvaluationRecord& record) {
    print_unattended("{} error  {:.2f} % (95 % interval {:.2f} to {:.2f} %) on {} images\n", name_of(record.role),
                     100 * record.error, 100 * record.error_low, 100 * record.error_high, record.images);
  };
  if (result.summary.dev) print_error(*result.summary.dev);
  if (result.summary.test) {
    print_error(*result.summary.test);
  } else {
    print_unattended("test error  none: the dataset has no test images\n");
  }
  if (result.quality) print_unattended("{}", quality_text(*result.quality));
  if (!result.samples.empty()) print_unattended("images      {}\n", result.samples.string());
  print_unattended("log         {}\n", (folder / kLogFile).string());
  print_unattended("checkpoint  {}\n", result.checkpoint.string());
  print_unattended("summary     {}\n", (folder / kSummaryFile).string());
  print_unattended("repeat      {}\n", result.summary.command);
}

int stopped_before_first_step() {
  print_message("stopped before the first step; nothing was written\n");
  return 128 + stop_signal;
}

// The text that is printed before the first step: data, length and expected time of the run. Empty with --quiet, unless
// --dry-run asks for the text, or the length is missing: the times help to choose one.
std::string shown_plan(Training& training, const TrainCall& call) {
  constexpr std::string_view kChoose = "--time-budget 30m, --steps N or --epochs N";
  const bool is_missing = call.length == TrainCall::Length::kDefault;
  if (call.quiet && !call.dry_run && !is_missing) return "";
  if (training.steps_done() >= training.planned_steps()) return "the run is finished; it is evaluated again\n";
  std::string plan = training.plan_text();
  if (is_missing) {
    plan +=
        fmt::format("no length given; the times above are for {:g} epochs, as in the paper; choose a length with {}\n",
                    training.options().epochs, kChoose);
  } else if (call.length == TrainCall::Length::kPreset) {
    plan += fmt::format("preset {} sets the length; choose another with {}\n", call.preset, kChoose);
  }
  return plan;
}

// Prints the plan and trains.
int run_training(Training& training, const TrainCall& call, std::span<const std::string> arguments) {
  const std::string plan = stop_signal != 0 ? "" : shown_plan(training, call);
  if (stop_signal != 0) return stopped_before_first_step();
  if (call.dry_run) {
    print_output("{}", plan);
    return 0;
  }
  print_message("{}", plan);
  if (call.length == TrainCall::Length::kDefault) {
    throw usage_error(fmt::format("missing length of the run; for example: '{}' or '{}'",
                                  train_command(arguments, {"--time-budget", "30m"}),
                                  train_command(arguments, {"--epochs", "20"})));
  }
  const bool is_finished = training.steps_done() >= training.planned_steps();
  if (!is_finished)
    stop_message = "\nwriting a checkpoint after this step; press Ctrl-C again after a second to stop at once\n";
  RunResult result;
  {
    Progress progress(standard_error_progress(), training.planned_steps(), call.quiet);
    result = training.run(progress, stop_signal);
  }
  if (!result.finished) {
    print_message("stopped at step {} of {}; continue with: frgan train --resume {}\n", result.summary.steps,
                  training.planned_steps(), training.folder().string());
    return 128 + stop_signal;
  }
  print_result(result, training.folder());
  return 0;
}

}  // namespace

int run_train(std::span<const std::string> typed_arguments) {
  TrainCommand command;
  TrainCall& call = command.call;
  if (const auto format = requested_help(typed_arguments); format && *format != HelpFormat::kText) {
    print_all_methods(*format);
    return 0;
  } else if (format) {
    declare_options(command, typed_arguments, read_settings(call, typed_arguments));
    print_output("{}", help_page(*format, kTrainSyntax, command.request->options.groups()));
    return 0;
  }
  const std::vector<std::string> arguments = with_cached_encoder(typed_arguments);
  const auto resumed = typed_value(arguments, "resume");
  if (!resumed) read_options(command, arguments);
  if (call.print_config) {
    print_output("{}", config_text(command.request->options));
    return 0;
  }
  ignore_broken_output();
  stop_on_signals("\nstopping; press Ctrl-C again after a second to stop at once\n");
  if (!is_quiet(arguments) && isatty(STDERR_FILENO) != 0)
    print_message("loading the data and timing a training step\n");
  try {
    Training training = resumed ? resume(*resumed, call, arguments) : start(command, arguments);
    return run_training(training, call, arguments);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kStopped) throw;
  }
  return stopped_before_first_step();
}

}  // namespace frgan
