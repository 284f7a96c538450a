#include "frgan/metrics/scorer.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <torch/types.h>

#include "frgan/classifier/inference.h"
#include "frgan/core/error.h"
#include "frgan/data/dataset.h"
#include "frgan/io/digests.h"
#include "frgan/metrics/features.h"

namespace frgan {
namespace {

std::string weights_digest(const NamedTensors& weights) {
  Digest digest;
  for (const auto& [name, tensor] : weights) {
    const at::Tensor values = tensor.to(at::kCPU).contiguous();
    const std::string header =
        fmt::format("{} {} {}\n", name, c10::toString(values.scalar_type()), fmt::join(values.sizes(), "x"));
    digest.update(std::as_bytes(std::span(header)));
    digest.update({static_cast<const std::byte*>(values.data_ptr()), values.nbytes()});
  }
  return digest.hex();
}

bool all_finite(const at::Tensor& numbers) {
  return torch::isfinite(numbers).all().item<bool>();
}

}  // namespace

Features Features::rows(const at::Tensor& indices) const {
  return {probabilities.index_select(0, indices), features.defined() ? features.index_select(0, indices) : features,
          scorer, scorer_digest};
}

Scorer checkpoint_scorer(const Checkpoint& checkpoint, at::Device device, Precision precision) {
  const CheckpointState& state = checkpoint.state;
  const NetworkPtr network = load_classifier(checkpoint, device, precision);
  return {fmt::format("{} ({}, step {})", checkpoint.path.string(), state.method, state.step),
          weights_digest(checkpoint.files.at("average")),
          state.shape.classes,
          network->feature_size(),
          state.class_names,
          [network, precision](const at::Tensor& images) {
            const Classified outputs = classify(*network, images, precision);
            checked_probabilities(*network, images, outputs.logits);
            return outputs;
          },
          precision_name(precision)};
}

Scorer checkpoint_scorer(const Checkpoint& checkpoint, const Hardware& hardware, const Messages& messages) {
  const Inference inference = begin_inference(hardware, checkpoint.state.precision, messages);
  return checkpoint_scorer(checkpoint, inference.device, inference.precision);
}

Scorer load_scorer(const std::filesystem::path& path, const ImageShape& shape, const Hardware& hardware,
                   const Messages& messages) {
  if (is_checkpoint(path))
    return checkpoint_scorer(load_checkpoint(path, CheckpointUse::kClassify, hardware.allow_older, messages), hardware,
                             messages);
  if (std::filesystem::is_directory(path)) {
    throw Error(fmt::format("{}: not a run or checkpoint; --scorer takes a run, a checkpoint or a TorchScript file",
                            path.string()));
  }
  return torchscript_scorer(path, shape, begin_inference(hardware, Precision::kFull, messages).device);
}

void check_classes(const Scorer& scorer, const Dataset& data) {
  if (scorer.classes != data.classes()) {
    throw Error(
        fmt::format("{}: the scorer has {} classes, but {} has {}; use a scorer trained on these classes, or "
                    "--any-classes to allow other classes, such as those of ImageNet",
                    scorer.name, scorer.classes, data.source, data.classes()));
  }
  if (!scorer.class_names.empty()) check_classes(data, scorer.class_names);
}

Features features_of(const Scorer& scorer, const at::Tensor& images) {
  const Classified output = scorer.classify(images);
  if (!all_finite(output.logits) || (output.features.defined() && !all_finite(output.features))) {
    throw Error(fmt::format("{}: the scorer's outputs are not finite (NaN or infinite); its weights may be damaged",
                            scorer.name));
  }
  return {output.logits.to(at::kCPU, at::kDouble).softmax(1),
          output.features.defined() ? output.features.to(at::kCPU, at::kFloat) : output.features, scorer.name,
          scorer.digest};
}

}  // namespace frgan
