#include "frgan/metrics/run_scores.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "frgan/classifier/checkpoint.h"
#include "frgan/classifier/generator.h"
#include "frgan/classifier/inference.h"
#include "frgan/core/error.h"
#include "frgan/data/image_folder.h"
#include "frgan/metrics/features.h"
#include "frgan/metrics/scorer_error.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

std::string shape_text(const ImageShape& shape) {
  return fmt::format("{}x{}x{}", shape.image_size, shape.image_size, shape.channels);
}

std::optional<Checkpoint> checkpoint_at(const fs::path& path, CheckpointUse use, bool allow_older,
                                        const Messages& messages) {
  if (path.empty() || !is_checkpoint(path)) return std::nullopt;
  return load_checkpoint(path, use, allow_older, messages);
}

Dataset real_images(const DataSource& source, const std::optional<Checkpoint>& scorer,
                    const std::optional<Checkpoint>& generator, const Messages& messages) {
  if (source.data.empty() && !scorer && !generator) {
    throw usage_error("missing --data: neither the scorer nor the images are a run whose data could be used");
  }
  return load_data(source, scorer ? scorer->state : generator ? generator->state : CheckpointState{}, messages);
}

// The images to score and their origin.
struct ScoredImages {
  std::string source;
  at::Tensor pixels;  // uint8, N x S x S x C
};

ScoredImages generate(const ScoringRequest& request, const Checkpoint& checkpoint, const Messages& messages) {
  const Inference inference = begin_inference(request.hardware, checkpoint.state.precision, messages);
  const LoadedMethod loaded = load_generator(checkpoint, inference.device, inference.precision);
  return {fmt::format("{} ({}, step {})", checkpoint.path.string(), checkpoint.state.method, checkpoint.state.step),
          generated_images(loaded, request.options.seed, request.count)};
}

ScoredImages read_folder(const fs::path& folder, const ImageShape& shape, const Messages& messages) {
  if (!fs::is_directory(folder)) {
    throw Error(
        fmt::format("{}: not a folder; give a run with a generator, one of its checkpoints, or a folder of images",
                    folder.string()));
  }
  LooseImages loose = read_loose_images(folder, shape.image_size, shape.channels);
  for (const std::string& note : loose.notes) messages.note(note);
  return {folder.string(), std::move(loose.images)};
}

void check_generator(const Checkpoint& checkpoint, const Dataset& data, const ImageShape& shape) {
  const ImageShape& made = checkpoint.state.shape;
  if (made.image_size != shape.image_size || made.channels != shape.channels) {
    throw Error(
        fmt::format("{}: generates {} images, but the images of {} are {}; name data of the same size with --data",
                    checkpoint.path.string(), shape_text(made), data.source, shape_text(shape)));
  }
}

}  // namespace

ScoringResult score_run(const ScoringRequest& request, const Messages& messages) {
  const ScoreOptions& options = request.options;
  const std::optional<Checkpoint> scorer_run =
      checkpoint_at(request.scorer, CheckpointUse::kClassify, request.hardware.allow_older, messages);
  const std::optional<Checkpoint> generator =
      checkpoint_at(request.images, CheckpointUse::kGenerate, request.hardware.allow_older, messages);
  const Dataset data = real_images(request.data, scorer_run, generator, messages);
  const ImageShape shape{data.image_size, data.channels, data.classes()};
  if (generator) check_generator(*generator, data, shape);
  const Scorer scorer = scorer_run ? checkpoint_scorer(*scorer_run, request.hardware, messages)
                                   : load_scorer(request.scorer, shape, request.hardware, messages);
  if (!request.any_classes) check_classes(scorer, data);

  ScoringResult found{.scorer = scorer.name,
                      .scorer_digest = scorer.digest,
                      .classes = scorer.classes,
                      .features = scorer.features,
                      .precision = scorer.precision,
                      .data = data.source,
                      .data_digest = data.digest,
                      .sets = {},
                      .ceilings = {}};
  const Features real = features_of(scorer, data.train.images);
  int64_t scored = request.count;
  if (!request.images.empty()) {
    const ScoredImages images =
        generator ? generate(request, *generator, messages) : read_folder(request.images, shape, messages);
    const Features features = drawn(features_of(scorer, images.pixels), request.count, options.seed);
    scored = features.size();
    found.sets.push_back({"scored", images.source, score_images(features, real, options)});
  }
  found.sets.push_back({"real, train", data.source, score_images(drawn(real, scored, options.seed), options)});
  if (data.test.size() >= options.splits) {
    const Features test = features_of(scorer, data.test.images);
    found.sets.push_back({"real, test", data.source, scores_as_far_as_enough(test, real, options)});
  }
  if (!request.any_classes) {
    found.ceilings.emplace_back("train", label_ceiling(data.train, data.classes()));
    if (data.test.size() > 0) found.ceilings.emplace_back("test", label_ceiling(data.test, data.classes()));
  }
  judge_scorer(request.scorer, messages);
  return found;
}

}  // namespace frgan
