#include "frgan/train/outlier_detector.h"

#include <torch/types.h>

namespace frgan {

OutlierDetector::OutlierDetector(double limit, const at::TensorOptions& options)
    : window(at::zeros({2, kWindow}, options.dtype(at::kDouble))), limit_(limit) {}

at::Tensor OutlierDetector::is_outlier(int64_t update, const at::Tensor& loss, const at::Tensor& gradient_norm) {
  const torch::NoGradGuard no_grad;
  const at::Tensor values = at::stack({loss.detach(), gradient_norm}).to(at::kDouble);
  const at::Tensor mean = window.mean(1), deviation = (window - mean.unsqueeze(1)).square().mean(1).sqrt();
  const at::Tensor outlier = ((values - mean) / deviation)
                                 .gt(limit_)
                                 .any()
                                 .logical_and(at::full({}, update >= kWindow, window.options().dtype(at::kBool)));
  // An infinite value would make all z-scores of the next kWindow updates NaN.
  window.select(1, update % kWindow).copy_(at::where(at::isfinite(values), values, mean));
  return outlier;
}

}  // namespace frgan
