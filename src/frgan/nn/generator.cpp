#include "frgan/nn/generator.h"

#include <algorithm>
#include <cmath>
#include <string>

#include <fmt/format.h>

#include "frgan/nn/batch_norm.h"
#include "frgan/nn/named_tensors.h"
#include "frgan/nn/phase_convolution.h"
#include "frgan/nn/weight_norm.h"

namespace frgan {
namespace {

constexpr uint64_t kGeneratorNetwork = 2;  // random stream of the weights

// Batch norm and ReLU in either order (A34).
struct NormAndRelu {
  BatchNorm norm;
  GeneratorOrder order;

  at::Tensor operator()(const at::Tensor& x, const ForwardPass& pass) {
    return order == GeneratorOrder::kBatchNormThenRelu ? norm->forward(x, pass).relu_()
                                                       : norm->forward(at::relu(x), pass);
  }
  std::string text() const {
    return order == GeneratorOrder::kBatchNormThenRelu ? "batch norm, ReLU" : "ReLU, batch norm";
  }
};

// The tensors of these layers belong to the generator, which gives them their names.
class NoiseDense : public Layer {
 public:
  NoiseDense(at::Tensor weight, NormAndRelu after) : weight_(std::move(weight)), after_(std::move(after)) {}
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) override {
    return after_(at::linear(cast_for(pass, x), cast_for(pass, weight_)), pass);
  }
  LayerDescription describe(const std::vector<int64_t>& input) const override {
    const int64_t units = weight_.size(0);
    return {.name = {},
            .text = fmt::format("dense {} to {}, {}", input.front(), units, after_.text()),
            .output = {units},
            .parameters = weight_.numel() + parameter_count(*after_.norm),
            .flop = 2.0 * static_cast<double>(weight_.numel())};
  }

 private:
  at::Tensor weight_;  // out x in
  NormAndRelu after_;
};

class Reshape : public Layer {
 public:
  Reshape(int64_t channels, int64_t size) : channels_(channels), size_(size) {}
  at::Tensor forward(const at::Tensor& x, const ForwardPass& /*pass*/) override {
    return x.view({-1, channels_, size_, size_}).contiguous(at::MemoryFormat::ChannelsLast);
  }
  LayerDescription describe(const std::vector<int64_t>& /*input*/) const override {
    return {.name = {},
            .text = fmt::format("reshape to {}x{}x{}", channels_, size_, size_),
            .output = {channels_, size_, size_}};
  }

 private:
  int64_t channels_, size_;
};

// Description of a 5x5 transposed convolution with stride 2: each input pixel is multiplied with all 25 taps.
LayerDescription upsampled(const std::vector<int64_t>& input, const at::Tensor& weight, const std::string& after,
                           int64_t parameters) {
  const int64_t channels = weight.size(1), size = input.at(1);
  return {.name = {},
          .text = fmt::format("5x5 transposed convolution to {}, stride 2, {}", channels, after),
          .output = {channels, 2 * size, 2 * size},
          .parameters = parameters,
          .flop = 2.0 * static_cast<double>(size * size * weight.numel())};
}

class Upsampling : public Layer {
 public:
  Upsampling(at::Tensor weight, NormAndRelu after) : weight_(std::move(weight)), after_(std::move(after)) {}
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) override {
    return after_(phase_convolution(x, weight_, pass), pass);
  }
  LayerDescription describe(const std::vector<int64_t>& input) const override {
    return upsampled(input, weight_, after_.text(), weight_.numel() + parameter_count(*after_.norm));
  }

 private:
  at::Tensor weight_;  // in x out x 5 x 5
  NormAndRelu after_;
};

class UpsamplingToImage : public WeightNormDeconv2dImpl, public Layer {
 public:
  UpsamplingToImage(int64_t in, int64_t out, WeightSource& source)
      : WeightNormDeconv2dImpl(in, out, /*initial_std=*/0.1, /*train_gain=*/true, source) {}
  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) override {
    return at::tanh(WeightNormDeconv2dImpl::forward(x, pass));
  }
  LayerDescription describe(const std::vector<int64_t>& input) const override {
    return upsampled(input, direction, "weight norm, tanh", parameter_count(*this));
  }
};

}  // namespace

void describe(OptionSet& options, GeneratorOptions& generator) {
  options.group("Network");
  options.add("noise-size", generator.noise_size, "Length of the generator's noise vector.",
              Range<int64_t>{1, 4096, "numbers"});
  options.add("gen-width", generator.gen_width,
              "Channels of the generator's first feature map before --width applies; Table 1 has 512, the paper's text "
              "1024 (A5: generator width). The next two maps have 1/2 and 1/4 of them.",
              Range<int64_t>{4, 4096, "channels"});
  options.add("gen-order", generator.gen_order,
              "Order in the generator after each layer but the last: bn_relu is batch norm, then ReLU; relu_bn is the "
              "order in which Table 1 names them (A34: generator order).",
              Words<GeneratorOrder>{"bn_relu", "relu_bn"});
}

Generator::Generator(const GeneratorOptions& options, const ImageShape& shape, double width, WeightInit init,
                     uint64_t seed)
    : LayerList({options.noise_size}) {
  WeightSource source(init, seed, kGeneratorNetwork);
  const int64_t size = shape.image_size / 8;
  const int64_t c0 = std::max<int64_t>(4, std::lround(static_cast<double>(options.gen_width) * width));
  const int64_t units = c0 * size * size, noise = options.noise_size;
  const auto after = [&](const std::string& name, int64_t channels) {
    return NormAndRelu{register_module(name, BatchNorm(channels)), options.gen_order};
  };
  const auto add_upsampling = [&](const std::string& name, int64_t out, const std::string& norm) {
    const int64_t in = output().front();
    at::Tensor weight = register_parameter(name + "_weight", source.draw({in, out, 5, 5}, in * 25, out * 25));
    add(name, std::make_shared<Upsampling>(std::move(weight), after(norm, out)));
  };
  at::Tensor dense = register_parameter("dense_weight", source.draw({units, noise}, noise, units));
  add("dense", std::make_shared<NoiseDense>(std::move(dense), after("norm0", units)));
  add("reshape", std::make_shared<Reshape>(c0, size));
  add_upsampling("deconv1", c0 / 2, "norm1");
  add_upsampling("deconv2", c0 / 4, "norm2");
  add("deconv3", std::make_shared<UpsamplingToImage>(c0 / 4, shape.channels, source));
}

}  // namespace frgan
