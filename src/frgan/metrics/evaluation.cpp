#include "frgan/metrics/evaluation.h"

#include "frgan/classifier/inference.h"

namespace frgan {

std::vector<int64_t> most_probable(const at::Tensor& probabilities) {
  const at::Tensor labels = probabilities.argmax(1).cpu();
  const std::span<const int64_t> values = values_of(labels);
  return {values.begin(), values.end()};
}

std::span<const int64_t> values_of(const at::Tensor& labels) {
  TORCH_CHECK(labels.is_cpu() && labels.is_contiguous() && labels.dim() == 1, "expected a vector on the CPU");
  return {labels.data_ptr<int64_t>(), static_cast<size_t>(labels.numel())};
}

Classification evaluate(const Network& network, const ImageSet& set, Precision precision, const StopCheck& stopped) {
  const std::vector<int64_t> predictions = most_probable(class_probabilities(network, set.images, precision, stopped));
  return score_predictions(values_of(set.labels), predictions, network.shape().classes);
}

}  // namespace frgan
