// A training run from its options to its result: plan, checkpoints, log, evaluations, samples, summary.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "frgan/classifier/checkpoint.h"
#include "frgan/data/batch_stream.h"
#include "frgan/data/dataset.h"
#include "frgan/data/label_split.h"
#include "frgan/methods/method.h"
#include "frgan/metrics/classification.h"
#include "frgan/report/progress.h"
#include "frgan/report/run_log.h"
#include "frgan/report/run_summary.h"
#include "frgan/train/run_options.h"
#include "frgan/train/trainer.h"

namespace frgan {

struct RunResult {
  int64_t steps = 0;                          // done
  bool finished = false;                      // false: stopped by a signal
  std::optional<EvaluationRecord> test, dev;  // of the averaged last weights
  std::filesystem::path checkpoint;           // the last
  std::filesystem::path samples;              // the last grid; empty without a generator
};

// Holds data, networks and trainer of one run.
//
//   TrainingRun run(options, create_method("fr-gan"), data, split);
//   run.begin();
//   run.fix_steps();
//   RunResult result = run.train(directory, values, command, progress, stop_signal);
class TrainingRun {
 public:
  // Builds the method, whose options are set, for the data. `options` must be resolved (device, precision, threads).
  TrainingRun(RunOptions options, std::unique_ptr<Method> method, Dataset data, LabelSplit split);

  // Initial weights: the data-dependent pass, another run's checkpoint, or this run's own. Each throws an Error where
  // the checkpoint does not fit.
  void begin();
  void begin_from(const Checkpoint& checkpoint);
  void resume(const Checkpoint& checkpoint);

  // Seconds of one step: the median of `timed` after as many to warm up, on a scratch copy of the state. The run is as
  // if it had not been done.
  double measure_step(int timed);
  // The same, of the measurement that fixed the steps, or else of one step.
  double step_seconds();
  // Sets the number of steps: `steps`, or those that fit in the time budget, or as many epochs.
  void fix_steps();

  const RunOptions& options() const { return options_; }  // with the steps that were fixed
  // What a person should know before the first step, several lines.
  std::string plan_text(double seconds_per_step) const;

  // Trains until done or until `stop_signal` is not 0, writing into `directory`; `values` are all resolved options, and
  // `command` the line that repeats the run. Throws an Error when a loss is not finite: the last checkpoint stays.
  RunResult train(const std::filesystem::path& directory, const nlohmann::ordered_json& values,
                  const std::string& command, Progress& progress, const std::atomic<int>& stop_signal);

 private:
  // Whether a step is a multiple of `every`; 0: of that share of the run.
  bool due(int64_t every, int64_t share) const;
  bool evaluation_due() const;
  int64_t epoch_steps() const;
  double epoch() const;
  CheckpointState checkpoint_state(const nlohmann::ordered_json& values) const;
  double measure_evaluation();
  void fix_steps_by_time(double seconds);
  // Throw an Error that names the first loss term, or tensor of the state, that is not finite.
  void check_finite() const;
  void check_weights() const;
  std::optional<EvaluationRecord> evaluate_on(const ImageSet& set, const std::string& role);
  std::optional<EvaluationRecord> diagnose(const std::filesystem::path& directory, const ImageSet& set,
                                           const std::string& role);
  EvaluationRecord evaluation_record(const std::string& role, const ErrorCount& count) const;
  std::filesystem::path write_checkpoint(const std::filesystem::path& directory, const nlohmann::ordered_json& values);
  void write_learning_curve(const std::filesystem::path& directory) const;
  std::filesystem::path samples_path(const std::filesystem::path& directory) const;
  std::filesystem::path write_samples(const std::filesystem::path& directory);

  RunOptions options_;
  Dataset data_;
  LabelSplit split_;
  Problem problem_;
  std::unique_ptr<Method> method_;
  BatchStream batches_;
  std::unique_ptr<Trainer> trainer_;
  ImageSet dev_;
  std::optional<double> step_seconds_;  // as measured
  double seconds_ = 0;                  // of training, those before a resume included
  TimeSpent time_spent_;
};

}  // namespace frgan
