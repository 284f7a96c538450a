#include "frgan/train/run.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <fmt/format.h>
#include <torch/types.h>

#include "frgan/core/error.h"
#include "frgan/core/schedules.h"
#include "frgan/core/version.h"
#include "frgan/data/augment.h"
#include "frgan/device/device.h"
#include "frgan/device/random.h"
#include "frgan/io/checkpoint_files.h"
#include "frgan/io/digests.h"
#include "frgan/io/files.h"
#include "frgan/metrics/evaluation.h"
#include "frgan/report/grid_layout.h"
#include "frgan/report/image_grid.h"
#include "frgan/report/learning_curve.h"
#include "frgan/report/tensorboard.h"
#include "frgan/train/diagnostics.h"
#include "frgan/train/recipe.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

// Default numbers of log lines, evaluations and image grids per run.
constexpr int64_t kLogCount = 200, kEvaluationCount = 10, kSampleCount = 10;
constexpr int64_t kGridImages = 100;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Adds the seconds of its lifetime to a sum.
class ScopedTimer {
 public:
  explicit ScopedTimer(double& seconds) : seconds_(seconds), begin_(now()) {}
  ScopedTimer(const ScopedTimer&) = delete;
  ScopedTimer& operator=(const ScopedTimer&) = delete;
  ~ScopedTimer() { seconds_ += now() - begin_; }

 private:
  double& seconds_;
  double begin_;
};

TensorFiles copies_of(const TensorFiles& files) {
  TensorFiles copies;
  for (const auto& [file, tensors] : files) {
    for (const auto& [name, tensor] : tensors) copies[file][name] = tensor.clone();
  }
  return copies;
}

// Rounds to an integer in the range of the option `steps`.
int64_t rounded_steps(double steps) {
  constexpr double kMaxSteps = 1e9;
  if (steps > kMaxSteps) {
    throw usage_error(
        fmt::format("the run is too long: {:.3g} steps; at most {:.0f} are allowed; reduce --epochs or --time-budget",
                    steps, kMaxSteps));
  }
  return std::max<int64_t>(1, std::llround(steps));
}

Error non_finite_error(const std::string& what, const std::string& when, int64_t step) {
  return Error(
      fmt::format("{} is not finite (NaN or infinite) {} step {}; training stopped, the last checkpoint is kept; try a "
                  "lower --learning-rate or --precision fp32",
                  what, when, step));
}

// A warning if the supervised loss is far above ln K, the loss of uniform guessing. Few such runs recover.
std::optional<std::string> divergence_warning(const StepRecord& record, int64_t classes) {
  constexpr double kFactor = 4;
  const double guessing = std::log(static_cast<double>(classes));
  for (const auto& [name, value] : record.losses) {
    if (name != "supervised" || value < kFactor * guessing) continue;
    return fmt::format(
        "warning: step {}: training diverged: the supervised loss is {:.3g}, random guessing gives {:.2f}; the run may "
        "not recover; use a lower --learning-rate",
        record.step, value, guessing);
  }
  return std::nullopt;
}

std::unique_ptr<Method> built_method(std::unique_ptr<Method> method, const Problem& problem) {
  method->validate();
  method->build(problem);
  return method;
}

}  // namespace

TrainingRun::TrainingRun(RunOptions options, std::unique_ptr<Method> method, Dataset data, LabelSplit split)
    : options_(std::move(options)),
      data_(std::move(data)),
      split_(std::move(split)),
      problem_{.shape = {data_.image_size, data_.channels, data_.classes()},
               .seed = static_cast<uint64_t>(options_.seed),
               .precision = options_.precision == "bf16" ? Precision::kBf16 : Precision::kFull,
               .device = resolve_device(options_.device)},
      method_(built_method(std::move(method), problem_)),
      batches_(data_.train.to(problem_.device), split_,
               {.augmentation = parse_augmentation(options_.augmentation.augmentation),
                .noise_range = method_->noise_range(),
                .seed = problem_.seed}) {
  if (!split_.dev.empty()) dev_ = data_.train.rows(split_.dev);
  const auto source = [this](const BatchRequest& request, uint64_t draw, uint64_t part) {
    return batches_.next(request, draw, part);
  };
  trainer_ = std::make_unique<Trainer>(*method_, problem_, source, std::max<int64_t>(1, options_.steps));
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

void TrainingRun::resume(const Checkpoint& checkpoint) {
  if (checkpoint.state.data_digest != data_.digest) {
    throw Error(
        fmt::format("{}: data mismatch: {} no longer has the data that the run was trained on; restore the original "
                    "data, or start a new run with --init-from",
                    checkpoint.path.string(), data_.source));
  }
  if (checkpoint.state.recipe != kRecipe) {
    throw Error(fmt::format(
        "{}: training recipe mismatch: the run has recipe {}, this version of frgan has {}; finish the run with frgan "
        "{}, or start a new run with --init-from",
        checkpoint.path.string(), checkpoint.state.recipe, kRecipe, checkpoint.state.frgan_version));
  }
  trainer_->set_planned_steps(checkpoint.state.planned_steps);
  trainer_->restore(checkpoint.files, checkpoint.state.step, checkpoint.path.string());
  seconds_ = checkpoint.state.seconds;
}

double TrainingRun::measure_step(int timed) {
  const TensorFiles before = copies_of(trainer_->state());
  const int64_t step = trainer_->steps_done();
  std::vector<double> seconds;
  for (int i = 0; i < 2 * timed; ++i) {
    const double begin = now();
    trainer_->step();
    trainer_->take_losses();  // waits for the device
    if (i >= timed) seconds.push_back(now() - begin);
  }
  trainer_->restore(before, step, "state before the measurement");
  trainer_->discard_losses();
  std::sort(seconds.begin(), seconds.end());
  step_seconds_ = seconds[seconds.size() / 2];
  return *step_seconds_;
}

double TrainingRun::step_seconds() {
  return step_seconds_ ? *step_seconds_ : measure_step(/*timed=*/1);
}

// Estimates the seconds of an evaluation of all development and test images from up to 500 images.
double TrainingRun::measure_evaluation() {
  const int64_t images = dev_.size() + data_.test.size();
  if (images == 0) return 0;
  const ImageSet& set = data_.test.size() > 0 ? data_.test : dev_;
  const ImageSet sample{set.images.slice(0, 0, 500), set.labels.slice(0, 0, 500)};
  const double begin = now();
  evaluate(trainer_->classifier(), sample, problem_.precision);
  return (now() - begin) * static_cast<double>(images) / static_cast<double>(sample.size());
}

// Sets the number of steps that fit into `seconds` together with the evaluations. With --evaluate-every, each step also
// pays its share of an evaluation. Without an option for evaluations, at most a tenth of the time goes to them.
void TrainingRun::fix_steps_by_time(double seconds) {
  const double step = measure_step(/*timed=*/3), evaluation = measure_evaluation();
  double left = seconds, per_step = step, evaluations = 0;
  if (options_.evaluations > 0) {
    left -= static_cast<double>(options_.evaluations) * evaluation;
  } else if (options_.evaluate_every > 0) {
    left -= evaluation;  // after the last step
    per_step += evaluation / static_cast<double>(options_.evaluate_every);
  } else if (evaluation > 0) {
    evaluations = std::clamp(std::floor(0.1 * seconds / evaluation), 1.0, static_cast<double>(kEvaluationCount));
    left -= evaluations * evaluation;
  }
  if (left < per_step) {
    throw usage_error(
        fmt::format("--time-budget {} is too short: one step takes {:.2g} s and one evaluation {:.2g} s on this "
                    "machine; increase it",
                    options_.time_budget, step, evaluation));
  }
  options_.steps = rounded_steps(left / per_step);
  if (evaluations > 0) {
    options_.evaluate_every = static_cast<int64_t>(std::ceil(static_cast<double>(options_.steps) / evaluations));
  }
}

void TrainingRun::fix_steps() {
  if (options_.steps == 0 && !options_.time_budget.empty()) fix_steps_by_time(parse_duration(options_.time_budget));
  if (options_.steps == 0) options_.steps = rounded_steps(options_.epochs * static_cast<double>(epoch_steps()));
  options_.time_budget.clear();
  trainer_->set_planned_steps(options_.steps);
}

std::string TrainingRun::plan_text(double seconds_per_step) const {
  const std::vector<int64_t> train_counts =
      class_counts(split_.kept.empty() ? data_.train : data_.train.rows(split_.kept), data_.classes());
  const std::vector<int64_t> test_counts = class_counts(data_.test, data_.classes());
  const std::vector<int64_t> dev_counts = class_counts(dev_, data_.classes());
  const bool train_has_dev = split_.kept.empty();  // then train_counts includes the development images
  std::string text = fmt::format("data: {}, {} x {} x {}, {} classes, from {}\n", data_.name, data_.image_size,
                                 data_.image_size, data_.channels, data_.classes(), data_.source);
  for (const std::string& note : data_.notes) text += fmt::format("note: {}\n", note);
  for (const std::string& note : split_.notes) text += fmt::format("note: {}\n", note);
  size_t width = 5;
  for (const std::string& name : data_.class_names) width = std::max(width, name.size());
  const std::string row = "  {:<{}}  {:>8}  {:>9}  {:>8}  {:>8}\n";
  text += fmt::format(fmt::runtime(row), "class", width, "labeled", "unlabeled", "dev", "test");
  const auto add_row = [&](const std::string& name, int64_t labeled, int64_t unlabeled, int64_t dev, int64_t test) {
    text += fmt::format(fmt::runtime(row), name, width, labeled, unlabeled, dev, test);
  };
  const size_t classes = data_.class_names.size(), shown = std::min<size_t>(classes, 20);
  for (size_t label = 0; label < shown; ++label) {
    const int64_t unlabeled = train_counts[label] - (train_has_dev ? dev_counts[label] : 0);
    add_row(data_.class_names[label], split_.counts[label], unlabeled, dev_counts[label], test_counts[label]);
  }
  if (shown < classes) text += fmt::format("  ... and {} more classes\n", classes - shown);
  if (train_counts[classes] > 0) add_row("(unknown)", 0, train_counts[classes], 0, 0);
  add_row("all", static_cast<int64_t>(split_.labeled.size()), batches_.unlabeled_images(), dev_.size(),
          data_.test.size());

  const double total = seconds_per_step * static_cast<double>(options_.steps - trainer_->steps_done());
  text += fmt::format(
      "{} for {} steps ({:.1f} epochs), {} on {}, {} thread{}\n"
      "expected time: about {} ({:.3g} s per step, without evaluations); peak memory so far: {:.1f} GiB\n",
      options_.method, options_.steps, static_cast<double>(options_.steps) / static_cast<double>(epoch_steps()),
      options_.precision, problem_.device.str(), options_.threads, options_.threads == 1 ? "" : "s",
      duration_text(total), seconds_per_step, static_cast<double>(this_machine().peak_memory_bytes) / (1 << 30));
  text += "weights of the loss terms at the start, after a third and at the end of the run:\n";
  for (const Trainer::Term& term : trainer_->terms()) {
    text += fmt::format("  {:<18} {:.4g}  {:.4g}  {:.4g}\n", term.name, trainer_->scheduled(term.weight, 0),
                        trainer_->scheduled(term.weight, 1.0 / 3), trainer_->scheduled(term.weight, 1));
  }
  return text;
}

RunResult TrainingRun::train(const fs::path& directory, const Json& values, const std::string& command,
                             Progress& progress, const std::atomic<int>& stop_signal) {
  const int64_t first_step = trainer_->steps_done();
  const fs::path checkpoints = directory / "checkpoints";
  remove_checkpoints_after(checkpoints, first_step);
  if (first_step == options_.steps) {  // the run is finished: its last checkpoint is written after everything else
    return {.steps = first_step,
            .finished = true,
            .test = evaluate_on(data_.test, "test"),
            .dev = evaluate_on(dev_, "dev"),
            .checkpoint = checkpoints / checkpoint_name(first_step),
            .samples = samples_path(directory)};
  }
  RunLog log(directory / "metrics.jsonl", first_step);
  std::optional<TensorBoardLog> events;
  if (options_.tensorboard) events.emplace(directory, first_step, values);
  const auto write = [&](const auto& record) {
    log.write(record);
    if (events) events->write(record);
  };
  const auto write_grid = [&] {
    const fs::path grid = write_samples(directory);
    if (events && !grid.empty()) events->write_samples(trainer_->steps_done(), grid);
    return grid;
  };
  RunResult result;
  if (!has_checkpoints(checkpoints)) result.checkpoint = write_checkpoint(directory, values);
  time_spent_ = {.before_first_step = process_seconds()};  // includes the first checkpoint
  StepRecord record;
  const double begin = now(), seconds_before = seconds_;
  double last_checkpoint = begin, last_log = begin;
  int64_t last_log_step = first_step;
  bool warned = false;

  while (trainer_->steps_done() < options_.steps && stop_signal == 0) {
    trainer_->step();
    seconds_ = seconds_before + now() - begin;
    const int64_t step = trainer_->steps_done();
    const bool last = step == options_.steps;
    if (last || due(options_.log_every, kLogCount)) {
      const ScopedTimer timer(time_spent_.records);
      check_losses();
      const double rate =
          static_cast<double>((step - last_log_step) * images_per_step(trainer_->stage())) / (now() - last_log);
      record = {.step = step,
                .epoch = epoch(),
                .losses = trainer_->take_losses(),
                .learning_rate = trainer_->scheduled("learning_rate", trainer_->progress()),
                .images_per_second = rate,
                .seconds = seconds_};
      last_log = now();
      last_log_step = step;
      write(record);
      progress.show(record);
      if (const auto warning = divergence_warning(record, problem_.shape.classes); warning && !warned) {
        progress.say(*warning);
        warned = true;
      }
    }
    if (!last && due(options_.sample_every, kSampleCount)) write_grid();
    if (!last && evaluation_due()) {
      for (const auto& evaluation : {evaluate_on(dev_, "dev"), evaluate_on(data_.test, "test")}) {
        if (!evaluation) continue;
        write(*evaluation);
        progress.say(fmt::format("step {}: {} error {:.2f} %", step, evaluation->role, 100 * evaluation->error));
      }
    }
    if (!last && now() - last_checkpoint > 60 * options_.checkpoint_minutes) {
      result.checkpoint = write_checkpoint(directory, values);
      last_checkpoint = now();
    }
  }

  result.steps = trainer_->steps_done();
  result.finished = result.steps >= options_.steps;
  if (!result.finished) {
    result.checkpoint = write_checkpoint(directory, values);
    return result;
  }
  check_losses();
  check_weights();
  result.samples = write_grid();
  const bool has_test = data_.test.size() > 0;
  result.dev = has_test ? evaluate_on(dev_, "dev") : diagnose(directory, dev_, "dev");
  result.test = diagnose(directory, data_.test, "test");
  if (result.dev) write(*result.dev);
  if (result.test) write(*result.test);
  seconds_ = seconds_before + now() - begin;
  write_run_summary(directory / "summary.json", {.method = options_.method,
                                                 .command = command,
                                                 .data = data_.name,
                                                 .data_digest = data_.digest,
                                                 .split_digest = split_.digest,
                                                 .options_digest = sha256(bytes_of(values.dump())),
                                                 .recipe = kRecipe,
                                                 .steps = result.steps,
                                                 .gflop_per_step = method_->step_flop() * 1e-9,
                                                 .wall_seconds = seconds_,
                                                 .time_spent = time_spent_,
                                                 .test = result.test,
                                                 .dev = result.dev,
                                                 .losses = record.losses,
                                                 .precision = options_.precision,
                                                 .device = device_name(problem_.device)});
  write_learning_curve(directory);
  if (events) events->finish(result.steps);
  // The last checkpoint is written last. If it exists, the run is complete; else the run resumes from an older one.
  result.checkpoint = write_checkpoint(directory, values);
  return result;
}

bool TrainingRun::due(int64_t every, int64_t count) const {
  const int64_t interval = every > 0 ? every : std::max<int64_t>(1, options_.steps / count);
  return trainer_->steps_done() % interval == 0;
}

bool TrainingRun::evaluation_due() const {
  if (options_.evaluations == 0) return due(options_.evaluate_every, kEvaluationCount);
  return evaluation_after(trainer_->steps_done(), options_.steps, options_.evaluations);
}

int64_t TrainingRun::epoch_steps() const {
  return batches_.steps_per_epoch(epoch_images_per_step(trainer_->stage()));
}

double TrainingRun::epoch() const {
  return static_cast<double>(trainer_->steps_done()) / static_cast<double>(epoch_steps());
}

CheckpointState TrainingRun::checkpoint_state(const Json& values) const {
  return {.step = trainer_->steps_done(),
          .planned_steps = options_.steps,
          .seconds = seconds_,
          .recipe = kRecipe,
          .method = options_.method,
          .options = values,
          .shape = problem_.shape,
          .class_names = data_.class_names,
          .precision = options_.precision,
          .data_digest = data_.digest,
          .split_digest = split_.digest,
          .label_split = label_split_json(split_),
          .frgan_version = std::string(version())};
}

void TrainingRun::check_losses() const {
  const auto bad = trainer_->first_non_finite();
  if (bad) throw non_finite_error(fmt::format("loss term '{}'", bad->term), "at", bad->step);
}

void TrainingRun::check_weights() const {
  const auto bad = trainer_->first_non_finite_tensor();
  if (bad) throw non_finite_error(*bad, "after", trainer_->steps_done());
}

fs::path TrainingRun::write_checkpoint(const fs::path& directory, const Json& values) {
  const ScopedTimer timer(time_spent_.records);
  check_losses();
  check_weights();
  const fs::path folder = directory / "checkpoints";
  const fs::path path = folder / checkpoint_name(trainer_->steps_done());
  save_checkpoint(path, checkpoint_state(values), trainer_->state());
  prune_checkpoints(folder, options_.keep_checkpoints);
  return path;
}

std::optional<EvaluationRecord> TrainingRun::evaluate_on(const ImageSet& set, const std::string& role) {
  if (set.size() == 0) return std::nullopt;
  const ScopedTimer timer(time_spent_.evaluations);
  check_losses();
  return evaluation_record(role, evaluate(trainer_->classifier(), set, problem_.precision).all);
}

// As evaluate_on, and also writes the files of write_diagnostics.
std::optional<EvaluationRecord> TrainingRun::diagnose(const fs::path& directory, const ImageSet& set,
                                                      const std::string& role) {
  if (set.size() == 0) return std::nullopt;
  const ScopedTimer timer(time_spent_.evaluations);
  const DiagnosedImages images{set, role, data_.class_names, data_.digest, split_.digest};
  return evaluation_record(role, write_diagnostics(directory, trainer_->classifier(), images, problem_.precision).all);
}

EvaluationRecord TrainingRun::evaluation_record(const std::string& role, const ErrorCount& count) const {
  const Interval interval = count.interval();
  return {trainer_->steps_done(), role, count.error(), interval.low, interval.high, count.images};
}

// Writes learning_curve.svg, a chart of the run's evaluations; nothing without test and development images.
void TrainingRun::write_learning_curve(const fs::path& directory) const {
  LearningCurves chart{
      fmt::format("{} on {}, {} labels", options_.method, data_.name, split_.labeled.size()), "error (%)", {}};
  if (data_.test.size() > 0) {
    chart.curves.push_back(read_curve(directory / "metrics.jsonl", "test_error", "test", /*scale=*/100));
  }
  if (dev_.size() > 0) {
    chart.curves.push_back(read_curve(directory / "metrics.jsonl", "dev_error", "development", /*scale=*/100));
  }
  if (!chart.curves.empty()) write_file_safely(directory / "learning_curve.svg", learning_curve_svg(chart));
}

fs::path TrainingRun::samples_path(const fs::path& directory) const {
  if (method_->noise_size() == 0) return {};
  return directory / "samples" / (checkpoint_name(trainer_->steps_done()) + ".png");
}

fs::path TrainingRun::write_samples(const fs::path& directory) {
  const fs::path path = samples_path(directory);
  if (path.empty()) return path;
  const ScopedTimer timer(time_spent_.records);
  check_losses();
  const at::Tensor noise = method_->sampling_noise(kGridImages, random_key(problem_.seed, Stream::kSampling), problem_);
  ensure_directory(path.parent_path());
  const at::Tensor pixels = to_pixels(method_->generate(noise));
  write_image_grid(path, view_of(pixels), kGridColumns);
  return path;
}

}  // namespace frgan
