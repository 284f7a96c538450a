// The parameters of a network in one buffer (FlatParameters) and by name (NamedTensors).
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <torch/nn/module.h>
#include <torch/types.h>

#include "frgan/core/error.h"
#include "frgan/device/random.h"
#include "frgan/nn/discriminator.h"
#include "frgan/nn/flat_parameters.h"
#include "frgan/nn/generator.h"
#include "frgan/nn/named_tensors.h"

namespace frgan {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const ImageShape kShape{16, 3, 5};

NetworkPtr small_discriminator(double width = 1.0 / 16) {
  NetworkOptions options;
  options.width = width;
  const auto network = std::make_shared<Discriminator>(options, kShape, 1);
  network->to(at::kDouble);
  return network;
}

at::Tensor images() {
  return random_uniform({4, 3, 16, 16}, -1, 1, 1, at::kDouble).contiguous(at::MemoryFormat::ChannelsLast);
}

// The elements in memory order: channels-last for four dimensions, else row-major.
at::Tensor in_memory_order(const at::Tensor& tensor) {
  return (tensor.dim() == 4 ? tensor.permute({0, 2, 3, 1}) : tensor).flatten();
}

TEST(FlatParameters, AreViewsOfOneBuffer) {
  const auto network = small_discriminator();
  std::vector<at::Tensor> before;
  for (const at::Tensor& parameter : network->parameters()) before.push_back(parameter.detach().clone());
  const FlatParameters flat(*network);
  const auto named = network->named_parameters();
  ASSERT_EQ(flat.parameters().size(), named.size());
  int64_t offset = 0;
  for (size_t i = 0; i < named.size(); ++i) {
    const at::Tensor& parameter = named[i].value();
    SCOPED_TRACE(named[i].key());
    EXPECT_EQ(flat.name(i), named[i].key());
    EXPECT_TRUE(parameter.requires_grad());
    EXPECT_TRUE(parameter.is_leaf());
    EXPECT_TRUE(parameter.equal(before[i]));
    EXPECT_TRUE(flat.parameters()[i].is_same(parameter));
    EXPECT_EQ(parameter.data_ptr(), flat.values().data_ptr<double>() + offset);
    EXPECT_EQ(parameter.grad().data_ptr(), flat.gradients().data_ptr<double>() + offset);
    EXPECT_EQ(parameter.grad().strides(), parameter.strides());
    if (parameter.dim() == 4) {
      EXPECT_TRUE(parameter.is_contiguous(at::MemoryFormat::ChannelsLast));
    }
    EXPECT_TRUE(in_memory_order(parameter.detach()).equal(flat.values().narrow(0, offset, parameter.numel())));
    offset += parameter.numel();
  }
  EXPECT_EQ(flat.values().numel(), offset);
  EXPECT_EQ(flat.gradients().numel(), offset);
  EXPECT_FALSE(flat.values().requires_grad());
  EXPECT_EQ(flat.gradients().abs().sum().item<double>(), 0);
}

TEST(FlatParameters, DoNotChangeTheNetworkOutput) {
  const auto network = small_discriminator();
  const at::Tensor before = network->forward(images(), {}).logits.detach();
  const FlatParameters flat(*network);
  EXPECT_TRUE(at::allclose(network->forward(images(), {}).logits, before, 1e-12, 1e-12));
  flat.values().zero_();  // the network uses the buffer
  EXPECT_FALSE(at::isfinite(network->forward(images(), {}).logits).all().item<bool>());
}

TEST(FlatParameters, GradientsAccumulateInTheBuffer) {
  const auto plain = small_discriminator(), network = small_discriminator();
  plain->forward(images(), {}).logits.square().sum().backward();
  const FlatParameters flat(*network);
  const auto backward = [&] {
    network->forward(images(), {}).logits.square().sum().backward({}, false, false, flat.parameters());
  };
  backward();
  std::vector<at::Tensor> expected;
  for (const at::Tensor& parameter : plain->parameters()) expected.push_back(in_memory_order(parameter.grad()));
  EXPECT_TRUE(at::allclose(flat.gradients(), at::cat(expected), 1e-10, 1e-12));
  EXPECT_GT(flat.gradients().abs().max().item<double>(), 0);
  backward();  // gradients accumulate until the buffer is zeroed
  EXPECT_TRUE(at::allclose(flat.gradients(), 2 * at::cat(expected), 1e-10, 1e-12));
}

TEST(FlatParameters, ViewLikeHasTheShapeOfTheParameter) {
  const auto network = small_discriminator();
  const FlatParameters flat(*network);
  const at::Tensor moments = at::arange(flat.values().numel(), at::kDouble);
  for (size_t i = 0; i < flat.parameters().size(); ++i) {
    const at::Tensor view = flat.view_like(moments, i);
    EXPECT_EQ(view.sizes(), flat.parameters()[i].sizes());
    EXPECT_EQ(view.strides(), flat.view_like(flat.values(), i).strides());
    EXPECT_EQ(in_memory_order(view)[0].item<double>(),
              static_cast<double>(flat.parameters()[i].data_ptr<double>() - flat.values().data_ptr<double>()));
  }
}

TEST(FlatParameters, FrozenParametersAreApart) {
  const auto network = small_discriminator();
  const at::Tensor before = network->forward(images(), {}).logits.detach();
  const int64_t all = parameter_count(*network);
  int64_t frozen = 0;
  for (const auto& item : network->named_parameters()) {
    if (!item.key().starts_with("conv2.")) continue;
    item.value().set_requires_grad(false);
    frozen += item.value().numel();
  }
  const FlatParameters flat(*network);
  ASSERT_GT(frozen, 0);
  EXPECT_EQ(flat.frozen().numel(), frozen);
  EXPECT_EQ(flat.buffers().numel(), 0);
  EXPECT_EQ(flat.values().numel(), all - frozen);
  EXPECT_EQ(parameter_count(*network), all - frozen);
  EXPECT_TRUE(at::allclose(network->forward(images(), {}).logits, before, 1e-12, 1e-12));
  EXPECT_EQ(flat.part_of_frozen("conv2.").numel(), frozen);
  EXPECT_EQ(flat.part_of_values("conv2.").numel(), 0);
  flat.frozen().zero_();
  EXPECT_EQ(network->named_parameters()["conv2.bias"].abs().sum().item<double>(), 0);
}

TEST(FlatParameters, APartIsAViewOfItsTensors) {
  const auto network = small_discriminator();
  const FlatParameters flat(*network);
  const at::Tensor part = flat.part_of_values("conv3.");
  int64_t size = 0;
  for (const auto& item : network->named_parameters())
    size += item.key().starts_with("conv3.") ? item.value().numel() : 0;
  EXPECT_EQ(part.numel(), size);
  part.fill_(7);
  EXPECT_EQ(network->named_parameters()["conv3.gain"].min().item<double>(), 7);
  EXPECT_NE(network->named_parameters()["conv2.gain"].min().item<double>(), 7);
  EXPECT_EQ(flat.part_of_values("").numel(), flat.values().numel());
}

TEST(FlatParameters, RejectAModuleWithoutParameters) {
  EXPECT_THROW(FlatParameters{torch::nn::Module()}, c10::Error);
}

TEST(NamedTensors, ContainParametersAndBuffersWithAPrefix) {
  const auto network = std::make_shared<Generator>(GeneratorOptions{}, kShape, 1.0 / 64, WeightInit::kXavier, 1);
  const NamedTensors tensors = named_tensors(*network, "generator.");
  EXPECT_EQ(tensors.size(), network->parameters().size() + network->buffers().size());
  EXPECT_FALSE(tensors.at("generator.dense_weight").requires_grad());
  tensors.at("generator.norm1.running_mean").fill_(3);
  tensors.at("generator.dense_weight").fill_(4);
  EXPECT_EQ(network->named_buffers()["norm1.running_mean"].mean().item<float>(), 3);
  EXPECT_EQ(network->named_parameters()["dense_weight"].mean().item<float>(), 4);
}

std::string copy_error(const NamedTensors& target, const NamedTensors& saved) {
  try {
    copy_named(target, saved, "run/model");
  } catch (const Error& error) {
    return error.what();
  }
  return "no exception";
}

TEST(NamedTensors, AreCopiedByName) {
  const NamedTensors target{{"a", at::zeros({2})}, {"b", at::zeros({3, 1})}, {"c", at::zeros({})}};
  copy_named(target, {{"b", at::full({3, 1}, 5.0)}, {"a", at::ones({2})}, {"c", at::full({}, 7)}}, "x");
  EXPECT_EQ(target.at("a").sum().item<float>(), 2);
  EXPECT_EQ(target.at("b").sum().item<float>(), 15);
  EXPECT_EQ(target.at("c").item<float>(), 7);
}

TEST(NamedTensors, ArchitectureMismatchChangesNothing) {
  const NamedTensors target{{"a", at::zeros({2})}, {"b", at::zeros({3, 1})}};
  const at::Tensor a = at::ones({2}), b = at::ones({3, 1});
  EXPECT_THAT(copy_error(target, {{"a", a}}),
              AllOf(HasSubstr("run/model"), HasSubstr("architecture mismatch: tensor 'b' is missing")));
  EXPECT_THAT(copy_error(target, {{"a", a}, {"b", at::ones({1, 3})}}), AllOf(HasSubstr("1x3"), HasSubstr("3x1")));
  EXPECT_THAT(copy_error(target, {{"a", at::ones({})}, {"b", b}}), HasSubstr("scalar"));
  EXPECT_THAT(copy_error(target, {{"a", a}, {"b", b}, {"c", a}}), HasSubstr("this network has no tensor 'c'"));
  for (const auto& [name, tensor] : target) EXPECT_EQ(tensor.abs().sum().item<float>(), 0) << name;
}

}  // namespace
}  // namespace frgan
