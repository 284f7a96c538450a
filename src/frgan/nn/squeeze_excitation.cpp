#include "frgan/nn/squeeze_excitation.h"

#include <ATen/record_function.h>

namespace frgan {

SqueezeExcitationImpl::SqueezeExcitationImpl(int64_t channels, int64_t hidden, bool with_bias, WeightSource& source) {
  squeeze_weight = register_parameter("squeeze_weight", source.draw({hidden, channels}, channels, hidden));
  excite_weight = register_parameter("excite_weight", source.draw({channels, hidden}, hidden, channels));
  if (with_bias) {
    squeeze_bias = register_parameter("squeeze_bias", at::zeros({hidden}));
    excite_bias = register_parameter("excite_bias", at::zeros({channels}));
  }
}

at::Tensor SqueezeExcitationImpl::gate(const at::Tensor& x) {
  const at::Tensor squeezed = x.to(squeeze_weight.scalar_type()).mean({2, 3});
  return at::sigmoid(
      at::linear(at::relu(at::linear(squeezed, squeeze_weight, squeeze_bias)), excite_weight, excite_bias));
}

at::Tensor SqueezeExcitationImpl::forward(const at::Tensor& x) {
  RECORD_FUNCTION("frgan::squeeze_excitation", c10::ArrayRef<const c10::IValue>{});
  const at::Tensor s = gate(x);
  if (gate_observer) gate_observer(s);
  return x * s.to(x.scalar_type()).unsqueeze(-1).unsqueeze(-1);
}

GraphValue SqueezeExcitationImpl::add_to(GraphBuilder& graph, const GraphValue& x) const {
  const auto dense = [&](const GraphValue& input, const std::string& name, const at::Tensor& weight,
                         const at::Tensor& bias) {
    const std::string added = bias.defined() ? graph.weight(graph.local(name + "_bias"), bias) : "";
    return graph.dense(input, graph.weight(graph.local(name + "_weight"), weight), added, weight.size(0));
  };
  const GraphValue squeezed = graph.mean(x, {2, 3}, /*keep=*/false);
  const GraphValue hidden = graph.relu(dense(squeezed, "squeeze", squeeze_weight, squeeze_bias));
  const GraphValue excited = dense(hidden, "excite", excite_weight, excite_bias);
  const GraphValue s = graph.apply("Sigmoid", {excited.name}, excited.shape);
  return graph.multiply(x, graph.reshape(s, {s.shape.front(), 1, 1}).name);
}

}  // namespace frgan
