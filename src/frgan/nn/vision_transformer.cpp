#include "frgan/nn/vision_transformer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <fmt/format.h>

#include "frgan/nn/image_layers.h"
#include "frgan/nn/layers.h"
#include "frgan/nn/named_tensors.h"
#include "frgan/nn/scaled_channels.h"

namespace frgan {
namespace {

constexpr uint64_t kVisionTransformer = 15;  // random stream of the weights
constexpr int64_t kTransformerUnits = 384, kUnitsPerHead = 64, kTransformerBlocks = 12;
constexpr double kInitialTransformerScale = 1e-5;

// Patches as tokens: N x C x H x W to N x T x D.
class PatchTokens : public torch::nn::Module, public Layer {
 public:
  PatchTokens(int64_t channels, int64_t units, WeightSource& source)
      : projection_(register_module("proj", Convolution2d(Convolution2dOptions{.in = channels,
                                                                               .out = units,
                                                                               .kernel = VisionTransformer::kPatch,
                                                                               .stride = VisionTransformer::kPatch,
                                                                               .bias = true,
                                                                               .padding = Padding::kNone},
                                                          source))) {}

  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) override {
    return projection_->forward(x, pass).flatten(2).transpose(1, 2);
  }

  LayerDescription describe(const std::vector<int64_t>& input) const override {
    const std::vector<int64_t> patches = projection_->output(input);
    return {.name = {},
            .text = fmt::format("patches of {0}x{0} pixels to {1} values", VisionTransformer::kPatch, patches[0]),
            .output = {patches[1] * patches[2], patches[0]},
            .parameters = parameter_count(*this),
            .flop = projection_->flop(input)};
  }

  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override {
    const GraphValue patches = projection_->add_to(graph, x, "proj");
    const int64_t units = patches.shape[0], count = patches.shape[1] * patches.shape[2];
    return graph.transpose(graph.reshape(patches, {units, count}), {0, 2, 1});
  }

 private:
  Convolution2d projection_;
};

// Puts the class token before the others, and adds position embeddings. The network registers both tensors.
class ClassTokenAndPositions : public Layer {
 public:
  ClassTokenAndPositions(at::Tensor token, at::Tensor positions)
      : token_(std::move(token)), positions_(std::move(positions)) {}

  at::Tensor forward(const at::Tensor& x, const ForwardPass& /*pass*/) override {
    const at::Tensor tokens = x.to(token_.scalar_type());
    return at::cat({token_.expand({x.size(0), -1, -1}), tokens}, 1) + positions_;
  }

  LayerDescription describe(const std::vector<int64_t>& input) const override {
    return {.name = {},
            .text = "class token, position embeddings",
            .output = {input.at(0) + 1, input.at(1)},
            .parameters = token_.numel() + positions_.numel()};
  }

  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override {
    const int64_t units = x.shape.at(1);
    const std::string token = graph.weight("cls_token", token_), positions = graph.weight("pos_embed", positions_);
    const GraphValue sizes = graph.apply("Shape", {x.name}, {});
    const GraphValue batch = graph.apply("Slice", {sizes.name, graph.integers({0}), graph.integers({1})}, {});
    const GraphValue expanded =
        graph.apply("Concat", {batch.name, graph.integers({1, units})}, {}, {{"axis", int64_t{0}}});
    const GraphValue first = graph.apply("Expand", {token, expanded.name}, {1, units});
    const GraphValue tokens =
        graph.apply("Concat", {first.name, x.name}, {x.shape.at(0) + 1, units}, {{"axis", int64_t{1}}});
    return graph.add(tokens, positions);
  }

 private:
  at::Tensor token_, positions_;
};

// Self-attention: softmax(Q K^T / sqrt(d)) V for each head, and a dense layer.
struct AttentionImpl : torch::nn::Module {
  AttentionImpl(int64_t units, int64_t heads, WeightSource& source)
      : qkv(register_module("qkv", Dense(units, 3 * units, source))),
        proj(register_module("proj", Dense(units, units, source))),
        heads_(heads) {}

  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) {
    const int64_t count = x.size(0), tokens = x.size(1), units = x.size(2), size = units / heads_;
    const at::Tensor all = qkv->forward(x, pass).view({count, tokens, 3, heads_, size}).permute({2, 0, 3, 1, 4});
    const at::Tensor query = all[0] / std::sqrt(static_cast<double>(size));
    const at::Tensor weights = at::softmax(at::matmul(query, all[1].transpose(2, 3)), -1);
    return proj->forward(at::matmul(weights, all[2]).transpose(1, 2).reshape({count, tokens, units}), pass);
  }

  GraphValue add_to(GraphBuilder& graph, const GraphValue& x, const std::string& name) const {
    const int64_t tokens = x.shape.at(0), units = x.shape.at(1), size = units / heads_;
    const GraphValue all = graph.reshape(qkv->add_to(graph, x, name + ".qkv"), {tokens, 3, heads_, size});
    const GraphValue parts = graph.apply("Transpose", {all.name}, {}, {{"perm", std::vector<int64_t>{2, 0, 3, 1, 4}}});
    const auto part = [&](int64_t index) {  // of queries, keys and values
      return graph.apply("Gather", {parts.name, graph.integer(index)}, {heads_, tokens, size}, {{"axis", int64_t{0}}});
    };
    const GraphValue query = graph.multiply(part(0), graph.number(1 / std::sqrt(static_cast<double>(size))));
    const GraphValue keys = graph.transpose(part(1), {0, 1, 3, 2});
    const GraphValue products = graph.apply("MatMul", {query.name, keys.name}, {heads_, tokens, tokens});
    const GraphValue weights = graph.apply("Softmax", {products.name}, products.shape, {{"axis", int64_t{-1}}});
    const GraphValue mixed = graph.apply("MatMul", {weights.name, part(2).name}, {heads_, tokens, size});
    return proj->add_to(graph, graph.reshape(graph.transpose(mixed, {0, 2, 1, 3}), {tokens, units}), name + ".proj");
  }

  Dense qkv, proj;

 private:
  int64_t heads_;
};
TORCH_MODULE(Attention);

// gamma x, with one value of gamma per unit.
struct LayerScaleImpl : torch::nn::Module {
  explicit LayerScaleImpl(int64_t units)
      : gamma(register_parameter("gamma", at::full({units}, kInitialTransformerScale))) {}
  at::Tensor gamma;
};
TORCH_MODULE(LayerScale);

// x + gamma1 attention(norm(x)), then the same with gamma2 and a feed-forward network.
class TransformerBlock : public torch::nn::Module, public Layer {
 public:
  TransformerBlock(int64_t units, int64_t heads, WeightSource& source)
      : norm1_(register_module("norm1", LayerNorm(units))),
        attention_(register_module("attn", Attention(units, heads, source))),
        scale1_(register_module("ls1", LayerScale(units))),
        norm2_(register_module("norm2", LayerNorm(units))),
        feed_forward_(register_module("mlp", FeedForward(units, 4 * units, source))),
        scale2_(register_module("ls2", LayerScale(units))) {}

  at::Tensor forward(const at::Tensor& x, const ForwardPass& pass) override {
    const at::Tensor attended = x + scale1_->gamma * attention_->forward(norm1_->forward(x), pass);
    return attended + scale2_->gamma * feed_forward_->forward(norm2_->forward(attended), pass);
  }

  LayerDescription describe(const std::vector<int64_t>& input) const override {
    const int64_t tokens = input.at(0), units = input.at(1);
    return {.name = {},
            .text = fmt::format("transformer block: attention, dense to {}, GELU, dense to {}", 4 * units, units),
            .output = input,
            .parameters = parameter_count(*this),
            .flop = 2.0 * static_cast<double>(tokens * units * (12 * units + 2 * tokens))};
  }

  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override {
    const auto scaled = [&](const GraphValue& y, const char* name, const LayerScale& scale) {
      return graph.multiply(y, graph.weight(graph.local(name, "gamma"), scale->gamma));
    };
    const GraphValue attention = attention_->add_to(graph, norm1_->add_to(graph, x, "norm1"), "attn");
    const GraphValue attended = graph.add(x, scaled(attention, "ls1", scale1_));
    const GraphValue mixed = feed_forward_->add_to(graph, norm2_->add_to(graph, attended, "norm2"), "mlp");
    return graph.add(attended, scaled(mixed, "ls2", scale2_));
  }

 private:
  LayerNorm norm1_;
  Attention attention_;
  LayerScale scale1_;
  LayerNorm norm2_;
  FeedForward feed_forward_;
  LayerScale scale2_;
};

// N x T x D to the first token, N x D.
class FirstToken : public Layer {
 public:
  at::Tensor forward(const at::Tensor& x, const ForwardPass& /*pass*/) override { return x.select(1, 0); }
  LayerDescription describe(const std::vector<int64_t>& input) const override {
    return {.name = {}, .text = "class token: the features", .output = {input.at(1)}};
  }
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override {
    return graph.apply("Gather", {x.name, graph.integer(0)}, {x.shape.at(1)}, {{"axis", int64_t{1}}});
  }
};

// About 64 units per head.
int64_t heads_for(int64_t units) {
  int64_t heads = std::max<int64_t>(1, units / kUnitsPerHead);
  while (units % heads != 0) --heads;
  return heads;
}

}  // namespace

VisionTransformer::VisionTransformer(const NetworkOptions& options, const ImageShape& shape, uint64_t seed)
    : Network(shape, options.normalization) {
  WeightSource source(WeightInit::kXavier, seed, kVisionTransformer);
  const int64_t units = scaled_channels(kTransformerUnits, options.width), side = shape.image_size / kPatch;
  const at::Tensor token = register_parameter("cls_token", source.draw({1, 1, units}, units, units));
  const at::Tensor positions = register_parameter("pos_embed", source.draw({1, 1 + side * side, units}, units, units));
  add("patch_embed", std::make_shared<PatchTokens>(shape.channels, units, source));
  add("positions", std::make_shared<ClassTokenAndPositions>(token, positions));
  for (int64_t block = 0; block < kTransformerBlocks; ++block) {
    add(fmt::format("blocks.{}", block), std::make_shared<TransformerBlock>(units, heads_for(units), source));
  }
  add("norm", std::make_shared<LayerNormLayer>(units));
  add("pool", std::make_shared<FirstToken>());
  add("head", std::make_shared<DenseLogits>(units, shape.classes + (options.explicit_fake_class ? 1 : 0), source));
}

int64_t side_of_positions(const at::Tensor& positions) {
  if (positions.dim() != 3 || positions.size(0) != 1 || positions.size(1) < 2 || positions.size(2) < 1) return 0;
  const int64_t side = std::lround(std::sqrt(static_cast<double>(positions.size(1) - 1)));
  return side * side + 1 == positions.size(1) ? side : 0;
}

at::Tensor resampled_positions(const at::Tensor& positions, int64_t side) {
  const int64_t before = side_of_positions(positions);
  TORCH_CHECK(before > 0, "position embeddings must be 1 x (1 + n n) x D; got ", positions.sizes());
  if (before == side) return positions;
  const int64_t units = positions.size(2);
  const at::Tensor grid = positions.slice(1, 1).reshape({1, before, before, units}).permute({0, 3, 1, 2});
  const std::array<int64_t, 2> size{side, side};
  const at::Tensor resampled = at::_upsample_bicubic2d_aa(grid.contiguous(), size, /*align_corners=*/false);
  return at::cat({positions.slice(1, 0, 1), resampled.permute({0, 2, 3, 1}).reshape({1, side * side, units})}, 1);
}

}  // namespace frgan
