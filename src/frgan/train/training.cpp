#include "frgan/train/training.h"

#include <algorithm>
#include <optional>
#include <ostream>
#include <utility>

#include <c10/core/DeviceType.h>
#include <fmt/format.h>

#include "frgan/classifier/checkpoint.h"
#include "frgan/classifier/inference.h"
#include "frgan/core/error.h"
#include "frgan/core/run_files.h"
#include "frgan/data/image_hashes.h"
#include "frgan/data/label_split.h"
#include "frgan/data/labels_table.h"
#include "frgan/data/load_dataset.h"
#include "frgan/device/device.h"
#include "frgan/io/files.h"
#include "frgan/io/folder_lock.h"
#include "frgan/io/json_file.h"
#include "frgan/io/json_lines.h"
#include "frgan/report/run_summary.h"
#include "frgan/train/encoder_options.h"
#include "frgan/train/new_run_folder.h"
#include "frgan/train/run.h"
#include "frgan/train/run_command.h"
#include "frgan/train/stopwatch.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

// Sets the precision that "auto" stands for on this machine.
void resolve_machine(RunOptions& options) {
  const Precision precision = resolve_precision(options.precision, resolve_device(options.device));
  options.precision = precision == Precision::kBf16 ? PrecisionChoice::kBf16 : PrecisionChoice::kFp32;
  prepare_memory(options.threads);
}

void use_absolute_paths(RunOptions& options) {
  options.data = with_absolute_paths(options.data);
  for (std::string* file :
       {&options.split.labels_file, &options.plan, &options.encoder.file, &options.encoder.config}) {
    if (!file->empty()) *file = fs::absolute(*file).lexically_normal().string();
  }
}

// Throws a usage error for an option that was set but must not change.
void check_changes(const OptionSet& options, const CheckpointState& saved, const fs::path& folder) {
  for (const Option& option : options.all()) {
    if (!option.given || is_allowed_on_resume(option.name)) continue;
    // A table of labels belongs to the data, which may have moved.
    if (option.name == "labels-file" && is_labels_table(option.value().text()) &&
        is_labels_table(saved.options.value(option.name, ""))) {
      continue;
    }
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
  const auto threads = saved.options.value("threads", int64_t{0});
  if (!saved.device.empty() && saved.device != type) {
    warnings.push_back(fmt::format(
        "the run used the device {}; {} draws other random numbers, so results differ from an uninterrupted run",
        saved.device, type));
  } else if (!saved.libtorch.empty() && saved.libtorch != libtorch) {
    warnings.push_back(
        fmt::format("the run used LibTorch {}; with {}, results differ in their last bits", saved.libtorch, libtorch));
  }
  if (options.threads != threads && options.threads > 0) {
    const std::string used = threads > 0 ? counted(threads, "thread") : "a measured number of threads";
    warnings.push_back(
        fmt::format("the run used {}; with {}, results differ in their last bits", used, options.threads));
  }
  if (options.precision == PrecisionChoice::kBf16 && device.is_cpu() && !has_native_bf16()) {
    warnings.emplace_back("the run uses bf16, which this processor only emulates, many times slower");
  }
  return warnings;
}

// What a resumed run changes, as a shell comment for its command: "  # from step 500 on: --learning-rate=0.0001". Empty
// if it changes nothing but options that may differ.
std::string changes_text(const OptionSet& options, const CheckpointState& saved) {
  std::vector<std::string> changes;
  for (const Option& option : options.all()) {
    if ((!is_allowed_on_resume(option.name) && !option.given) || may_differ_on_resume(option.name)) continue;
    const Json value = option.value();
    if (value != saved.options.value(option.name, option.initial))
      changes.push_back(one_line(argument_of(option.name, value)));
  }
  return changes.empty() ? "" : fmt::format("  # from step {} on: {}", saved.step, fmt::join(changes, " "));
}

// What a run inherits from the run whose weights it starts from; for its summary and report.
Json inherited_from(const Checkpoint& checkpoint) {
  const CheckpointState& state = checkpoint.state;
  Json inherited{{"checkpoint", fs::absolute(checkpoint.path).lexically_normal().string()},
                 {"method", state.method},
                 {"step", state.step},
                 {"seconds", state.seconds},
                 {"labels", state.label_split.value("labeled", Json::array()).size()},
                 {"command", state.command}};
  // The summary describes the last checkpoint of the run only.
  const fs::path summary = run_folder_of(checkpoint.path) / kSummaryFile;
  if (has_run_summary(summary, state.step)) {
    inherited["test"] = read_json_object(summary.string()).value("test", Json());
  }
  return inherited;
}

StepPlan read_plan_of_run(const fs::path& path) {
  StepPlan plan = step_plan_from_json(read_json_object(path), path.string());
  if (plan.steps() == 0) throw Error(fmt::format("{}: the plan has no steps", path.string()));
  return plan;
}

// The decisions that a resumed run follows: those of --plan, or those that a killed process made after its last
// checkpoint. Empty if plan.json is missing, damaged, or of other decisions.
std::optional<StepPlan> recorded_plan(const fs::path& folder, const fs::path& plan_option, const CheckpointState& state,
                                      const Messages& messages) {
  fs::path path = folder / kPlanFile;
  if (!fs::exists(path) && !plan_option.empty()) {
    messages.warning(fmt::format("{}: no such file; {} is used", path.string(), plan_option.string()));
    path = plan_option;
  }
  if (!fs::exists(path)) return std::nullopt;
  try {
    const StepPlan plan = read_plan_of_run(path);
    if (plan.agrees_before(state.step, state.plan)) return plan;
    messages.warning(fmt::format("{}: differs from the checkpoint; the checkpoint is used", path.string()));
  } catch (const Error& error) {
    messages.warning(fmt::format("{}; the checkpoint is used", error.what()));
  }
  return std::nullopt;
}

// Seconds that a killed process trained after the checkpoint, according to the log. They count for the time budget.
double lost_seconds(const fs::path& folder, const CheckpointState& state) {
  if (!fs::exists(folder / kLogFile)) return 0;
  double last = state.seconds;
  for (const Json& line : read_json_lines(folder / kLogFile).objects) {
    const Json seconds = line.value("seconds", Json());
    if (seconds.is_number()) last = std::max(last, seconds.get<double>());
  }
  return last - state.seconds;
}

void write_images_file(const fs::path& path, const Dataset& data) {
  write_file_safely(path, with_checksum(image_hashes_json(image_hashes(data))).dump() + '\n');
}

// The labels that the run uses, if its images are files.
void write_labels_table(const fs::path& path, const LabelSplit& split, const Dataset& data) {
  if (data.train.files.empty()) return;
  std::vector<FileLabel> labels;
  for (size_t i = 0; i < split.labeled.size(); ++i) {
    const int64_t row = split.labeled[i];
    const int64_t label = split.shown.empty() ? data.train.labels.data_ptr<int64_t>()[row] : split.shown[i];
    labels.push_back({data.train.files[static_cast<size_t>(row)], data.class_names[static_cast<size_t>(label)]});
  }
  std::ranges::sort(labels, {}, &FileLabel::file);
  write_file_safely(path, labels_table_text(labels));
}

bool is_intact_split(const fs::path& path, const LabelSplit& split, const Dataset& data) try {
  return fs::exists(path) && read_label_split(path, data).digest == split.digest;
} catch (const Error&) {
  return false;
}

bool are_intact_hashes(const fs::path& path, const Dataset& data) try {
  return fs::exists(path) && difference_from(read_json_object(path), data, path.string()).empty();
} catch (const Error&) {
  return false;
}

// Writes labels.json and images.json again if they are missing or damaged. Returns a warning for each.
std::vector<std::string> restore_data_records(const fs::path& folder, const LabelSplit& split, const Dataset& data) {
  std::vector<std::string> warnings;
  const auto warn = [&](const fs::path& path) {
    warnings.push_back(fmt::format("{}: missing or damaged; it was written again", path.string()));
  };
  if (const fs::path path = folder / kLabelsFile; !is_intact_split(path, split, data)) {
    write_label_split(path, split);
    warn(path);
  }
  if (const fs::path path = folder / kImagesFile; !are_intact_hashes(path, data)) {
    write_images_file(path, data);
    warn(path);
  }
  return warnings;
}

// The label split of a new run. If the data does not allow an option, the error names the preset or file that set it.
LabelSplit drawn_labels(const Dataset& data, const RunRequest& request) try {
  return split_labels(data, request.run.split);
} catch (const Error& error) {
  throw with_source(error, request.options);
}

}  // namespace

struct Training::Impl {
  std::unique_ptr<RunRequest> request;  // its options point into the method that `run` owns
  fs::path folder;
  std::string command;  // repeats the run
  bool is_new = false;
  Json inherited;  // from another run; null if the run began with new weights
  std::optional<NewRunFolder> new_folder;
  std::optional<FolderLock> lock;  // of a resumed run
  Stopwatch begun;
  std::unique_ptr<TrainingRun> run;

  void prepare(Dataset data, LabelSplit split) {
    use_absolute_paths(request->run);
    run = std::make_unique<TrainingRun>(request->run, std::move(request->method), std::move(data), std::move(split),
                                        begun);
  }
  void fix_plan() {
    run->fix_plan();
    request->run = run->options();  // now with the number of steps
  }
  // The options of the command for the length of the run.
  std::vector<std::string> length() const {
    const RunOptions& options = run->options();
    if (!options.plan.empty()) return {"--plan", options.plan};
    if (options.steps == 0) return {"--plan", (folder / kPlanFile).string()};
    return {"--steps", std::to_string(options.steps)};
  }
};

Training::Training(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Training::Training(Training&& other) noexcept = default;
Training& Training::operator=(Training&& other) noexcept = default;
Training::~Training() = default;

Training Training::start(std::unique_ptr<RunRequest> request, const StartOptions& options) {
  RunOptions& run = request->run;
  if (!run.encoder.file.empty() && !options.init_from.empty()) {
    throw usage_error("--encoder cannot be combined with --init-from: both give the weights; give one of them");
  }
  std::optional<Encoder> encoder;
  if (!run.encoder.file.empty()) encoder = use_encoder(*request);
  validate(*request);
  std::vector<std::string> arguments = options.arguments;
  if (arguments.empty()) arguments = changed_arguments(request->options);
  std::optional<Checkpoint> weights;
  if (!options.init_from.empty())
    weights = load_checkpoint(options.init_from, CheckpointUse::kBeginFrom, /*allow_older=*/false, {});
  auto impl = std::make_unique<Impl>();
  impl->request = std::move(request);
  impl->is_new = true;
  impl->begun = Stopwatch(options.used_seconds);
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
  Dataset data = load_dataset(with_labels(run.data, run.split.labels_file), options.data_root, options.watch);
  if (encoder && data.channels != 3) {
    throw usage_error(fmt::format("--encoder {}: the weights need images with 3 channels; those of {} have {}",
                                  run.encoder.file, data.source, data.channels));
  }
  LabelSplit split = drawn_labels(data, *impl->request);
  impl->prepare(std::move(data), std::move(split));
  if (weights) {
    impl->run->begin_from(*weights);
    impl->inherited = inherited_from(*weights);
  } else {
    impl->run->begin(encoder ? &*encoder : nullptr);
  }
  if (!run.plan.empty()) impl->run->follow(read_plan_of_run(run.plan));
  impl->fix_plan();
  impl->command = train_command(arguments, impl->length());
  return Training(std::move(impl));
}

Training Training::resume(const fs::path& folder, const ResumeOptions& options) {
  if (!fs::exists(folder)) throw Error(fmt::format("{}: no such folder; expected a run folder", folder.string()));
  if (!fs::exists(folder / kCheckpointsFolder) && !fs::exists(folder / kOptionsFile)) {
    throw Error(fmt::format("{0}: not a run folder: has no {1}/; give the folder that contains {1}/", folder.string(),
                            kCheckpointsFolder));
  }
  const auto warn = [&](const std::vector<std::string>& warnings) {
    for (const std::string& warning : warnings) options.messages.warning(warning);
  };
  auto impl = std::make_unique<Impl>();
  impl->folder = folder;
  if (!options.dry_run) impl->lock.emplace(folder);
  Checkpoint checkpoint = load_checkpoint(folder, CheckpointUse::kResume);
  warn(checkpoint.warnings);
  checkpoint.state.used_seconds += lost_seconds(folder, checkpoint.state);
  impl->begun = Stopwatch(options.used_seconds);
  impl->request = make_run_request(std::string(method_of(checkpoint).name));
  OptionSet& set = impl->request->options;
  set.set_values(checkpoint.state.options, checkpoint.path.string());
  check_method(*impl->request, checkpoint.state.method);
  for (Option& option : set.all()) option.given = false;
  if (options.change) options.change(set);
  check_changes(set, checkpoint.state, folder);
  validate(*impl->request);
  RunOptions& run = impl->request->run;
  run.data.resize = checkpoint.state.resize;
  resolve_machine(run);
  warn(machine_warnings(checkpoint.state, run));
  const bool moves_data = set.find("data", "").given || set.find("data-dir", "").given;
  const DataOptions wanted = with_labels(run.data, run.split.labels_file);
  Dataset data = moves_data ? load_dataset(wanted, options.data_root, options.watch)
                            : load_run_data(wanted, options.data_root, options.watch);
  if (const int64_t added = leave_out_added_images(checkpoint, data); added > 0) {
    options.messages.note(fmt::format(
        "{}: {} added since the run began; the run does not use them; to use them, start a new run with --init-from {}",
        data.source, counted(added, "image"), folder.string()));
  }
  check_same_data(checkpoint, data);
  LabelSplit split = label_split_from_json(checkpoint.state.label_split, data, checkpoint.path.string());
  impl->prepare(std::move(data), std::move(split));
  impl->run->resume(checkpoint);
  if (const auto plan = recorded_plan(folder, run.plan, checkpoint.state, options.messages)) {
    impl->run->follow(*plan);
  }
  impl->fix_plan();
  impl->command = checkpoint.state.command + changes_text(set, checkpoint.state);
  impl->inherited = checkpoint.state.inherited;
  return Training(std::move(impl));
}

const fs::path& Training::folder() const {
  return impl_->folder;
}

const RunOptions& Training::options() const {
  return impl_->run->options();
}

int64_t Training::planned_steps() const {
  return impl_->run->planned_steps();
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
    write_images_file(impl_->folder / kImagesFile, impl_->run->data());
    write_labels_table(impl_->folder / kLabelsTable, impl_->run->split(), impl_->run->data());
  } else if (!has_run_summary(impl_->folder / kSummaryFile, steps_done())) {
    for (const std::string& warning : restore_data_records(impl_->folder, impl_->run->split(), impl_->run->data())) {
      progress.warn(warning);
    }
  }
  RunResult result =
      impl_->run->train({impl_->folder, options.values(), impl_->command, impl_->inherited}, progress, stop_signal);
  impl_->folder = result.checkpoint.parent_path().parent_path();  // may have been renamed meanwhile
  return result;
}

RunResult Training::run() {
  std::ostream nowhere(nullptr);
  Progress progress({nowhere, [] { return 0; }, [] { return 0.0; }}, planned_steps(), /*quiet=*/true);
  const std::atomic<int> no_signal = 0;
  return run(progress, no_signal);
}

}  // namespace frgan
