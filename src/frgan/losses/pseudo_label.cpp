#include "frgan/losses/pseudo_label.h"

#include <tuple>

#include <torch/types.h>

namespace frgan {

PseudoLabelLoss pseudo_label_loss(const at::Tensor& weak, const at::Tensor& strong, double threshold, int64_t classes) {
  const auto [highest, labels] = at::softmax(weak.detach().narrow(1, 0, classes), 1).max(1);
  const at::Tensor mask = highest.ge(threshold).to(strong.scalar_type());
  const at::Tensor log_p = at::log_softmax(strong.narrow(1, 0, classes), 1);
  const at::Tensor losses = -log_p.gather(1, labels.unsqueeze(1)).squeeze(1);
  return {(losses * mask).mean(), mask.mean()};
}

}  // namespace frgan
