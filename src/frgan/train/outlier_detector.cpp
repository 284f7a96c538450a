#include "frgan/train/outlier_detector.h"

#include <torch/types.h>

namespace frgan {
namespace {

// The least standard deviation of a window, as a share of its mean. That of a nearly constant window is mere rounding,
// which is up to 0.2 % of a bf16 value. With a limit of 6, a value within 6 % of the mean is never an outlier.
constexpr double kLeastDeviation = 0.01;

}  // namespace

OutlierDetector::OutlierDetector(double limit, const at::TensorOptions& options)
    : window(at::zeros({2, kWindow}, options.dtype(at::kDouble))), limit_(limit) {}

at::Tensor OutlierDetector::is_outlier(int64_t update, const at::Tensor& loss, const at::Tensor& gradient_norm) {
  const torch::NoGradGuard no_grad;
  const at::Tensor values = at::stack({loss.detach(), gradient_norm}).to(at::kDouble);
  const at::Tensor mean = window.mean(1), variance = (window - mean.unsqueeze(1)).square().mean(1);
  const at::Tensor deviation = at::maximum(variance, (kLeastDeviation * mean).square()).sqrt();
  const at::Tensor outlier = ((values - mean) / deviation)
                                 .gt(limit_)
                                 .any()
                                 .logical_and(at::full({}, update >= kWindow, window.options().dtype(at::kBool)));
  // An infinite value would make all z-scores of the next kWindow updates NaN.
  window.select(1, update % kWindow).copy_(at::where(at::isfinite(values), values, mean));
  return outlier;
}

}  // namespace frgan
