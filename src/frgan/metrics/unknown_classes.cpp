#include "frgan/metrics/unknown_classes.h"

#include <functional>

#include <torch/types.h>

#include "frgan/metrics/confidence.h"

namespace frgan {
namespace {

at::Tensor normalized_rows(const at::Tensor& rows) {
  const at::Tensor values = rows.to(at::kCPU, at::kDouble);
  return values / values.norm(2, 1, /*keepdim=*/true).clamp_min(1e-12);
}

std::vector<double> values_of_scores(const at::Tensor& scores) {
  const at::Tensor values = scores.to(at::kCPU, at::kDouble).contiguous();
  return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

}  // namespace

std::vector<UnknownScore> unknown_scores(const Classified& known, const Classified& unknown, double temperature,
                                         const at::Tensor& class_means) {
  std::vector<UnknownScore> scores;
  const auto add = [&](const std::string& name, const std::function<at::Tensor(const Classified&)>& score) {
    scores.push_back({name, auroc(values_of_scores(score(known)), values_of_scores(score(unknown)))});
  };
  add("max-softmax",
      [&](const Classified& of) { return (of.logits.to(at::kDouble) / temperature).softmax(1).amax(1); });
  add("energy",
      [&](const Classified& of) { return temperature * (of.logits.to(at::kDouble) / temperature).logsumexp(1); });
  if (class_means.defined()) {
    const at::Tensor means = class_means.to(at::kCPU, at::kDouble);
    add("feature-distance",
        [&](const Classified& of) { return normalized_rows(of.features).matmul(means.t()).amax(1); });
  }
  return scores;
}

at::Tensor class_means(const at::Tensor& features, const at::Tensor& labels, int64_t classes) {
  const at::Tensor rows = normalized_rows(features);
  const at::Tensor sums = at::zeros({classes, rows.size(1)}, rows.options()).index_add(0, labels.cpu(), rows);
  return normalized_rows(sums);
}

at::Tensor read_class_means(const Checkpoint& checkpoint) {
  const NamedTensors saved = read_optional_tensors(checkpoint, kClassMeans);
  const auto found = saved.find(kClassMeans);
  return found == saved.end() ? at::Tensor() : found->second;
}

}  // namespace frgan
