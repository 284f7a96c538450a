#include "frgan/train/run.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include <c10/core/DeviceType.h>
#include <fmt/format.h>
#include <torch/types.h>

#include "frgan/classifier/inference.h"
#include "frgan/core/error.h"
#include "frgan/core/run_files.h"
#include "frgan/core/version.h"
#include "frgan/data/augment.h"
#include "frgan/device/device.h"
#include "frgan/device/random.h"
#include "frgan/io/checkpoint_files.h"
#include "frgan/io/digests.h"
#include "frgan/io/files.h"
#include "frgan/io/held_folder.h"
#include "frgan/io/json_file.h"
#include "frgan/io/json_lines.h"
#include "frgan/methods/methods.h"
#include "frgan/metrics/evaluation.h"
#include "frgan/metrics/statistics.h"
#include "frgan/metrics/unknown_classes.h"
#include "frgan/nn/input_normalization.h"
#include "frgan/train/diagnostics.h"
#include "frgan/train/encoder_features.h"
#include "frgan/train/encoder_options.h"
#include "frgan/train/step_budget.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kGridImages = 100;

Error non_finite_error(const std::string& what, const std::string& when, int64_t step) {
  return Error(
      fmt::format("{} is not finite (NaN or infinite) {} step {}; training stopped, the last checkpoint is kept; try a "
                  "lower --learning-rate or --precision fp32",
                  what, when, step));
}

// The names of the networks: what is before the first dot of the tensors' names.
std::set<std::string> networks_of(const NamedTensors& model) {
  std::set<std::string> names;
  for (const auto& [name, tensor] : model) names.insert(name.substr(0, name.find('.')));
  return names;
}

// Throws an Error if the checkpoint is of another method with other networks.
void check_same_networks(const Checkpoint& checkpoint, const std::string& method, const NamedTensors& model) {
  const std::set<std::string> saved = networks_of(checkpoint.files.at("model")), needed = networks_of(model);
  if (saved == needed) return;
  throw Error(fmt::format(
      "{}: trained with method '{}', which has the networks {}; method '{}' has {}; --init-from needs a "
      "run with the same networks",
      checkpoint.path.string(), checkpoint.state.method, fmt::join(saved, ", "), method, fmt::join(needed, ", ")));
}

// Does the work. Returns false if a stop ended it early.
bool run_unless_stopped(const std::function<void()>& work) try {
  work();
  return true;
} catch (const Error& error) {
  if (error.kind() != ErrorKind::kStopped) throw;
  return false;
}

Policies policies_for(const RunOptions& options, const Dataset& data) {
  Policies policies = augmentation_policies(options.augmentation);
  check_flips(policies, data.name);
  return policies;
}

// What the method is built for.
Problem problem_of(const RunOptions& options, const Dataset& data, const LabelSplit& split) {
  const int64_t kept = std::ssize(split.kept);
  return {.shape = {data.image_size, data.channels, data.classes()},
          .seed = static_cast<uint64_t>(options.seed),
          .precision = options.precision == PrecisionChoice::kBf16 ? Precision::kBf16 : Precision::kFull,
          .device = resolve_device(options.device),
          .train_images = kept > 0 ? kept : data.train.size() - std::ssize(split.dev),
          .labeled_images = std::ssize(split.labeled)};
}

std::unique_ptr<Method> built_method(std::unique_ptr<Method> method, const Problem& problem) {
  method->validate();
  method->build(problem);
  return method;
}

// quality.json of a finished run. Warns if it is damaged.
std::optional<Quality> read_intact_quality(const fs::path& path, Progress& progress) try {
  return read_quality(path);
} catch (const Error& error) {
  progress.warn(error.what());
  return std::nullopt;
}

}  // namespace

TrainingRun::TrainingRun(RunOptions options, std::unique_ptr<Method> method, Dataset data, LabelSplit split,
                         Stopwatch begun)
    : options_(std::move(options)),
      data_(std::move(data)),
      split_(std::move(split)),
      problem_(problem_of(options_, data_, split_)),
      method_(built_method(std::move(method), problem_)),
      batches_(data_.train.to(problem_.device), split_,
               {.policies = policies_for(options_, data_), .seed = problem_.seed}),
      trainer_(*method_, problem_, batches_, options_.steps, options_.skip_outliers),
      pace_(options_, trainer_.plan(), problem_.device.is_cpu(), begun) {
  if (!split_.dev.empty()) dev_ = data_.train.rows(split_.dev);
}

void TrainingRun::begin(const Encoder* encoder) {
  std::vector<std::shared_ptr<torch::nn::Module>> networks;
  for (const Player& player : method_->players()) networks.push_back(player.network);
  if (encoder == nullptr) {
    fit_input_normalization(networks, data_.train.images, at::tensor(batches_.rows_of(Pool::kAll), at::kLong));
  } else {
    encoder_ = provenance_of(*encoder);
    for (const auto& network : networks) {
      if (const auto classifier = std::dynamic_pointer_cast<Network>(network)) load_encoder(*classifier, *encoder);
    }
  }
  compute_features();
  trainer_.initialize();
}

void TrainingRun::compute_features() {
  if (const NetworkPtr encoder = method_->encoder()) {
    set_encoder_features(batches_, *encoder, data_.train, trainer_.stages(), problem_);
  }
}

void TrainingRun::begin_from(const Checkpoint& checkpoint) {
  check_classes(data_, checkpoint.state.class_names);
  if (trainer_.stages().size() > 1) {
    throw usage_error(fmt::format(
        "--init-from cannot be combined with --method {}: its later stages start from the earlier ones; remove it",
        options_.method));
  }
  check_same_networks(checkpoint, options_.method, trainer_.state().at("model"));
  const auto restore = [&](const std::string& file) {
    TensorFiles start = copies_of(trainer_.state());  // with moments of 0
    start[file] = checkpoint.files.at(file);
    trainer_.restore(start, 0, checkpoint.path.string());
  };
  restore("model");
  trainer_.reset_followers();
  restore("average");
  compute_features();
}

void check_same_data(const Checkpoint& checkpoint, const Dataset& data) {
  const std::string difference = data_difference(checkpoint, data);
  if (difference.empty()) return;
  throw Error(
      fmt::format("{}: data mismatch: {} no longer has the data that the run was trained on: {}; restore the original "
                  "data, or start a new run with --init-from",
                  checkpoint.path.string(), data.source, difference));
}

void TrainingRun::resume(const Checkpoint& checkpoint) {
  check_same_data(checkpoint, data_);
  if (checkpoint.state.recipe != recipe()) {
    throw Error(fmt::format(
        "{}: training recipe mismatch: the run has recipe {}, this version of frgan has {}; finish the run with frgan "
        "{}, or start a new run with --init-from",
        checkpoint.path.string(), checkpoint.state.recipe, recipe(), checkpoint.state.frgan_version));
  }
  trainer_.plan() = checkpoint.state.plan;
  trainer_.restore(checkpoint.files, checkpoint.state.step, checkpoint.path.string());
  encoder_ = checkpoint.state.encoder;
  compute_features();
  saved_step_ = checkpoint.state.step;
  saved_planned_steps_ = checkpoint.state.planned_steps;
  saved_baseline_ = checkpoint.files.contains(kBaseline);
  seconds_ = checkpoint.state.seconds;
  pace_.resume(checkpoint.state.used_seconds);
  log_lines_ = checkpoint.state.log_lines;
}

double TrainingRun::measure_step(int timed) {
  const TensorFiles before = copies_of(trainer_.state());
  const int64_t step = trainer_.steps_done();
  double mean = 0;
  std::vector<StageCost> costs;
  for (size_t stage = 0; stage < trainer_.stages().size(); ++stage) {
    std::vector<double> seconds;
    for (int i = 0; i < 2 * timed; ++i) {
      const Stopwatch stopwatch;
      trainer_.trial_step(stage);
      trainer_.take_losses();  // waits for the device
      if (i >= timed) seconds.push_back(stopwatch.seconds());
    }
    costs.push_back({trainer_.stages()[stage].share, median(seconds)});
    mean += costs.back().share * costs.back().seconds;
  }
  trainer_.discard_losses();
  trainer_.restore(before, step, "state before the measurement");
  pace_.set_stage_costs(std::move(costs));
  step_seconds_ = mean;
  return mean;
}

// Estimates the seconds of an evaluation of all development and test images from up to 500 images, fewer if they are
// large.
double TrainingRun::measure_evaluation() {
  const int64_t images = dev_.size() + data_.test.size();
  if (images == 0) return 0;
  const ImageSet& set = data_.test.size() > 0 ? data_.test : dev_;
  const int64_t some = std::clamp<int64_t>(2 * inference_batch(data_.image_size), 20, 500);
  const ImageSet sample{set.images.slice(0, 0, some), set.labels.slice(0, 0, some)};
  const Stopwatch stopwatch;
  evaluate(*trainer_.classifier(), sample, problem_.precision);
  return stopwatch.seconds() * static_cast<double>(images) / static_cast<double>(sample.size());
}

void TrainingRun::fix_plan() {
  const PaceMeasurements measure{.step = [this](int timed) { return measure_step(timed); },
                                 .evaluation = [this] { return measure_evaluation(); }};
  pace_.set_evaluations_begin(trainer_.classifier_begin());
  pace_.fix(steps_done(), epoch_steps(), measure);
  // The costs of the stages that `fix` measured may be those of another number of threads.
  if (trainer_.stages().size() > 1) measure_step(/*timed=*/3);
  if (planned_steps() > 0) trainer_.check_length();
  if (pace_.step_seconds()) step_seconds_ = pace_.step_seconds();
}

int64_t TrainingRun::epoch_steps() const {
  return batches_.steps_per_epoch(mean_over_stages(trainer_.stages(), epoch_images_per_step));
}

double TrainingRun::epochs(int64_t steps) const {
  return static_cast<double>(steps) / static_cast<double>(epoch_steps());
}

RunPlan TrainingRun::plan() {
  RunPlan plan{.data = fmt::format("{}, {} x {} x {}, {} classes, from {}", data_.name, data_.image_size,
                                   data_.image_size, data_.channels, data_.classes(), data_.source),
               .encoder = encoder_.is_object() ? provenance_text(encoder_) : "",
               .notes = data_.notes,
               .all = {"all", static_cast<int64_t>(split_.labeled.size()), batches_.all_images(), dev_.size(),
                       data_.test.size()},
               .method = options_.method,
               .precision = precision_name(problem_.precision),
               .device = problem_.device.str(),
               .threads = this_machine().threads,
               .steps = planned_steps(),
               .steps_left = planned_steps() - steps_done(),
               .epochs = epochs(planned_steps()),
               .seconds_per_step = step_seconds_ ? *step_seconds_ : measure_step(/*timed=*/1),
               .evaluations_left = pace_.evaluations_left(steps_done())};
  if (pace_.evaluation_seconds() == 0) pace_.set_evaluation_seconds(measure_evaluation());
  plan.seconds_per_evaluation = pace_.evaluation_seconds();
  plan.seconds_left = pace_.seconds_left(steps_done(), plan.seconds_per_step);
  plan.peak_memory_bytes = this_machine().peak_memory_bytes;
  plan.notes.insert(plan.notes.end(), split_.notes.begin(), split_.notes.end());
  const bool train_has_dev = split_.kept.empty();
  const std::vector<int64_t> train =
      class_counts(train_has_dev ? data_.train : data_.train.rows(split_.kept), data_.classes());
  const std::vector<int64_t> dev = class_counts(dev_, data_.classes());
  const std::vector<int64_t> test = class_counts(data_.test, data_.classes());
  for (size_t label = 0; label < data_.class_names.size(); ++label) {
    const int64_t unlabeled = train[label] - (train_has_dev ? dev[label] : 0);
    plan.classes.push_back({data_.class_names[label], split_.counts[label], unlabeled, dev[label], test[label]});
  }
  plan.without_label = train.back();
  for (const Trainer::Term& term : trainer_.terms()) {
    if (term.weight.empty()) continue;
    const auto weight = [&](double progress) { return trainer_.scheduled(term.weight, progress); };
    plan.terms.push_back({term.name, {weight(0), weight(1.0 / 3), weight(1)}});
  }
  return plan;
}

RunResult TrainingRun::train(const RunOutput& planned_output, Progress& progress, const std::atomic<int>& stop_signal) {
  RunOutput output = planned_output;
  HeldFolder folder(output.folder);
  const fs::path checkpoints = output.folder / kCheckpointsFolder;
  remove_checkpoints_after(checkpoints, trainer_.steps_done());
  stopped_ = [&stop_signal] { return stop_signal != 0; };
  const fs::path summary_file = output.folder / kSummaryFile;
  if (is_finished() && has_run_summary(summary_file, steps_done())) return result_of_finished(output, progress);
  fs::remove(summary_file);  // of an earlier training to the same step
  RunRecorder recorder({.folder = output.folder,
                        .options = output.options,
                        .first_step = trainer_.steps_done(),
                        .classes = problem_.shape.classes,
                        .tensorboard = options_.tensorboard},
                       progress);
  recorder.report_repairs(log_lines_);
  // A resumed run with a time budget stores how much of it killed processes used.
  if (!has_checkpoints(checkpoints) || pace_.has_time_budget()) write_checkpoint(output, recorder);
  pace_.write(output.folder);
  time_spent_ = {.before_first_step = process_seconds()};  // includes the first checkpoint
  const Stopwatch total(seconds_);
  first_step_ = steps_done();
  first_seconds_ = seconds_;
  Stopwatch since_checkpoint;
  run_unless_stopped([&] {
    repeat_stopped_evaluation(recorder);
    if (pace_.has_time_budget() && !is_finished()) pace_.replan(steps_done(), 0);
    while (!is_finished() && stop_signal == 0) {
      train_step(recorder);
      seconds_ = total.seconds();
      follow(folder, output, recorder);
      const RunPosition position = pace_.position(steps_done());
      if (log_due(options_, position)) log_step(recorder);
      if (is_finished()) break;
      if (samples_due(options_, position)) write_samples(recorder);
      if (evaluation_due(options_, position, pace_.default_evaluations())) {
        evaluate_and_record(recorder);
        follow(folder, output, recorder);
      }
      if (pace_.has_time_budget() && replan_due(position)) {
        seconds_ = total.seconds();
        pace_.replan(steps_done(), step_seconds());
        pace_.write(output.folder);
        recorder.set_steps(planned_steps());
      }
      if (since_checkpoint.seconds() > 60 * options_.checkpoint_minutes) {
        follow(folder, output, recorder);
        write_checkpoint(output, recorder);
        since_checkpoint = Stopwatch();
      }
    }
  });
  follow(folder, output, recorder);
  RunResult result;
  if (is_finished() && run_unless_stopped([&] { result = finish(folder, output, recorder, total); })) return result;
  follow(folder, output, recorder);
  return stopped(output, recorder);
}

// Continues in the run folder if it was renamed. Throws an Error if it was removed.
void TrainingRun::follow(HeldFolder& folder, RunOutput& output, RunRecorder& recorder) {
  if (!folder.was_moved()) return;
  output.folder = folder.path();
  recorder.follow(output.folder);
}

void TrainingRun::train_step(RunRecorder& recorder) {
  pace_.prepare(steps_done());
  const Stopwatch stopwatch;
  images_ += images_per_step(trainer_.stage());
  trainer_.step();
  const std::string message = pace_.after_step(steps_done(), stopwatch.seconds());
  if (!message.empty()) recorder.say(message);
}

// A stop ends an evaluation early. The checkpoint is then of the step that was evaluated.
void TrainingRun::repeat_stopped_evaluation(RunRecorder& recorder) {
  if (steps_done() == 0 || is_finished()) return;
  if (!evaluation_due(options_, pace_.position(steps_done()), pace_.default_evaluations())) return;
  evaluate_and_record(recorder);
}

// Images whose evaluation after this step is in the log are not evaluated again.
void TrainingRun::evaluate_and_record(RunRecorder& recorder) {
  if (!trainer_.has_trained_classifier()) return;
  const Stopwatch stopwatch;
  bool all = true;
  for (const EvaluatedImages role : {EvaluatedImages::kDev, EvaluatedImages::kTest}) {
    if (recorder.has_evaluation(role, steps_done())) {
      all = false;
      continue;
    }
    const auto evaluation = evaluate_on(role == EvaluatedImages::kDev ? dev_ : data_.test, role);
    if (!evaluation) continue;
    recorder.write(*evaluation);
    recorder.show(*evaluation);
  }
  if (all) pace_.set_evaluation_seconds(stopwatch.seconds());
}

// Seconds of the steps of this process, without evaluations and records.
double TrainingRun::step_seconds() const {
  return seconds_ - first_seconds_ - time_spent_.evaluations - time_spent_.records;
}

void TrainingRun::log_step(RunRecorder& recorder) {
  check_losses();
  std::optional<SkippedUpdates> skipped;
  if (options_.skip_outliers > 0) skipped = trainer_.take_skipped();
  recorder.write(StepRecord{.step = trainer_.steps_done(),
                            .epoch = epochs(trainer_.steps_done()),
                            .losses = trainer_.take_losses(),
                            .learning_rate = trainer_.learning_rate(),
                            .seconds = seconds_,
                            .skipped = skipped,
                            .seconds_left = expected_seconds_left()},
                 step_seconds(), images_);
}

double TrainingRun::expected_seconds_left() const {
  const double seconds = seconds_ - first_seconds_ - time_spent_.evaluations;  // of steps and their records
  const double step = seconds / static_cast<double>(steps_done() - first_step_);
  return pace_.seconds_left(steps_done(), step / pace_.relative_cost(first_step_, steps_done()));
}

// A run without a generator has no samples.
fs::path TrainingRun::write_samples(RunRecorder& recorder) {
  const std::optional<Sampler> sampler = method_->sampler();
  if (!sampler || !trainer_.has_trained_classifier()) return {};
  const ScopedTimer timer(time_spent_.records);
  check_losses();
  const uint64_t key = random_key(problem_.seed, Stream::kSampling);
  return recorder.write_samples(trainer_.steps_done(), sampled_images(*sampler, kGridImages, key, problem_));
}

RunResult TrainingRun::stopped(const RunOutput& output, RunRecorder& recorder) {
  return {.summary = summary(output),
          .checkpoint = is_finished() ? final_checkpoint(output, recorder) : write_checkpoint(output, recorder)};
}

RunResult TrainingRun::finish(HeldFolder& folder, RunOutput& output, RunRecorder& recorder, const Stopwatch& total) {
  check_losses();
  check_weights();
  const int64_t some = std::clamp<int64_t>(inference_batch(data_.image_size), 16, 100);
  const at::Tensor some_images = data_.train.images.slice(0, 0, some);
  class_probabilities(*trainer_.classifier(), some_images, problem_.precision);  // throws if the network is unusable
  calibrate();
  fit_baseline();
  measure_labeled_images();
  // The weights first: nothing that fails below loses them. The summary is written last. A run without one is not
  // complete, and --resume repeats what follows.
  RunResult result{.finished = true, .checkpoint = final_checkpoint(output, recorder)};
  result.samples = write_samples(recorder);
  const auto current_folder = [&] {
    follow(folder, output, recorder);
    return output.folder;
  };
  const bool has_test = data_.test.size() > 0;
  const EvaluatedImages primary = has_test ? EvaluatedImages::kTest : EvaluatedImages::kDev;
  std::optional<EvaluationRecord> test, dev;
  if (has_test) dev = evaluate_on(dev_, EvaluatedImages::kDev);
  result.quality = diagnose(has_test ? data_.test : dev_, primary, current_folder);
  if (result.quality) (has_test ? test : dev) = evaluation_record(primary, result.quality->count);
  std::vector<EvaluatedImages> roles;
  if (test) roles.push_back(EvaluatedImages::kTest);
  if (dev) roles.push_back(EvaluatedImages::kDev);
  if (dev) recorder.write(*dev);
  if (test) recorder.write(*test);
  seconds_ = total.seconds();
  result.summary = summary(output);
  result.summary.dev = dev;
  result.summary.test = test;
  result.summary.losses = recorder.losses();
  if (options_.skip_outliers > 0) result.summary.skipped_updates = recorder.skipped_updates();
  recorder.write_learning_curve(fmt::format("{} on {}, {} labels", options_.method, data_.name, split_.labeled.size()),
                                roles);
  recorder.finish(trainer_.steps_done());
  recorder.sync();
  result.summary.log_lines = recorder.log_lines();
  write_run_summary(current_folder() / kSummaryFile, result.summary);
  result.checkpoint = output.folder / kCheckpointsFolder / result.checkpoint.filename();  // the folder may have moved
  if (!result.samples.empty()) result.samples = samples_path(output.folder, steps_done());
  return result;
}

// Warns if the log of a finished run was damaged.
void TrainingRun::check_log(const fs::path& folder, Progress& progress) const {
  const fs::path log = folder / kLogFile;
  const int64_t written = read_json_object(folder / kSummaryFile).value("log_lines", log_lines_);
  const JsonLines lines = fs::exists(log) ? read_json_lines(log) : JsonLines{};
  if (!lines.damaged.empty()) {
    progress.warn(fmt::format("{}: {} in the log of this finished run", log.string(),
                              counted(std::ssize(lines.damaged), "damaged line")));
  } else if (std::ssize(lines.objects) < written) {
    progress.warn(fmt::format("{}: {} of the {} lines of this finished run are missing", log.string(),
                              written - std::ssize(lines.objects), written));
  }
}

// Evaluates again and writes nothing.
RunResult TrainingRun::result_of_finished(const RunOutput& output, Progress& progress) {
  check_log(output.folder, progress);
  const int64_t step = trainer_.steps_done();
  RunResult result{.summary = summary(output),
                   .checkpoint = output.folder / kCheckpointsFolder / checkpoint_name(step)};
  const fs::path samples = samples_path(output.folder, step), quality = output.folder / kQualityFile;
  if (fs::exists(samples)) result.samples = samples;
  if (fs::exists(quality)) result.quality = read_intact_quality(quality, progress);
  result.finished = run_unless_stopped([&] {
    result.summary.test = evaluate_on(data_.test, EvaluatedImages::kTest);
    result.summary.dev = evaluate_on(dev_, EvaluatedImages::kDev);
  });
  return result;
}

int64_t TrainingRun::recipe() const {
  return recipe_of(options_.method);
}

RunSummary TrainingRun::summary(const RunOutput& output) const {
  return {.method = options_.method,
          .command = output.command,
          .inherited = output.inherited,
          .encoder = encoder_,
          .data = data_.name,
          .data_digest = data_.digest,
          .split_digest = split_.digest,
          .options_digest = sha256(bytes_of(output.options.dump())),
          .recipe = recipe(),
          .steps = trainer_.steps_done(),
          .gflop_per_step = mean_step_flop(trainer_.stages()) * 1e-9,
          .wall_seconds = seconds_,
          .time_spent = time_spent_,
          .precision = precision_name(problem_.precision),
          .device = device_name(problem_.device),
          .policies = augmentation_policies_of(trainer_.stages())};
}

CheckpointState TrainingRun::checkpoint_state(const RunOutput& output, int64_t log_lines) const {
  return {.step = trainer_.steps_done(),
          .planned_steps = planned_steps(),
          .plan = trainer_.plan(),
          .seconds = seconds_,
          .used_seconds = pace_.used_seconds(),
          .log_lines = log_lines,
          .command = output.command,
          .inherited = output.inherited,
          .encoder = encoder_,
          .recipe = recipe(),
          .method = options_.method,
          .options = output.options,
          .shape = problem_.shape,
          .class_names = data_.class_names,
          .precision = problem_.precision,
          .resize = options_.data.resize,
          .calibration = calibration_,
          .classifier_trained = trainer_.has_trained_classifier(),
          .device = at::DeviceTypeName(problem_.device.type(), /*lower_case=*/true),
          .libtorch = this_machine().libtorch,
          .data_digest = data_.digest,
          .split_digest = split_.digest,
          .label_split = label_split_json(split_),
          .frgan_version = std::string(version())};
}

// The log is synced first: after a power failure, it has all lines up to the checkpoint. The same holds for the
// decisions in plan.json.
fs::path TrainingRun::write_checkpoint(const RunOutput& output, RunRecorder& recorder) {
  const ScopedTimer timer(time_spent_.records);
  const Stopwatch stopwatch;
  recorder.sync();
  pace_.write(output.folder);
  check_losses();
  check_weights();
  const fs::path folder = output.folder / kCheckpointsFolder;
  const fs::path path = folder / checkpoint_name(trainer_.steps_done());
  TensorFiles files = trainer_.state();
  if (baseline_) files[kBaseline] = tensors_of(*baseline_);
  if (class_means_.defined()) files[kClassMeans][kClassMeans] = class_means_;
  save_checkpoint(path, checkpoint_state(output, recorder.log_lines()), files);
  saved_step_ = steps_done();
  saved_baseline_ = baseline_.has_value();
  saved_planned_steps_ = planned_steps();
  prune_checkpoints(folder, options_.keep_checkpoints);
  pace_.set_checkpoint_seconds(stopwatch.seconds());
  return path;
}

// Not written again if the end of the run is repeated: its weights do not change. But a resumed run whose time budget
// is used up ends earlier than its checkpoint says, and a checkpoint of the last step may lack calibration and
// baseline.
fs::path TrainingRun::final_checkpoint(const RunOutput& output, RunRecorder& recorder) {
  if (saved_step_ != steps_done() || saved_planned_steps_ != planned_steps() || (baseline_ && !saved_baseline_)) {
    return write_checkpoint(output, recorder);
  }
  return output.folder / kCheckpointsFolder / checkpoint_name(saved_step_);
}

void TrainingRun::check_losses() const {
  const auto bad = trainer_.first_non_finite();
  if (bad) throw non_finite_error(fmt::format("loss term '{}'", bad->term), "at", bad->step);
}

void TrainingRun::check_weights() const {
  const auto bad = trainer_.first_non_finite_tensor();
  if (bad) throw non_finite_error(*bad, "after", trainer_.steps_done());
}

std::optional<EvaluationRecord> TrainingRun::evaluate_on(const ImageSet& set, EvaluatedImages role) {
  if (set.size() == 0) return std::nullopt;
  const ScopedTimer timer(time_spent_.evaluations);
  check_losses();
  return evaluation_record(role, evaluate(*trainer_.classifier(), set, problem_.precision, stopped_).all);
}

// Fits the temperature to the development images, or to the images that the method cross-validated if these are more.
void TrainingRun::calibrate() {
  const auto validated = method_->cross_validated();
  const auto held_out = [&](const at::Tensor& logits, const at::Tensor& labels) {
    const at::Tensor values = logits.to(at::kCPU, at::kDouble).contiguous(), all = labels.contiguous();
    const std::span<const int64_t> known = values_of(all);
    return HeldOutLogits{{values.data_ptr<double>(), values.data_ptr<double>() + values.numel()},
                         {known.begin(), known.end()},
                         problem_.shape.classes};
  };
  if (validated && validated->labels.numel() > dev_.size()) {
    calibration_ =
        frgan::calibrate(held_out(validated->logits, validated->labels), "labeled images (cross-validation)");
  } else if (dev_.size() > 0) {
    const ScopedTimer timer(time_spent_.evaluations);
    const at::Tensor logits = classify(*trainer_.classifier(), dev_.images, problem_.precision, stopped_).logits;
    calibration_ = frgan::calibrate(held_out(logits, dev_.labels), "development images");
  }
}

// At most `most` labeled images, with the labels that training saw.
ImageSet TrainingRun::labeled_images(int64_t most) const {
  std::vector<int64_t> rows, labels;
  const auto count = std::ssize(split_.labeled);
  const at::Tensor order = random_permutation(count, random_key(problem_.seed, Stream::kLabeledOrder));
  for (const int64_t i : values_of(order).first(static_cast<size_t>(std::min(count, most)))) {
    const auto place = static_cast<size_t>(i);
    rows.push_back(split_.labeled[place]);
    if (!split_.shown.empty()) labels.push_back(split_.shown[place]);
  }
  ImageSet images = data_.train.rows(rows);
  if (!labels.empty()) images.labels = adopt(std::move(labels), {std::ssize(rows)});
  return images;
}

void TrainingRun::fit_baseline() {
  const ImageSet labeled = labeled_images(1000);
  baseline_ = fit_pixel_classifier(labeled.images, labeled.labels, problem_.shape.classes);
}

// The error of the labeled images, and the means of their features.
void TrainingRun::measure_labeled_images() {
  const ScopedTimer timer(time_spent_.evaluations);
  const int64_t classes = problem_.shape.classes;
  const ImageSet labeled = labeled_images(std::max<int64_t>(200, 10 * classes));
  const Classified out = classify(*trainer_.classifier(), labeled.images, problem_.precision, stopped_);
  labeled_error_ = score_predictions(values_of(labeled.labels), most_probable(out.logits), classes).all.error();
  class_means_ = class_means(out.features, labeled.labels, classes).to(at::kFloat);
}

// For measure_quality on these images, after the three functions above.
QualityBasis TrainingRun::quality_basis(const ImageSet& set) const {
  return {.class_names = data_.class_names,
          .calibration = calibration_,
          .label_counts = split_.counts,
          .pixel_predictions = baseline_->predict(set.images),
          .pixel_side = PixelClassifier::kSide,
          .labeled_error = labeled_error_};
}

// Classifies the images and writes the files of write_diagnostics into folder().
std::optional<Quality> TrainingRun::diagnose(const ImageSet& set, EvaluatedImages role,
                                             const std::function<fs::path()>& folder) {
  if (set.size() == 0) return std::nullopt;
  const ScopedTimer timer(time_spent_.evaluations);
  const DiagnosedImages images{set, role, data_.class_names, data_.digest, split_.digest};
  const Diagnosis diagnosis =
      frgan::diagnose(*trainer_.classifier(), set, problem_.precision, calibration_.temperature, stopped_);
  const QualityBasis basis = quality_basis(set);
  return write_diagnostics(folder(), diagnosis, images, basis);
}

EvaluationRecord TrainingRun::evaluation_record(EvaluatedImages role, const ErrorCount& count) const {
  const Interval interval = count.interval();
  return {trainer_.steps_done(), role, count.error(), interval.low, interval.high, count.images};
}

}  // namespace frgan
