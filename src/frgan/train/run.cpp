#include "frgan/train/run.h"

#include <algorithm>
#include <cmath>
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
#include "frgan/metrics/evaluation.h"
#include "frgan/metrics/statistics.h"
#include "frgan/train/diagnostics.h"
#include "frgan/train/recipe.h"
#include "frgan/train/step_budget.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kGridImages = 100;

TensorFiles copies_of(const TensorFiles& files) {
  TensorFiles copies;
  for (const auto& [file, tensors] : files) {
    for (const auto& [name, tensor] : tensors) copies[file][name] = tensor.clone();
  }
  return copies;
}

Error non_finite_error(const std::string& what, const std::string& when, int64_t step) {
  return Error(
      fmt::format("{} is not finite (NaN or infinite) {} step {}; training stopped, the last checkpoint is kept; try a "
                  "lower --learning-rate or --precision fp32",
                  what, when, step));
}

std::unique_ptr<Method> built_method(std::unique_ptr<Method> method, const Problem& problem) {
  method->validate();
  method->build(problem);
  return method;
}

}  // namespace

TrainingRun::TrainingRun(RunOptions options, std::unique_ptr<Method> method, Dataset data, LabelSplit split,
                         Stopwatch begun)
    : options_(std::move(options)),
      data_(std::move(data)),
      split_(std::move(split)),
      problem_{.shape = {data_.image_size, data_.channels, data_.classes()},
               .seed = static_cast<uint64_t>(options_.seed),
               .precision = options_.precision == PrecisionChoice::kBf16 ? Precision::kBf16 : Precision::kFull,
               .device = resolve_device(options_.device)},
      method_(built_method(std::move(method), problem_)),
      batches_(data_.train.to(problem_.device), split_,
               {.augmentation = parse_augmentation(options_.augmentation.augmentation),
                .noise_range = method_->noise_range(),
                .seed = problem_.seed}),
      begun_(begun) {
  if (problem_.device.is_cpu()) {
    const int64_t threads = set_threads(options_.threads);
    if (options_.threads == 0 && options_.plan.empty()) team_.emplace(threads);
  }
  if (!split_.dev.empty()) dev_ = data_.train.rows(split_.dev);
  const auto source = [this](const BatchRequest& request, uint64_t draw, uint64_t part) {
    return batches_.next(request, draw, part);
  };
  trainer_ = std::make_unique<Trainer>(*method_, problem_, source, options_.steps);
}

void TrainingRun::begin() {
  trainer_->initialize();
}

void TrainingRun::begin_from(const Checkpoint& checkpoint) {
  check_classes(data_, checkpoint.state.class_names);
  TensorFiles start = copies_of(trainer_->state());  // with Adam moments of 0
  for (const std::string file : {"model", "average"}) {
    const auto saved = checkpoint.files.find(file);
    if (saved != checkpoint.files.end() && start.contains(file)) start[file] = saved->second;
  }
  trainer_->restore(start, 0, checkpoint.path.string());
}

void check_same_data(const Checkpoint& checkpoint, const Dataset& data) {
  if (checkpoint.state.data_digest == data.digest) return;
  throw Error(
      fmt::format("{}: data mismatch: {} no longer has the data that the run was trained on; restore the original "
                  "data, or start a new run with --init-from",
                  checkpoint.path.string(), data.source));
}

void TrainingRun::resume(const Checkpoint& checkpoint) {
  check_same_data(checkpoint, data_);
  if (checkpoint.state.recipe != kRecipe) {
    throw Error(fmt::format(
        "{}: training recipe mismatch: the run has recipe {}, this version of frgan has {}; finish the run with frgan "
        "{}, or start a new run with --init-from",
        checkpoint.path.string(), checkpoint.state.recipe, kRecipe, checkpoint.state.frgan_version));
  }
  trainer_->plan() = checkpoint.state.plan;
  trainer_->restore(checkpoint.files, checkpoint.state.step, checkpoint.path.string());
  seconds_ = checkpoint.state.seconds;
  used_before_ = checkpoint.state.used_seconds;
  log_lines_ = checkpoint.state.log_lines;
}

void TrainingRun::follow(const StepPlan& recorded) {
  const int64_t step = steps_done();
  if (step == 0) trainer_->plan() = recorded.until(0);
  if (!options_.plan.empty()) options_.steps = recorded.steps();
  recorded_ = {recorded.lengths_after(step), {}};
  if (options_.threads == 0) recorded_.teams = recorded.teams_after(step);  // --threads has precedence
}

double TrainingRun::measure_step(int timed) {
  const TensorFiles before = copies_of(trainer_->state());
  const int64_t step = trainer_->steps_done();
  std::vector<double> seconds;
  for (int i = 0; i < 2 * timed; ++i) {
    const Stopwatch stopwatch;
    trainer_->step();
    trainer_->take_losses();  // waits for the device
    if (i >= timed) seconds.push_back(stopwatch.seconds());
  }
  trainer_->restore(before, step, "state before the measurement");
  trainer_->discard_losses();
  step_seconds_ = median(seconds);
  return *step_seconds_;
}

// Estimates the seconds of an evaluation of all development and test images from up to 500 images.
double TrainingRun::measure_evaluation() {
  const int64_t images = dev_.size() + data_.test.size();
  if (images == 0) return 0;
  const ImageSet& set = data_.test.size() > 0 ? data_.test : dev_;
  const ImageSet sample{set.images.slice(0, 0, 500), set.labels.slice(0, 0, 500)};
  const Stopwatch stopwatch;
  evaluate(trainer_->classifier(), sample, problem_.precision);
  return stopwatch.seconds() * static_cast<double>(images) / static_cast<double>(sample.size());
}

void TrainingRun::fix_plan() {
  choose_threads();
  fix_steps();
}

// At the start of a run, times teams of several sizes. Later, the plan has the last decision.
void TrainingRun::choose_threads() {
  StepPlan& plan = trainer_->plan();
  const auto time = [this](int64_t threads) {
    constexpr double kShort = 0.1;  // seconds; a single short step is measured poorly
    set_threads(threads);
    const double seconds = measure_step(/*timed=*/1);
    return seconds < kShort ? measure_step(/*timed=*/4) : seconds;
  };
  if (problem_.device.is_cuda()) return;
  if (options_.threads > 0) {
    plan.use_threads(steps_done(), set_threads(options_.threads));
  } else if (!plan.teams().empty()) {
    const int64_t threads = set_threads(plan.teams().back().threads);
    if (team_) team_->settle(threads, time(threads));
  } else if (team_) {
    team_->choose(time);
    step_seconds_ = team_->step_seconds();
    plan.use_threads(steps_done(), set_threads(team_->threads()));
  }
}

void TrainingRun::fix_steps() {
  StepPlan& plan = trainer_->plan();
  evaluations_ = default_evaluations(HUGE_VAL, {});
  if (has_time_budget()) {
    const double seconds = parse_duration(options_.time_budget);
    costs_ = {.step = step_seconds_ ? *step_seconds_ : measure_step(/*timed=*/3), .evaluation = measure_evaluation()};
    evaluations_ = default_evaluations(seconds, costs_);
    if (plan.steps() > 0) return;  // a resumed run
    plan.replan(0, steps_in_time(options_, seconds - used_seconds(), costs_, evaluations_));
    if (plan.steps() > 0) return;
    throw usage_error(
        fmt::format("--time-budget {} is too short: loading took {:.2g} s, one step takes {:.2g} s and one evaluation "
                    "{:.2g} s on this machine; increase it",
                    options_.time_budget, used_seconds(), costs_.step, costs_.evaluation));
  }
  if (plan.steps() == 0) {
    if (options_.steps == 0) options_.steps = rounded_steps(options_.epochs * static_cast<double>(epoch_steps()));
    plan.replan(0, options_.steps);
  }
  if (options_.plan.empty()) options_.steps = plan.steps();
}

int64_t TrainingRun::epoch_steps() const {
  return batches_.steps_per_epoch(epoch_images_per_step(trainer_->stage()));
}

double TrainingRun::epochs(int64_t steps) const {
  return static_cast<double>(steps) / static_cast<double>(epoch_steps());
}

RunPlan TrainingRun::plan() {
  RunPlan plan{.data = fmt::format("{}, {} x {} x {}, {} classes, from {}", data_.name, data_.image_size,
                                   data_.image_size, data_.channels, data_.classes(), data_.source),
               .notes = data_.notes,
               .all = {"all", static_cast<int64_t>(split_.labeled.size()), batches_.unlabeled_images(), dev_.size(),
                       data_.test.size()},
               .method = options_.method,
               .precision = precision_name(problem_.precision),
               .device = problem_.device.str(),
               .threads = this_machine().threads,
               .steps = planned_steps(),
               .steps_left = planned_steps() - steps_done(),
               .epochs = epochs(planned_steps()),
               .seconds_per_step = step_seconds_ ? *step_seconds_ : measure_step(/*timed=*/1)};
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
  for (const Trainer::Term& term : trainer_->terms()) {
    const auto weight = [&](double progress) { return trainer_->scheduled(term.weight, progress); };
    plan.terms.push_back({term.name, {weight(0), weight(1.0 / 3), weight(1)}});
  }
  return plan;
}

RunResult TrainingRun::train(const RunOutput& begun, Progress& progress, const std::atomic<int>& stop_signal) {
  RunOutput output = begun;
  HeldFolder folder(output.folder);
  const fs::path checkpoints = output.folder / kCheckpointsFolder;
  remove_checkpoints_after(checkpoints, trainer_->steps_done());
  if (is_finished()) return result_of_finished(output);
  RunRecorder recorder({.folder = output.folder,
                        .options = output.options,
                        .first_step = trainer_->steps_done(),
                        .images_per_step = images_per_step(trainer_->stage()),
                        .classes = problem_.shape.classes,
                        .tensorboard = options_.tensorboard},
                       progress);
  recorder.report_repairs(log_lines_);
  const Stopwatch first_checkpoint;
  if (!has_checkpoints(checkpoints)) write_checkpoint(output, recorder);
  costs_.end = 2 * first_checkpoint.seconds();
  write_plan(output);
  time_spent_ = {.before_first_step = process_seconds()};  // includes the first checkpoint
  recorder.begin();
  const Stopwatch total(seconds_);
  Stopwatch since_checkpoint;
  measured_ = {steps_done(), total.seconds()};
  if (has_time_budget()) replan(total);

  while (!is_finished() && stop_signal == 0) {
    follow_recorded_plan();
    train_step(recorder);
    seconds_ = total.seconds();
    const RunPosition position = position_after(trainer_->plan(), steps_done());
    if (log_due(options_, position)) {
      log_step(recorder);
      if (folder.was_moved()) {
        output.folder = folder.path();
        recorder.follow(output.folder);
      }
    }
    if (is_finished()) break;
    if (samples_due(options_, position)) write_samples(recorder);
    if (evaluation_due(options_, position, evaluations_)) {
      const Stopwatch stopwatch;
      for (const auto& evaluation : {evaluate_on(dev_, "dev"), evaluate_on(data_.test, "test")}) {
        if (!evaluation) continue;
        recorder.write(*evaluation);
        recorder.show(*evaluation);
      }
      costs_.evaluation = stopwatch.seconds();
    }
    if (since_checkpoint.seconds() > 60 * options_.checkpoint_minutes) {
      write_checkpoint(output, recorder);
      since_checkpoint = Stopwatch();
    }
    if (has_time_budget() && replan_due(position)) {
      replan(total);
      write_plan(output);
      recorder.set_steps(planned_steps());
    }
  }
  return is_finished() ? finish(output, recorder, total) : stopped(output, recorder);
}

// Applies the decisions that an earlier process made after this number of steps.
void TrainingRun::follow_recorded_plan() {
  const int64_t step = steps_done();
  while (!recorded_.lengths.empty() && recorded_.lengths.front().step <= step) {
    trainer_->plan().replan(step, recorded_.lengths.front().steps_left);
    recorded_.lengths.erase(recorded_.lengths.begin());
  }
  while (!recorded_.teams.empty() && recorded_.teams.front().step <= step) {
    trainer_->plan().use_threads(step, set_threads(recorded_.teams.front().threads));
    recorded_.teams.erase(recorded_.teams.begin());
  }
}

void TrainingRun::train_step(RunRecorder& recorder) {
  if (!adapts_threads()) {
    trainer_->step();
    return;
  }
  trainer_->plan().use_threads(steps_done(), set_threads(team_->threads()));
  const int64_t before = team_->settled_threads();
  const double before_seconds = team_->step_seconds();
  const Stopwatch stopwatch;
  trainer_->step();
  if (team_->after_step(stopwatch.seconds(), run_queue_seconds)) {
    recorder.say(
        fmt::format("now {} thread{} instead of {}: {:.2g} s per step instead of {:.2g} s, "
                    "because the load of the cores changed",
                    team_->settled_threads(), team_->settled_threads() == 1 ? "" : "s", before, team_->step_seconds(),
                    before_seconds));
  }
}

// Divides the time that is left: updates the cost of a step, and with it the number of steps.
void TrainingRun::replan(const Stopwatch& total) {
  if (!recorded_.lengths.empty()) return;
  constexpr double kNewest = 0.5;  // weight of the newest measurement
  const int64_t step = steps_done();
  const double seconds = total.seconds() - time_spent_.evaluations - time_spent_.records;
  if (step > measured_.step) {
    const double newest = (seconds - measured_.seconds) / static_cast<double>(step - measured_.step);
    const double before = std::exchange(costs_.step, costs_.step + kNewest * (newest - costs_.step));
    costs_.evaluation *= costs_.step / before;  // a busy machine is slower for both
  }
  measured_ = {step, seconds};
  StepPlan& plan = trainer_->plan();
  const RunPosition position = position_after(plan, step);
  const double left = parse_duration(options_.time_budget) - used_seconds();
  const int64_t evaluations = evaluations_left(options_, position, evaluations_);
  plan.replan(step, std::max<int64_t>(step == 0 ? 1 : 0, steps_in_time(options_, left, costs_, evaluations)));
}

void TrainingRun::write_plan(const RunOutput& output) const {
  StepPlan plan = trainer_->plan();
  for (const auto& [step, left] : recorded_.lengths) plan.replan(step, left);
  for (const auto& [step, threads] : recorded_.teams) plan.use_threads(step, threads);
  write_file_safely(output.folder / kPlanFile, to_json(plan).dump() + '\n');
}

void TrainingRun::log_step(RunRecorder& recorder) {
  const ScopedTimer timer(time_spent_.records);
  check_losses();
  recorder.write(StepRecord{.step = trainer_->steps_done(),
                            .epoch = epochs(trainer_->steps_done()),
                            .losses = trainer_->take_losses(),
                            .learning_rate = trainer_->scheduled("learning_rate", trainer_->progress()),
                            .seconds = seconds_});
}

// A run without a generator has no samples.
fs::path TrainingRun::write_samples(RunRecorder& recorder) {
  if (method_->noise_size() == 0) return {};
  const ScopedTimer timer(time_spent_.records);
  check_losses();
  const at::Tensor noise = method_->sampling_noise(kGridImages, random_key(problem_.seed, Stream::kSampling), problem_);
  return recorder.write_samples(trainer_->steps_done(), method_->generate(noise));
}

RunResult TrainingRun::stopped(const RunOutput& output, RunRecorder& recorder) {
  write_plan(output);
  return {.summary = summary(output), .checkpoint = write_checkpoint(output, recorder)};
}

RunResult TrainingRun::finish(const RunOutput& output, RunRecorder& recorder, const Stopwatch& total) {
  check_losses();
  check_weights();
  const at::Tensor some_images = data_.train.images.slice(0, 0, kGridImages);
  class_probabilities(trainer_->classifier(), some_images, problem_.precision);  // throws if the network is unusable
  RunResult result{.finished = true, .samples = write_samples(recorder)};
  const bool has_test = data_.test.size() > 0;
  const auto dev = has_test ? evaluate_on(dev_, "dev") : diagnose(output.folder, dev_, "dev");
  const auto test = diagnose(output.folder, data_.test, "test");
  std::vector<std::string> roles;
  if (test) roles.emplace_back("test");
  if (dev) roles.emplace_back("dev");
  if (dev) recorder.write(*dev);
  if (test) recorder.write(*test);
  seconds_ = total.seconds();
  result.summary = summary(output);
  result.summary.dev = dev;
  result.summary.test = test;
  result.summary.losses = recorder.losses();
  write_run_summary(output.folder / kSummaryFile, result.summary);
  recorder.write_learning_curve(fmt::format("{} on {}, {} labels", options_.method, data_.name, split_.labeled.size()),
                                roles);
  recorder.finish(trainer_->steps_done());
  // The last checkpoint is written last. If it exists, the run is complete; else the run resumes from an older one.
  write_plan(output);
  result.checkpoint = write_checkpoint(output, recorder);
  return result;
}

// Evaluates again and writes nothing.
RunResult TrainingRun::result_of_finished(const RunOutput& output) {
  const int64_t step = trainer_->steps_done();
  RunResult result{.finished = true,
                   .summary = summary(output),
                   .checkpoint = output.folder / kCheckpointsFolder / checkpoint_name(step)};
  if (method_->noise_size() > 0) result.samples = samples_path(output.folder, step);
  result.summary.test = evaluate_on(data_.test, "test");
  result.summary.dev = evaluate_on(dev_, "dev");
  return result;
}

RunSummary TrainingRun::summary(const RunOutput& output) const {
  return {.method = options_.method,
          .command = output.command,
          .inherited = output.inherited,
          .data = data_.name,
          .data_digest = data_.digest,
          .split_digest = split_.digest,
          .options_digest = sha256(bytes_of(output.options.dump())),
          .recipe = kRecipe,
          .steps = trainer_->steps_done(),
          .gflop_per_step = method_->step_flop() * 1e-9,
          .wall_seconds = seconds_,
          .time_spent = time_spent_,
          .precision = precision_name(problem_.precision),
          .device = device_name(problem_.device)};
}

CheckpointState TrainingRun::checkpoint_state(const RunOutput& output, int64_t log_lines) const {
  return {.step = trainer_->steps_done(),
          .planned_steps = planned_steps(),
          .plan = trainer_->plan(),
          .seconds = seconds_,
          .used_seconds = used_seconds(),
          .log_lines = log_lines,
          .command = output.command,
          .inherited = output.inherited,
          .recipe = kRecipe,
          .method = options_.method,
          .options = output.options,
          .shape = problem_.shape,
          .class_names = data_.class_names,
          .precision = problem_.precision,
          .device = at::DeviceTypeName(problem_.device.type(), /*lower_case=*/true),
          .libtorch = this_machine().libtorch,
          .data_digest = data_.digest,
          .split_digest = split_.digest,
          .label_split = label_split_json(split_),
          .frgan_version = std::string(version())};
}

// The log is synced first: after a power failure, it has all lines up to the checkpoint.
fs::path TrainingRun::write_checkpoint(const RunOutput& output, RunRecorder& recorder) {
  const ScopedTimer timer(time_spent_.records);
  recorder.sync();
  check_losses();
  check_weights();
  const fs::path folder = output.folder / kCheckpointsFolder;
  const fs::path path = folder / checkpoint_name(trainer_->steps_done());
  save_checkpoint(path, checkpoint_state(output, recorder.log_lines()), trainer_->state());
  prune_checkpoints(folder, options_.keep_checkpoints);
  return path;
}

void TrainingRun::check_losses() const {
  const auto bad = trainer_->first_non_finite();
  if (bad) throw non_finite_error(fmt::format("loss term '{}'", bad->term), "at", bad->step);
}

void TrainingRun::check_weights() const {
  const auto bad = trainer_->first_non_finite_tensor();
  if (bad) throw non_finite_error(*bad, "after", trainer_->steps_done());
}

std::optional<EvaluationRecord> TrainingRun::evaluate_on(const ImageSet& set, const std::string& role) {
  if (set.size() == 0) return std::nullopt;
  const ScopedTimer timer(time_spent_.evaluations);
  check_losses();
  return evaluation_record(role, evaluate(trainer_->classifier(), set, problem_.precision).all);
}

// As evaluate_on, and also writes the files of write_diagnostics.
std::optional<EvaluationRecord> TrainingRun::diagnose(const fs::path& folder, const ImageSet& set,
                                                      const std::string& role) {
  if (set.size() == 0) return std::nullopt;
  const ScopedTimer timer(time_spent_.evaluations);
  const DiagnosedImages images{set, role, data_.class_names, data_.digest, split_.digest};
  return evaluation_record(role, write_diagnostics(folder, trainer_->classifier(), images, problem_.precision).all);
}

EvaluationRecord TrainingRun::evaluation_record(const std::string& role, const ErrorCount& count) const {
  const Interval interval = count.interval();
  return {trainer_->steps_done(), role, count.error(), interval.low, interval.high, count.images};
}

}  // namespace frgan
