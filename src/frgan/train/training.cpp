#include "frgan/train/training.h"

#include <optional>
#include <ostream>
#include <utility>

#include <c10/core/DeviceType.h>
#include <fmt/format.h>

#include "frgan/classifier/checkpoint.h"
#include "frgan/core/error.h"
#include "frgan/core/run_files.h"
#include "frgan/data/label_split.h"
#include "frgan/data/load_dataset.h"
#include "frgan/device/device.h"
#include "frgan/io/files.h"
#include "frgan/report/run_summary.h"
#include "frgan/train/new_run_folder.h"
#include "frgan/train/run.h"
#include "frgan/train/run_command.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

// Sets the number of threads and the precision that "auto" stands for on this machine.
void resolve_machine(RunOptions& options) {
  const Precision precision = resolve_precision(options.precision, resolve_device(options.device));
  options.precision = precision == Precision::kBf16 ? PrecisionChoice::kBf16 : PrecisionChoice::kFp32;
  options.threads = set_threads(options.threads);
  keep_freed_memory();
}

void use_absolute_paths(RunOptions& options) {
  options.data = with_absolute_paths(options.data);
  std::string& file = options.split.labels_file;
  if (!file.empty()) file = fs::absolute(file).lexically_normal().string();
}

// Throws a usage error for an option that was set but must not change.
void check_changes(const OptionSet& options, const fs::path& folder) {
  for (const Option& option : options.all()) {
    if (!option.given || may_differ_on_resume(option.name)) continue;
    throw usage_error(
        fmt::format("--{} cannot be combined with --resume, which keeps the options of the run; start a new run with "
                    "--init-from {}",
                    option.name, folder.string()));
  }
}

// What makes the results differ from those of an uninterrupted run, or the run slow. `options` are resolved.
std::vector<std::string> machine_warnings(const CheckpointState& saved, const RunOptions& options) {
  std::vector<std::string> warnings;
  const at::Device device = resolve_device(options.device);
  const std::string type = at::DeviceTypeName(device.type(), /*lower_case=*/true);
  const std::string libtorch = this_machine().libtorch;
  const auto threads = saved.options.at("threads").get<int64_t>();
  if (!saved.device.empty() && saved.device != type) {
    warnings.push_back(fmt::format(
        "the run used the device {}; {} draws other random numbers, so results differ from an uninterrupted run",
        saved.device, type));
  } else if (!saved.libtorch.empty() && saved.libtorch != libtorch) {
    warnings.push_back(
        fmt::format("the run used LibTorch {}; with {}, results differ in their last bits", saved.libtorch, libtorch));
  }
  if (options.threads != threads) {
    warnings.push_back(
        fmt::format("the run used {} threads; with {}, results differ in their last bits", threads, options.threads));
  }
  if (options.precision == PrecisionChoice::kBf16 && device.is_cpu() && !has_native_bf16()) {
    warnings.emplace_back("the run uses bf16, which this processor only emulates, many times slower");
  }
  return warnings;
}

// The command in the first line of a run's options file.
std::string command_in(const fs::path& options_file) {
  const std::string text = read_file(options_file);
  return text.starts_with("# ") ? text.substr(2, text.find('\n') - 2) : "";
}

}  // namespace

struct Training::Impl {
  std::unique_ptr<RunRequest> request;  // its options point into the method that `run` owns
  fs::path folder;
  std::string command;  // repeats the run
  bool is_new = false;
  std::optional<NewRunFolder> new_folder;
  std::unique_ptr<TrainingRun> run;

  void prepare(Dataset data, LabelSplit split) {
    use_absolute_paths(request->run);
    run = std::make_unique<TrainingRun>(request->run, std::move(request->method), std::move(data), std::move(split));
  }
  void fix_steps() {
    run->fix_steps();
    request->run = run->options();  // now with the number of steps
  }
};

Training::Training(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Training::Training(Training&& other) noexcept = default;
Training& Training::operator=(Training&& other) noexcept = default;
Training::~Training() = default;

Training Training::start(std::unique_ptr<RunRequest> request, const StartOptions& options) {
  RunOptions& run = request->run;
  validate(*request);
  std::vector<std::string> arguments = options.arguments;
  if (arguments.empty()) arguments = changed_arguments(request->options);
  std::optional<Checkpoint> weights;
  if (!options.init_from.empty()) weights = load_checkpoint(options.init_from);
  auto impl = std::make_unique<Impl>();
  impl->request = std::move(request);
  impl->is_new = true;
  if (options.folder.empty()) {
    impl->folder = unused_run_folder(options.name.empty() ? run.method : options.name);
  } else {
    impl->folder = options.folder;
    std::vector<fs::path> inputs = options.inputs;
    if (!run.split.labels_file.empty()) inputs.emplace_back(run.split.labels_file);
    check_run_folder(impl->folder, inputs);
  }
  resolve_machine(run);
  if (!options.dry_run)
    impl->new_folder.emplace(impl->folder);  // before the work, so that an unusable path fails at once
  Dataset data = load_dataset(run.data, options.data_root);
  LabelSplit split = split_labels(data, run.split);
  impl->prepare(std::move(data), std::move(split));
  if (weights) {
    impl->run->begin_from(*weights);
  } else {
    impl->run->begin();
  }
  impl->fix_steps();
  impl->command = train_command(arguments, run.steps);
  return Training(std::move(impl));
}

Training Training::resume(const fs::path& folder, const ResumeOptions& options) {
  if (!fs::exists(folder / kOptionsFile)) {
    throw Error(fmt::format("{}: not a run folder: has no {}; give the folder that contains {}/", folder.string(),
                            kOptionsFile, kCheckpointsFolder));
  }
  const auto warn = [&](const std::vector<std::string>& warnings) {
    if (!options.warn) return;
    for (const std::string& warning : warnings) options.warn(warning);
  };
  const Checkpoint checkpoint = load_checkpoint(folder);
  warn(checkpoint.warnings);
  auto impl = std::make_unique<Impl>();
  impl->folder = folder;
  impl->request = make_run_request(checkpoint.state.method);
  OptionSet& set = impl->request->options;
  set.set_values(checkpoint.state.options, checkpoint.path.string());
  for (Option& option : set.all()) option.given = false;
  if (options.change) options.change(set);
  check_changes(set, folder);
  validate(*impl->request);
  RunOptions& run = impl->request->run;
  resolve_machine(run);
  warn(machine_warnings(checkpoint.state, run));
  Dataset data = load_dataset(run.data, options.data_root);
  LabelSplit split = label_split_from_json(checkpoint.state.label_split, data, checkpoint.path.string());
  impl->prepare(std::move(data), std::move(split));
  impl->run->resume(checkpoint);
  impl->fix_steps();
  impl->command = command_in(folder / kOptionsFile);
  return Training(std::move(impl));
}

const fs::path& Training::folder() const {
  return impl_->folder;
}

const RunOptions& Training::options() const {
  return impl_->run->options();
}

int64_t Training::steps_done() const {
  return impl_->run->steps_done();
}

std::string Training::plan_text() {
  return frgan::plan_text(impl_->run->plan());
}

RunResult Training::run(Progress& progress, const std::atomic<int>& stop_signal) {
  const OptionSet& options = impl_->request->options;
  if (impl_->is_new) {
    write_file_safely(impl_->folder / kOptionsFile, fmt::format("# {}\n\n{}", impl_->command, config_text(options)));
    write_label_split(impl_->folder / kLabelsFile, impl_->run->split());
  }
  return impl_->run->train({impl_->folder, options.values(), impl_->command}, progress, stop_signal);
}

RunResult Training::run() {
  std::ostream nowhere(nullptr);
  Progress progress({nowhere, [] { return 0; }, [] { return 0.0; }}, options().steps, steps_done(), /*quiet=*/true);
  const std::atomic<int> no_signal = 0;
  return run(progress, no_signal);
}

}  // namespace frgan
