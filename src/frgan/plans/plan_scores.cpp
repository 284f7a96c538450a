#include "frgan/plans/plan_scores.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "frgan/classifier/checkpoint.h"
#include "frgan/classifier/generator.h"
#include "frgan/core/error.h"
#include "frgan/core/run_files.h"
#include "frgan/data/dataset.h"
#include "frgan/device/device.h"
#include "frgan/io/checkpoint_files.h"
#include "frgan/metrics/features.h"
#include "frgan/metrics/image_scores.h"
#include "frgan/metrics/scorer.h"
#include "frgan/metrics/scorer_error.h"
#include "frgan/plans/scored_set.h"
#include "frgan/train/run_facts.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

const ScoreOptions kOptions{};  // the same for all sets, so that they are comparable

// The precision of the checkpoint's run, or fp32 where bf16 is emulated.
Precision precision_of(const Checkpoint& checkpoint, at::Device device) {
  const bool fast = resolve_precision(PrecisionChoice::kAuto, device) == Precision::kBf16;
  return fast ? checkpoint.state.precision : Precision::kFull;
}

Checkpoint load_trained(const PlanScoring& scoring) {
  Checkpoint checkpoint = load_checkpoint(scoring.scorer, CheckpointUse::kClassify);
  for (const std::string& warning : checkpoint.warnings) scoring.warn(warning);
  if (checkpoint.state.step == checkpoint.state.planned_steps) return checkpoint;
  throw Error(fmt::format("{}: step {} of {}; a scorer must be completely trained", checkpoint.path.string(),
                          checkpoint.state.step, checkpoint.state.planned_steps));
}

// The dataset of a plan, and the network that scores its images.
struct LoadedScorer {
  Dataset data;
  Scorer scorer;
  at::Device device;
};

LoadedScorer load_scorer(const PlanScoring& scoring, const PlannedRun& run) {
  const Hardware hardware{.device = scoring.device};
  const Messages messages{.warning = scoring.warn, .note = scoring.say};
  LoadedScorer loaded{load_run_dataset(run.options, scoring.data_root), {}, resolve_device(scoring.device)};
  const fs::path& path = scoring.scorer;
  if (is_checkpoint(path)) {
    loaded.scorer = checkpoint_scorer(load_trained(scoring), hardware, messages);
  } else {
    const ImageShape shape{loaded.data.image_size, loaded.data.channels, loaded.data.classes()};
    loaded.scorer = frgan::load_scorer(path, shape, hardware, messages);
  }
  if (!scoring.any_classes) check_classes(loaded.scorer, loaded.data);
  return loaded;
}

// Whether the file NAME.json has scores with this key, scorer, precision and number of images and splits.
bool is_scored(const PlanScoring& scoring, const LoadedScorer& by, const std::string& name, const std::string& key,
               int64_t images) {
  const std::optional<ScoredSet> set = find_scored_set(scoring.folder / (name + ".json"));
  return set && set->key == key && set->scorer_digest == by.scorer.digest && set->precision == by.scorer.precision &&
         set->scores.value("images", int64_t{0}) == images &&
         set->scores.value("splits", int64_t{0}) == kOptions.splits;
}

// Scores the real training and test images that are not scored yet.
void score_real(const PlanScoring& scoring, const LoadedScorer& by, const Features& real) {
  const Dataset& data = by.data;
  const int64_t wanted = std::min(scoring.images, data.train.size());
  const auto write = [&](const char* name, const ImageScores& images, const ImageSet& set) {
    Json scores = to_json(images);
    scores["ceiling"] = label_ceiling(set, data.classes());
    write_scored_set(scoring.folder, {name, data.digest, by.scorer.digest, by.scorer.precision, std::move(scores)});
  };
  if (!is_scored(scoring, by, kRealTrain, data.digest, wanted)) {
    // No distances: these are the reference images.
    write(kRealTrain, score_images(drawn(real, wanted, kOptions.seed), kOptions), data.train);
  }
  if (data.test.size() >= kOptions.splits && !is_scored(scoring, by, kRealTest, data.digest, data.test.size())) {
    write(kRealTest, scores_as_far_as_enough(features_of(by.scorer, data.test.images), real, kOptions), data.test);
  }
}

// Images generated with the run's seed and its last weights. Throws an Error if there is no checkpoint of the last
// step.
at::Tensor images_of_run(const PlanScoring& scoring, at::Device device, const fs::path& folder, const PlannedRun& run) {
  const Checkpoint checkpoint = load_checkpoint(folder, CheckpointUse::kGenerate);
  if (checkpoint.state.step != run.steps) {
    throw Error(fmt::format("{}: the last intact checkpoint is of step {}; expected step {}", folder.string(),
                            checkpoint.state.step, run.steps));
  }
  const LoadedMethod generator = load_generator(checkpoint, device, precision_of(checkpoint, device));
  return generated_images(generator, run.seed, scoring.images);
}

// Throws if scores by another scorer exist but the run's checkpoint is missing. A table shows one scorer only, so
// replacing the scores of real images would drop the other scorer's results from the table.
void refuse_to_replace(const fs::path& file, const PlannedRun& run) {
  const std::optional<ScoredSet> set = find_scored_set(file);
  if (!set || set->key != run.key) return;
  throw Error(
      fmt::format("{}: scores of {} images by scorer {:.8} ({}) cannot be recomputed, because the run's checkpoint is "
                  "missing; pass that scorer with --scorer, or choose another folder with --output",
                  file.string(), set->scores.value("images", int64_t{0}), set->scorer_digest, set->precision));
}

}  // namespace

int64_t scorer_features(const PlanScoring& scoring, const PlannedRun& run) {
  const int64_t features = load_scorer(scoring, run).scorer.features;
  judge_scorer(scoring.scorer, {.warning = scoring.warn, .note = scoring.say});
  return features;
}

int64_t score_plan(const PlanScoring& scoring, const PlanResults& results,
                   const std::function<fs::path(const PlannedRun&)>& run_folder, const std::atomic<int>& stop_signal) {
  const LoadedScorer by = load_scorer(scoring, results.runs().front());
  std::vector<const PlannedRun*> left;
  for (const PlannedRun& run : results.runs()) {
    if (results.record_of(run) == nullptr || is_scored(scoring, by, run.name, run.key, scoring.images)) continue;
    if (has_checkpoints(run_folder(run) / kCheckpointsFolder)) {
      left.push_back(&run);
    } else {
      refuse_to_replace(scoring.folder / (run.name + ".json"), run);
      scoring.say(fmt::format("{}: not scored: no checkpoint in {}", run.name, run_folder(run).string()));
    }
  }
  const int64_t real_images = std::min(scoring.images, by.data.train.size());
  if (left.empty() && is_scored(scoring, by, kRealTrain, by.data.digest, real_images)) return 0;
  judge_scorer(scoring.scorer, {.warning = scoring.warn, .note = scoring.say});
  const Features real = features_of(by.scorer, by.data.train.images);
  score_real(scoring, by, real);
  int64_t failed = 0;
  for (const PlannedRun* run : left) {
    if (stop_signal != 0) break;
    try {
      const Features made = features_of(by.scorer, images_of_run(scoring, by.device, run_folder(*run), *run));
      const ImageScores scores = score_images(made, real, kOptions);
      write_scored_set(scoring.folder, {run->name, run->key, by.scorer.digest, by.scorer.precision, to_json(scores)});
      scoring.say(fmt::format("{}: Inception Score {:.3f}", run->name, scores.inception.mean));
    } catch (const Error& error) {  // continue with the other runs
      scoring.say(fmt::format("failed: {}: not scored: {}", run->name, error.what()));
      ++failed;
    }
  }
  return failed;
}

}  // namespace frgan
