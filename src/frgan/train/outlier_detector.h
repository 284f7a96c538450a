// Detects training updates whose loss or gradient norm is an outlier, by their z-scores over a window of recent updates
// (as llm.c does). Everything stays on the device.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace frgan {

//   OutlierDetector detector(/*limit=*/5, options);
//   at::Tensor skip = detector.is_outlier(update, loss, gradients.norm());   // update = 0, 1, 2, ...
class OutlierDetector {
 public:
  static constexpr int64_t kWindow = 128;  // updates

  // An update is an outlier if one of its two z-scores exceeds `limit`. The standard deviation counts as at least 1 %
  // of the mean, so that rounding is no outlier in a nearly constant window.
  OutlierDetector(double limit, const at::TensorOptions& options);

  // Returns a 0-dim bool tensor, and adds the values to the window. The first kWindow updates are never outliers, and
  // neither are values that are NaN: those stop the run (Trainer::first_non_finite).
  at::Tensor is_outlier(int64_t update, const at::Tensor& loss, const at::Tensor& gradient_norm);

  // The values of the last updates: 2 x kWindow, loss and gradient norm. Update u is in column u % kWindow.
  at::Tensor window;

 private:
  double limit_;
};

}  // namespace frgan
