#include "frgan/metrics/scorer.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <torch/types.h>

#include "frgan/classifier/classifier.h"
#include "frgan/core/error.h"
#include "frgan/io/digests.h"

namespace frgan {
namespace {

std::string weights_hash(const NamedTensors& weights) {
  Digest digest(DigestKind::kSha256);
  for (const auto& [name, tensor] : weights) {
    const at::Tensor whole = tensor.to(at::kCPU).contiguous();
    const std::string head =
        fmt::format("{} {} {}\n", name, c10::toString(whole.scalar_type()), fmt::join(whole.sizes(), "x"));
    digest.update(std::as_bytes(std::span(head)));
    digest.update({static_cast<const std::byte*>(whole.data_ptr()), whole.nbytes()});
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
  const Discriminator network = load_method(checkpoint, device, precision).classifier;
  return {fmt::format("{} ({}, step {})", checkpoint.path.string(), state.method, state.step),
          weights_hash(checkpoint.files.at("average")),
          state.shape.classes,
          network->feature_size(),
          state.class_names,
          [network, precision](const at::Tensor& images) { return classify(network, images, precision); }};
}

void check_classes(const Scorer& scorer, const Dataset& data) {
  if (scorer.classes != data.classes()) {
    throw Error(
        fmt::format("{}: tells {} classes apart, {} has {}; give a scorer that was trained on these classes, or "
                    "--any-classes for one of other classes, such as an ImageNet network",
                    scorer.name, scorer.classes, data.source, data.classes()));
  }
  if (!scorer.class_names.empty()) check_classes(data, scorer.class_names);
}

Features features_of(const Scorer& scorer, const at::Tensor& images) {
  const Classified seen = scorer.look(images);
  if (!all_finite(seen.logits) || (seen.features.defined() && !all_finite(seen.features))) {
    throw Error(fmt::format("{}: gives numbers that are not finite; are its weights damaged?", scorer.name));
  }
  return {seen.logits.to(at::kCPU, at::kDouble).softmax(1),
          seen.features.defined() ? seen.features.to(at::kCPU, at::kFloat) : seen.features, scorer.name, scorer.digest};
}

}  // namespace frgan
