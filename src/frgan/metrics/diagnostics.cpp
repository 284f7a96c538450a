#include "frgan/metrics/diagnostics.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <torch/types.h>

#include "frgan/classifier/inference.h"
#include "frgan/metrics/evaluation.h"
#include "frgan/nn/squeeze_excitation.h"

namespace frgan {
namespace {

std::vector<double> numbers_of(const at::Tensor& vector) {
  const at::Tensor values = vector.cpu().contiguous();
  return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

// Accumulates the gate values of one block. The network must process all images in the order of `labels`.
class GateObserver {
 public:
  // `labels` must be on the network's device.
  GateObserver(std::string block, SqueezeExcitationImpl& squeeze, const at::Tensor& labels, int64_t classes)
      : block_(std::move(block)), squeeze_(squeeze), labels_(labels) {
    const int64_t channels = squeeze.excite_weight.size(0);
    sums_ = at::zeros({classes, channels}, labels.options().dtype(at::kDouble));
    squares_ = at::zeros_like(sums_);
    squeeze_.gate_observer = [this](const at::Tensor& gate) { add(gate); };
  }
  GateObserver(const GateObserver&) = delete;
  GateObserver& operator=(const GateObserver&) = delete;
  ~GateObserver() { squeeze_.gate_observer = nullptr; }

  GateStatistics statistics() const {
    const at::Tensor counts = at::bincount(labels_, {}, sums_.size(0)).to(at::kDouble);
    const at::Tensor mean = sums_.sum(0) / counts.sum();
    const at::Tensor class_counts = counts.clamp_min(1).unsqueeze(1);
    const at::Tensor class_mean = sums_ / class_counts;
    GateStatistics result{
        block_, numbers_of(mean), numbers_of(deviation(squares_.sum(0) / counts.sum(), mean)), {}, {}};
    const at::Tensor class_deviation = deviation(squares_ / class_counts, class_mean);
    for (int64_t k = 0; k < class_mean.size(0); ++k) {
      result.class_mean.push_back(numbers_of(class_mean[k]));
      result.class_deviation.push_back(numbers_of(class_deviation[k]));
    }
    return result;
  }

 private:
  static at::Tensor deviation(const at::Tensor& mean_square, const at::Tensor& mean) {
    return (mean_square - mean * mean).clamp_min(0).sqrt();
  }
  void add(const at::Tensor& gate) {
    // class_probabilities duplicates the image of a batch of one; the duplicate is not counted.
    const int64_t count = std::min(gate.size(0), labels_.size(0) - seen_);
    const at::Tensor labels = labels_.narrow(0, seen_, count);
    const at::Tensor values = gate.narrow(0, 0, count).to(at::kDouble);
    sums_.index_add_(0, labels, values);
    squares_.index_add_(0, labels, values * values);
    seen_ += count;
  }

  std::string block_;
  SqueezeExcitationImpl& squeeze_;
  at::Tensor labels_, sums_, squares_;
  int64_t seen_ = 0;
};

}  // namespace

Diagnosis diagnose(const Network& network, const ImageSet& set, Precision precision, double temperature,
                   const StopCheck& stopped) {
  const torch::NoGradGuard no_grad;
  const int64_t classes = network.shape().classes;
  const at::Tensor labels = set.labels.to(network.parameters().front().device());
  std::vector<std::unique_ptr<GateObserver>> observers;
  for (const auto& child : network.named_children()) {
    auto* squeeze = child.value()->as<SqueezeExcitationImpl>();
    if (squeeze != nullptr) {
      observers.push_back(std::make_unique<GateObserver>(child.key(), *squeeze, labels, classes));
    }
  }
  const at::Tensor logits = classify(network, set.images, precision, stopped).logits.cpu();
  const auto [probabilities, predictions] = checked_probabilities(network, set.images, logits / temperature).max(1);
  const std::span<const int64_t> rows = values_of(predictions);
  Diagnosis result{{rows.begin(), rows.end()},
                   {probabilities.data_ptr<float>(), probabilities.data_ptr<float>() + probabilities.numel()},
                   {logits.data_ptr<float>(), logits.data_ptr<float>() + logits.numel()},
                   {}};
  for (const auto& observer : observers) result.gates.push_back(observer->statistics());
  return result;
}

}  // namespace frgan
