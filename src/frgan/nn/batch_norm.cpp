#include "frgan/nn/batch_norm.h"

#include <ATen/ops/native_batch_norm.h>

namespace frgan {

void track(const at::Tensor& running, const at::Tensor& batch, double decay, const ForwardPass& pass) {
  const torch::NoGradGuard no_grad;
  const at::Tensor change = batch.to(running.scalar_type()) - running;
  if (!pass.updates.defined()) {
    running.add_(change, 1 - decay);
    return;
  }
  const at::Tensor share = (9.0 / (pass.updates + 10)).clamp_min(1 - decay);  // 1 - (t + 1) / (t + 10)
  running.add_(change * share.to(running.scalar_type()));
}

BatchNormImpl::BatchNormImpl(int64_t units, double decay, double epsilon) : decay_(decay), epsilon_(epsilon) {
  weight = register_parameter("weight", at::ones({units}));
  bias = register_parameter("bias", at::zeros({units}));
  running_mean = register_buffer("running_mean", at::zeros({units}));
  running_var = register_buffer("running_var", at::ones({units}));
}

at::Tensor BatchNormImpl::forward(const at::Tensor& x, const ForwardPass& pass) {
  const bool from_batch = pass.statistics != BatchStatistics::kRunning;
  const bool tracked = pass.statistics != BatchStatistics::kBatch;
  if (!tracked || !from_batch || !pass.updates.defined()) {
    return at::batch_norm(x, weight, bias, tracked ? running_mean : at::Tensor(), tracked ? running_var : at::Tensor(),
                          from_batch, /*momentum=*/1 - decay_, epsilon_, /*cudnn_enabled=*/true);
  }
  const auto [y, mean, inverse] =
      at::native_batch_norm(x, weight, bias, {}, {}, /*training=*/true, /*momentum=*/0, epsilon_);
  // `inverse` is 1 / sqrt(variance + epsilon), of the biased variance. The running variance is unbiased.
  const auto count = static_cast<double>(x.numel()) / static_cast<double>(x.size(1));
  track(running_mean, mean, decay_, pass);
  track(running_var, (inverse.detach().pow(-2) - epsilon_) * (count / (count - 1)), decay_, pass);
  return y;
}

void BatchNormImpl::set_folded(const at::Tensor& new_weight, const at::Tensor& new_bias) {
  const torch::NoGradGuard no_grad;
  running_mean.zero_();
  running_var.fill_(1 - epsilon_);
  if (new_weight.defined()) weight.copy_(new_weight.view_as(weight));
  if (!new_weight.defined()) weight.fill_(1);
  bias.copy_(new_bias.view_as(bias));
}

GraphValue BatchNormImpl::add_to(GraphBuilder& graph, const GraphValue& x, const std::string& name) const {
  const auto exact = [](const at::Tensor& values) { return values.detach().to(at::kCPU, at::kDouble); };
  const at::Tensor scale = exact(weight) / (exact(running_var) + epsilon_).sqrt();
  const at::Tensor shift = exact(bias) - exact(running_mean) * scale;
  const std::vector<int64_t> shape = x.shape.size() == 3 ? std::vector<int64_t>{-1, 1, 1} : std::vector<int64_t>{-1};
  const GraphValue scaled = graph.multiply(x, graph.weight(graph.local(name, "weight"), scale.view(shape)));
  return graph.add(scaled, graph.weight(graph.local(name, "bias"), shift.view(shape)));
}

}  // namespace frgan
