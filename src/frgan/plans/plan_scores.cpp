#include "frgan/plans/plan_scores.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "frgan/classifier/checkpoint.h"
#include "frgan/classifier/generation.h"
#include "frgan/core/error.h"
#include "frgan/core/run_files.h"
#include "frgan/device/device.h"
#include "frgan/io/checkpoint_files.h"
#include "frgan/plans/scored_set.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

// Whether the file NAME.json has scores with this key, scorer, precision and number of images and splits.
bool is_scored(const PlanScoring& scoring, const std::string& name, const std::string& key, const Scorer& scorer,
               int64_t images) {
  const fs::path file = scoring.folder / (name + ".json");
  if (!fs::exists(file)) return false;
  const ScoredSet set = read_scored_set(file);
  return set.key == key && set.scorer_digest == scorer.digest && set.precision == scoring.precision &&
         set.scores.value("images", int64_t{0}) == images &&
         set.scores.value("splits", int64_t{0}) == scoring.options.splits;
}

// Scores the real training and test images that are not scored yet.
void score_real(const PlanScoring& scoring, const Scorer& scorer, const Dataset& data, const Features& real) {
  const int64_t wanted = std::min(scoring.images, data.train.size());
  const auto write = [&](const char* name, const ImageScores& images, const ImageSet& set) {
    Json scores = to_json(images);
    scores["ceiling"] = label_ceiling(set, data.classes());
    write_scored_set(scoring.folder, {name, data.digest, scorer.digest, scoring.precision, std::move(scores)});
  };
  if (!is_scored(scoring, kRealTrain, data.digest, scorer, wanted)) {
    // No distances: these are the reference images.
    write(kRealTrain, score_images(drawn(real, wanted, scoring.options.seed), scoring.options), data.train);
  }
  if (data.test.size() >= scoring.options.splits &&
      !is_scored(scoring, kRealTest, data.digest, scorer, data.test.size())) {
    write(kRealTest, scores_as_far_as_enough(features_of(scorer, data.test.images), real, scoring.options), data.test);
  }
}

// Images generated with the run's seed and its last weights. Throws an Error if there is no checkpoint of the last
// step.
at::Tensor images_of_run(const PlanScoring& scoring, const fs::path& folder, const PlannedRun& run) {
  const Checkpoint checkpoint = load_checkpoint(folder);
  if (checkpoint.state.step != run.steps) {
    throw Error(fmt::format("{}: the last intact checkpoint is of step {}; expected step {}", folder.string(),
                            checkpoint.state.step, run.steps));
  }
  const Precision precision =
      resolve_precision("auto", scoring.device) == "bf16" && checkpoint.state.precision == "bf16" ? Precision::kBf16
                                                                                                  : Precision::kFull;
  return generated_images(load_generator(checkpoint, scoring.device, precision), run.seed, scoring.images);
}

// Throws if scores by another scorer exist but the run's checkpoint is missing. A table shows one scorer only, so
// replacing the scores of real images would drop the other scorer's results from the table.
void refuse_to_replace(const fs::path& file, const PlannedRun& run) {
  if (!fs::exists(file)) return;
  const ScoredSet set = read_scored_set(file);
  if (set.key != run.key) return;
  throw Error(
      fmt::format("{}: scores of {} images by scorer {:.8} ({}) cannot be recomputed, because the run's checkpoint is "
                  "missing; pass that scorer with --scorer, or choose another folder with --output",
                  file.string(), set.scores.value("images", int64_t{0}), set.scorer_digest, set.precision));
}

}  // namespace

int64_t score_plan(const PlanScoring& scoring, const Scorer& scorer, const Dataset& data, const PlanResults& results,
                   const std::function<fs::path(const PlannedRun&)>& run_folder,
                   const std::function<void(const std::string&)>& say, const std::atomic<int>& stop_signal) {
  std::vector<const PlannedRun*> left;
  for (const PlannedRun& run : results.runs()) {
    if (results.record_of(run) == nullptr || is_scored(scoring, run.name, run.key, scorer, scoring.images)) continue;
    if (has_checkpoints(run_folder(run) / kCheckpointsFolder)) {
      left.push_back(&run);
    } else {
      refuse_to_replace(scoring.folder / (run.name + ".json"), run);
      say(fmt::format("{}: not scored: no checkpoint in {}", run.name, run_folder(run).string()));
    }
  }
  const int64_t real_images = std::min(scoring.images, data.train.size());
  if (left.empty() && is_scored(scoring, kRealTrain, data.digest, scorer, real_images)) return 0;
  const Features real = features_of(scorer, data.train.images);
  score_real(scoring, scorer, data, real);
  int64_t failed = 0;
  for (const PlannedRun* run : left) {
    if (stop_signal != 0) break;
    try {
      const Features made = features_of(scorer, images_of_run(scoring, run_folder(*run), *run));
      const ImageScores scores = score_images(made, real, scoring.options);
      write_scored_set(scoring.folder, {run->name, run->key, scorer.digest, scoring.precision, to_json(scores)});
      say(fmt::format("{}: Inception Score {:.3f}", run->name, scores.inception.mean));
    } catch (const Error& error) {  // continue with the other runs
      say(fmt::format("failed: {}: not scored: {}", run->name, error.what()));
      ++failed;
    }
  }
  return failed;
}

}  // namespace frgan
