#include "frgan/train/run_recorder.h"

#include <cmath>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/run_files.h"
#include "frgan/data/augment.h"
#include "frgan/data/dataset.h"
#include "frgan/io/checkpoint_files.h"
#include "frgan/io/files.h"
#include "frgan/report/grid_layout.h"
#include "frgan/report/image_grid.h"
#include "frgan/report/learning_curve.h"

namespace frgan {

namespace fs = std::filesystem;

void RunRecorder::report_repairs(int64_t log_lines_at_checkpoint) {
  const fs::path path = run_.folder / kLogFile;
  if (log_.damaged_lines() > 0) {
    progress_.warn(fmt::format("{}: moved {} damaged line{} to {}.damaged", path.string(), log_.damaged_lines(),
                               log_.damaged_lines() == 1 ? "" : "s", kLogFile));
  }
  if (events_) {
    for (const fs::path& file : events_->damaged()) {
      progress_.warn(fmt::format("{}: removed damaged events; TensorBoard's curves have a gap", file.string()));
    }
  }
  const int64_t missing = log_lines_at_checkpoint - log_.lines();
  if (missing > 0) {
    progress_.warn(fmt::format("{}: {} of the {} lines before step {} are missing; the curves have a gap",
                               path.string(), missing, log_lines_at_checkpoint, run_.first_step + 1));
  }
}

void RunRecorder::follow(const fs::path& folder) {
  progress_.warn(
      fmt::format("{}: the run folder was renamed; the run continues in {}", run_.folder.string(), folder.string()));
  run_.folder = folder;
}

fs::path samples_path(const fs::path& folder, int64_t step) {
  return folder / kSamplesFolder / (checkpoint_name(step) + ".png");
}

RunRecorder::RunRecorder(RecordedRun run, Progress& progress)
    : run_(std::move(run)), progress_(progress), log_(run_.folder / kLogFile, run_.first_step) {
  if (run_.tensorboard) events_.emplace(run_.folder, run_.first_step, run_.options);
}

void RunRecorder::write(StepRecord record, double step_seconds, int64_t images) {
  record.images_per_second = static_cast<double>(images - last_images_) / (step_seconds - last_seconds_);
  last_images_ = images;
  last_seconds_ = step_seconds;
  log_.write(record);
  if (events_) events_->write(record);
  progress_.show(record);
  warn_of_divergence(record);
  report_skipped(record);
}

void RunRecorder::report_skipped(const StepRecord& record) {
  const auto [skipped, all] = record.skipped.value_or(SkippedUpdates{});
  if (skipped == 0) return;
  progress_.say(fmt::format("step {}: {} skipped since the last log line: loss or gradient norm was an outlier",
                            record.step, counted(skipped, "update")));
  if (warned_of_skipped_ || 2 * skipped <= all) return;
  progress_.warn(
      fmt::format("step {}: {} of {} skipped as outliers, so the network hardly learns; start a new run with a higher "
                  "--skip-outliers, or without it and with a lower --learning-rate",
                  record.step, skipped, counted(all, "update")));
  warned_of_skipped_ = true;
}

// Warns if the supervised loss is far above ln K, the loss of uniform guessing. Few such runs recover.
void RunRecorder::warn_of_divergence(const StepRecord& record) {
  constexpr double kFactor = 4;
  const double guessing = std::log(static_cast<double>(run_.classes));
  for (const auto& [name, value] : record.losses) {
    if (warned_of_divergence_ || name != "supervised" || value < kFactor * guessing) continue;
    progress_.warn(
        fmt::format("step {}: training diverged: the supervised loss is {:.3g}, random guessing gives {:.2f}; the run "
                    "may not recover; use a lower --learning-rate",
                    record.step, value, guessing));
    warned_of_divergence_ = true;
  }
}

void RunRecorder::write(const EvaluationRecord& record) {
  if (has_evaluation(record.role, record.step)) return;
  log_.write(record);
  if (events_) events_->write(record);
}

void RunRecorder::show(const EvaluationRecord& record) {
  progress_.say(fmt::format("step {}: {} error {:.2f} %", record.step, name_of(record.role), 100 * record.error));
}

fs::path RunRecorder::write_samples(int64_t step, const at::Tensor& images) {
  const fs::path path = samples_path(run_.folder, step);
  const at::Tensor pixels = to_pixels(images);
  try {
    ensure_directory(path.parent_path());
    write_image_grid(path, view_of(pixels), kGridColumns);
  } catch (const Error& error) {
    progress_.warn(fmt::format("step {}: no image grid: {}", step, error.what()));
    return {};
  }
  if (events_) events_->write_samples(step, path);
  return path;
}

void RunRecorder::write_learning_curve(const std::string& title, const std::vector<EvaluatedImages>& roles) const {
  LearningCurves chart{title, "error (%)", {}};
  for (const EvaluatedImages role : roles) {
    const std::string key = name_of(role) + "_error";
    chart.curves.push_back(read_curve(run_.folder / kLogFile, key, title_of(role), /*scale=*/100));
  }
  if (!chart.curves.empty()) write_file_safely(run_.folder / kLearningCurveFile, learning_curve_svg(chart));
}

void RunRecorder::finish(int64_t steps) {
  if (events_) events_->finish(steps);
}

}  // namespace frgan
