#include "frgan/metrics/run_evaluation.h"

#include <filesystem>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <torch/types.h>

#include "frgan/classifier/checkpoint.h"
#include "frgan/classifier/inference.h"
#include "frgan/core/error.h"
#include "frgan/data/image_folder.h"
#include "frgan/data/label_split.h"
#include "frgan/device/device.h"
#include "frgan/metrics/checkpoint_quality.h"
#include "frgan/metrics/evaluation.h"
#include "frgan/metrics/unknown_classes.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

// The images to evaluate on. Their labels are classes of the network.
struct Images {
  std::string source;
  ImageSet set;
  std::vector<UnreadableImage> unreadable = {};
  std::vector<UnknownClass> unknown_classes = {};
};

// The test images of an image folder. No other images are decoded.
Images load_test_folder(const fs::path& folder, const EvaluationRequest& request, const Checkpoint& checkpoint,
                        const Messages& messages) {
  const CheckpointState& state = checkpoint.state;
  TestImages test = read_test_images(folder, state.class_names, state.shape.image_size, state.shape.channels,
                                     request.data.watch, state.resize);
  for (const std::string& note : test.notes) messages.note(note);
  if (request.data.data.empty()) {
    if (const std::string difference = test_difference(checkpoint, test.set); !difference.empty()) {
      messages.note(fmt::format("the test images changed since the run: {}", difference));
    }
  }
  return {folder.string(), std::move(test.set), std::move(test.unreadable), std::move(test.unknown_classes)};
}

Images load_images(const EvaluationRequest& request, const Checkpoint& checkpoint, const Messages& messages) {
  const CheckpointState& state = checkpoint.state;
  if (request.on == EvaluatedImages::kTest) {
    if (const auto folder = image_folder_of(data_options(request.data, state))) {
      return load_test_folder(*folder, request, checkpoint, messages);
    }
  }
  const Dataset data = load_data(request.data, state, messages);
  check_classes(data, state.class_names);
  if (request.on == EvaluatedImages::kTest) {
    if (data.test.size() == 0) {
      throw Error(fmt::format(
          "{}: no test images; name other data with --data, or use the development images with --on dev", data.source));
    }
    if (const std::string difference = data_difference(checkpoint, data); !difference.empty()) {
      messages.note(fmt::format("the network was trained on other data: {}", difference));
    }
    return {data.source, data.test};
  }
  const LabelSplit split = label_split_from_json(state.label_split, data, checkpoint.path.string());
  if (split.dev.empty()) {
    throw Error(fmt::format("{}: the run held out no development images (--dev-images)", checkpoint.path.string()));
  }
  return {data.source, data.train.rows(split.dev)};
}

at::Tensor probabilities_of(const Checkpoint& checkpoint, const Inference& inference, const at::Tensor& images,
                            const StopCheck& stopped) {
  const NetworkPtr network = load_classifier(checkpoint, inference.device, inference.precision);
  return class_probabilities(*network, images, inference.precision, stopped);
}

RunEvaluation::Comparison compare(const EvaluationRequest& request, const CheckpointState& first,
                                  const at::Tensor& images, const RunEvaluation& evaluation, const Messages& messages) {
  const Checkpoint other =
      load_checkpoint(request.compare, CheckpointUse::kClassify, request.hardware.allow_older, messages);
  const ImageShape &shape = other.state.shape, &first_shape = first.shape;
  if (other.state.class_names != first.class_names || shape.image_size != first_shape.image_size ||
      shape.channels != first_shape.channels) {
    throw Error(fmt::format(
        "{}: cannot compare: input {}x{}x{} and {} classes here, input {}x{}x{} and {} classes in the "
        "first checkpoint; both must agree",
        other.path.string(), shape.image_size, shape.image_size, shape.channels, other.state.class_names.size(),
        first_shape.image_size, first_shape.image_size, first_shape.channels, first.class_names.size()));
  }
  const Inference inference = begin_inference(request.hardware, other.state.precision, messages);
  const std::vector<int64_t> predictions =
      most_probable(probabilities_of(other, inference, images, request.data.watch.stopped));
  return {other.path, score_predictions(evaluation.labels, predictions, first_shape.classes),
          mcnemar_test(evaluation.labels, evaluation.predictions, predictions)};
}

}  // namespace

RunEvaluation evaluate_run(const EvaluationRequest& request, const Messages& messages) {
  const Checkpoint checkpoint =
      load_checkpoint(request.checkpoint, CheckpointUse::kClassify, request.hardware.allow_older, messages);
  const CheckpointState& state = checkpoint.state;
  const Inference inference = begin_inference(request.hardware, state.precision, messages);
  Images images = load_images(request, checkpoint, messages);
  const NetworkPtr network = load_classifier(checkpoint, inference.device, inference.precision);
  const Classified classified = classify(*network, images.set.images, inference.precision, request.data.watch.stopped);
  const at::Tensor logits = classified.logits.cpu();
  const at::Tensor probabilities =
      checked_probabilities(*network, images.set.images, logits / state.calibration.temperature);
  const at::Tensor highest = probabilities.amax(1).contiguous();
  const std::span<const int64_t> labels = values_of(images.set.labels);
  RunEvaluation found{.checkpoint = checkpoint.path,
                      .method = state.method,
                      .step = state.step,
                      .class_names = state.class_names,
                      .data = images.source,
                      .precision = inference.precision,
                      .device = device_name(inference.device),
                      .result = {},
                      .quality = {},
                      .labels = {labels.begin(), labels.end()},
                      .predictions = most_probable(probabilities),
                      .probabilities = {highest.data_ptr<float>(), highest.data_ptr<float>() + highest.numel()},
                      .files = images.set.files,
                      .unreadable = std::move(images.unreadable),
                      .unknown_classes = std::move(images.unknown_classes),
                      .comparison = std::nullopt};
  if (!request.unknown.empty()) {
    const ImageShape& shape = state.shape;
    const LooseImages unknown = read_loose_images(request.unknown, shape.image_size, shape.channels, state.resize);
    for (const std::string& note : unknown.notes) messages.note(note);
    const Classified others = classify(*network, unknown.images, inference.precision, request.data.watch.stopped);
    found.unknown_scores =
        unknown_scores(classified, others, state.calibration.temperature, read_class_means(checkpoint));
    found.unknown_images = unknown.images.size(0);
  }
  found.result = score_predictions(found.labels, found.predictions, state.shape.classes);
  const std::span<const float> outputs(logits.data_ptr<float>(), static_cast<size_t>(logits.numel()));
  found.quality = measure_quality({outputs, found.labels, state.shape.classes}, request.on,
                                  quality_basis(checkpoint, images.set.images));
  if (!request.compare.empty()) {
    found.comparison = compare(request, state, images.set.images, found, messages);
  }
  return found;
}

}  // namespace frgan
