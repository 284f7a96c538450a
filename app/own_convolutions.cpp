#include "app/own_convolutions.h"

#include <functional>

#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include "frgan/nn/winograd.h"

namespace frgan {
namespace {

using Inputs = OwnConvolution::Inputs;

constexpr int64_t kTaps = 9;

// 2 x multiply-adds of the 3x3 convolution, whatever Winograd makes of them.
double flop(const at::Tensor& y, int64_t input_channels) {
  return 2.0 * static_cast<double>(y.numel() * input_channels * kTaps);
}

// Differentiates the convolution of x by `to`, one of x and weight.
std::function<void()> gradient(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& weight, int64_t padding,
                               const at::Tensor& to) {
  const torch::AutoGradMode recorded(true);
  to.requires_grad_();
  const at::Tensor y = winograd_convolution(x, weight, padding);
  return [=] { torch::autograd::grad({y}, {to}, {grad}, /*retain_graph=*/true); };
}

}  // namespace

std::vector<OwnConvolution> own_convolutions() {
  // Inputs: x, weight, padding.
  const OwnConvolution forward{
      .name = "frgan::convolution",
      .flop =
          [](const Inputs& inputs) {
            const at::Tensor &x = inputs[0].toTensor(), &weight = inputs[1].toTensor();
            const int64_t more = 2 * inputs[2].toInt() - 2;
            return flop(at::empty({x.size(0), weight.size(0), x.size(2) + more, x.size(3) + more}, at::kMeta),
                        x.size(1));
          },
      .prepare = [](const Inputs& inputs) -> std::function<void()> {
        return [inputs] { winograd_convolution(inputs[0].toTensor(), inputs[1].toTensor(), inputs[2].toInt()); };
      }};
  // Inputs: gradient of the result, weight, padding.
  const OwnConvolution to_input{
      .name = "frgan::convolution_input_gradient",
      .flop = [](const Inputs& inputs) { return flop(inputs[0].toTensor(), inputs[1].toTensor().size(1)); },
      .prepare =
          [](const Inputs& inputs) {
            const at::Tensor &grad = inputs[0].toTensor(), &weight = inputs[1].toTensor();
            const int64_t padding = inputs[2].toInt(), more = 2 - 2 * padding;
            const at::Tensor x =
                at::zeros({grad.size(0), weight.size(1), grad.size(2) + more, grad.size(3) + more}, grad.options())
                    .contiguous(at::MemoryFormat::ChannelsLast);
            return gradient(grad, x, weight, padding, x);
          }};
  // Inputs: gradient of the result, x, padding.
  const OwnConvolution to_weight{
      .name = "frgan::convolution_weight_gradient",
      .flop = [](const Inputs& inputs) { return flop(inputs[0].toTensor(), inputs[1].toTensor().size(1)); },
      .prepare =
          [](const Inputs& inputs) {
            const at::Tensor &grad = inputs[0].toTensor(), &x = inputs[1].toTensor();
            const at::Tensor weight =
                at::zeros({grad.size(1), x.size(1), 3, 3}, at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
            return gradient(grad, x, weight, inputs[2].toInt(), weight);
          }};
  return {forward, to_input, to_weight};
}

}  // namespace frgan
