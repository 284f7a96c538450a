#include "frgan/profile/convolution_times.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <sstream>
#include <utility>

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/record_function.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/types.h>

#include "frgan/device/random.h"
#include "frgan/nn/winograd.h"
#include "frgan/profile/timing.h"

namespace frgan {
namespace {

using Inputs = std::vector<c10::IValue>;

// How to run one convolution operator alone. An operator of frgan must record a RECORD_FUNCTION label with its inputs:
// RECORD_FUNCTION("frgan::convolution", std::vector<c10::IValue>({x, weight, padding})).
struct Convolution {
  std::string name;                                             // the operator's name, or its label
  std::function<double(const Inputs&)> flop;                    // FLOP of one call
  std::function<std::function<void()>(const Inputs&)> prepare;  // returns the closure to be timed
};

const std::string kForward = "aten::convolution", kBackward = "aten::convolution_backward";

// Shape, strides and type of a tensor.
struct TensorForm {
  std::vector<int64_t> sizes, strides;
  at::ScalarType type = at::kFloat;
  bool operator==(const TensorForm&) const = default;
};

// One argument of a call: the form of a tensor, or any other value.
struct Argument {
  bool is_tensor = false;
  TensorForm form = {};
  c10::IValue value = {};
  std::string text = {};  // printed value, for comparison: not all IValue types are comparable
  bool operator==(const Argument& other) const {
    return is_tensor == other.is_tensor && form == other.form && text == other.text;
  }
};

struct ConvolutionCall {
  std::string name;
  std::vector<Argument> arguments;
  int64_t calls = 1;
  bool same_form(const ConvolutionCall& other) const { return name == other.name && arguments == other.arguments; }
};

// The recorded calls. The recorder is global because LibTorch's callbacks are stateless functions.
struct Recorder {
  std::vector<std::string> names;
  std::mutex mutex;
  std::vector<ConvolutionCall> calls;
};
Recorder* recorder = nullptr;
thread_local int depth = 0;  // nesting depth of the convolutions that run in this thread

Argument argument_of(const c10::IValue& value) {
  if (!value.isTensor() || !value.toTensor().defined()) {
    std::ostringstream text;
    text << value;
    return {.value = value, .text = text.str()};
  }
  const at::Tensor& tensor = value.toTensor();
  return {.is_tensor = true, .form = {tensor.sizes().vec(), tensor.strides().vec(), tensor.scalar_type()}};
}

void record(ConvolutionCall call) {
  const std::lock_guard lock(recorder->mutex);
  for (ConvolutionCall& known : recorder->calls) {
    if (!known.same_form(call)) continue;
    ++known.calls;
    return;
  }
  recorder->calls.push_back(std::move(call));
}

struct RunningCall : at::ObserverContext {};

std::unique_ptr<at::ObserverContext> begin_call(const at::RecordFunction& function) {
  const auto& names = recorder->names;
  if (std::find(names.begin(), names.end(), function.name()) == names.end()) return nullptr;
  if (depth++ == 0) {
    ConvolutionCall call{.name = function.name(), .arguments = {}};
    for (const c10::IValue& value : function.inputs()) call.arguments.push_back(argument_of(value));
    record(std::move(call));
  }
  return std::make_unique<RunningCall>();
}

void end_call(const at::RecordFunction&, at::ObserverContext* context) {
  if (context != nullptr) --depth;
}

std::vector<ConvolutionCall> recorded_calls(const std::function<void()>& closure, std::vector<std::string> names) {
  Recorder recording{.names = std::move(names), .mutex = {}, .calls = {}};
  struct Watch {
    explicit Watch(Recorder& into) {
      TORCH_CHECK(recorder == nullptr, "time_convolutions cannot be nested");
      recorder = &into;
      handle = at::addGlobalCallback(
          at::RecordFunctionCallback(begin_call, end_call).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
    }
    ~Watch() {
      at::removeCallback(handle);
      recorder = nullptr;
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    at::CallbackHandle handle;
  };
  {
    const Watch watch(recording);
    closure();
  }
  return recording.calls;
}

at::Tensor random_tensor(const TensorForm& form, uint64_t key) {
  const at::Tensor tensor = at::empty_strided(form.sizes, form.strides, form.type);
  // The storage has fewer elements than the tensor where a stride is 0.
  const auto elements = static_cast<int64_t>(tensor.storage().nbytes() / tensor.itemsize());
  tensor.as_strided({elements}, {1}, 0).copy_(random_uniform({elements}, -1, 1, key, at::kFloat));
  return tensor;
}

std::string type_name(at::ScalarType type) {
  if (type == at::kBFloat16) return "bf16";
  return type == at::kFloat ? "fp32" : c10::toString(type);
}

// Non-tensor arguments of LibTorch's two operators. They follow x, weight and bias in the forward operator, and
// gradient, x, weight and bias sizes in the backward one.
struct ConvolutionArguments {
  ConvolutionArguments(const std::string& name, const Inputs& inputs) {
    const bool is_backward = name == kBackward;
    const size_t first = is_backward ? 4 : 3;
    stride = inputs[first].toIntVector();
    padding = inputs[first + 1].toIntVector();
    dilation = inputs[first + 2].toIntVector();
    transposed = inputs[first + 3].toBool();
    if (!is_backward) return;
    const auto mask = inputs.back().toBoolList();
    to_input = mask[0];
    to_weight = mask[1];
  }
  std::vector<int64_t> stride, padding, dilation;  // one value for all dimensions, or one for each
  bool transposed = false;
  bool to_input = false, to_weight = false;  // requested gradients of the backward operator
};

int64_t in_dimension(const std::vector<int64_t>& values, size_t dimension) {
  return values[values.size() == 1 ? 0 : dimension];
}

std::string shapes_of(const ConvolutionCall& call, const Inputs& inputs) {
  std::string text;
  for (const Argument& argument : call.arguments) {
    if (!argument.is_tensor) continue;
    const TensorForm& form = argument.form;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", type_name(form.type), fmt::join(form.sizes, "x"));
  }
  if (call.name != kForward && call.name != kBackward) return text;
  const ConvolutionArguments arguments(call.name, inputs);
  if (arguments.stride[0] != 1) text += fmt::format(" stride {}", arguments.stride[0]);
  if (arguments.transposed) text += " transposed";
  if (arguments.to_input || arguments.to_weight) {
    text += arguments.to_input && arguments.to_weight ? " to both" : arguments.to_input ? " to input" : " to weight";
  }
  return text;
}

// 2 x multiply-adds. The whole kernel is applied at each output pixel, or at each input pixel if transposed.
double operator_flop(const std::string& name, const Inputs& inputs) {
  const ConvolutionArguments arguments(name, inputs);
  const at::Tensor &x = inputs[name == kBackward ? 1 : 0].toTensor(),
                   &kernel = inputs[name == kBackward ? 2 : 1].toTensor();
  int64_t multiply_adds = x.size(0) * kernel.numel();
  for (size_t i = 0; i + 2 < x.sizes().size(); ++i) {
    const int64_t pixels = x.sizes()[i + 2];
    const int64_t reach = in_dimension(arguments.dilation, i) * (kernel.sizes()[i + 2] - 1) + 1;
    multiply_adds *=
        arguments.transposed
            ? pixels
            : (pixels + 2 * in_dimension(arguments.padding, i) - reach) / in_dimension(arguments.stride, i) + 1;
  }
  const int passes = name == kForward ? 1 : (arguments.to_input ? 1 : 0) + (arguments.to_weight ? 1 : 0);
  return 2.0 * passes * static_cast<double>(multiply_adds);
}

Convolution libtorch_operator(const std::string& name) {
  return {.name = name,
          .flop = [name](const Inputs& inputs) { return operator_flop(name, inputs); },
          .prepare = [name](const Inputs& inputs) -> std::function<void()> {
            const auto handle = c10::Dispatcher::singleton().findSchemaOrThrow(name.c_str(), "");
            return [handle, inputs] {
              Inputs stack = inputs;
              handle.callBoxed(&stack);
            };
          }};
}

// 2 x multiply-adds of a 3x3 convolution with result y. Winograd needs fewer.
double winograd_flop(const at::Tensor& y, int64_t input_channels) {
  constexpr int64_t kTaps = 9;
  return 2.0 * static_cast<double>(y.numel() * input_channels * kTaps);
}

// Differentiates the convolution of x by `to`, one of x and weight.
std::function<void()> winograd_gradient(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& weight,
                                        int64_t padding, const at::Tensor& to) {
  const torch::AutoGradMode recorded(true);
  to.requires_grad_();
  const at::Tensor y = winograd_convolution(x, weight, padding);
  return [=] { torch::autograd::grad({y}, {to}, {grad}, /*retain_graph=*/true); };
}

// The convolutions of nn/winograd.cpp, by their RECORD_FUNCTION labels.
std::vector<Convolution> winograd_convolutions() {
  // Inputs: x, weight, padding.
  const Convolution forward{
      .name = "frgan::convolution",
      .flop =
          [](const Inputs& inputs) {
            const at::Tensor &x = inputs[0].toTensor(), &weight = inputs[1].toTensor();
            const int64_t more = 2 * inputs[2].toInt() - 2;
            return winograd_flop(at::empty({x.size(0), weight.size(0), x.size(2) + more, x.size(3) + more}, at::kMeta),
                                 x.size(1));
          },
      .prepare = [](const Inputs& inputs) -> std::function<void()> {
        return [inputs] { winograd_convolution(inputs[0].toTensor(), inputs[1].toTensor(), inputs[2].toInt()); };
      }};
  // Inputs: gradient of the result, weight, padding.
  const Convolution to_input{
      .name = "frgan::convolution_input_gradient",
      .flop = [](const Inputs& inputs) { return winograd_flop(inputs[0].toTensor(), inputs[1].toTensor().size(1)); },
      .prepare =
          [](const Inputs& inputs) {
            const at::Tensor &grad = inputs[0].toTensor(), &weight = inputs[1].toTensor();
            const int64_t padding = inputs[2].toInt(), more = 2 - 2 * padding;
            const at::Tensor x =
                at::zeros({grad.size(0), weight.size(1), grad.size(2) + more, grad.size(3) + more}, grad.options())
                    .contiguous(at::MemoryFormat::ChannelsLast);
            return winograd_gradient(grad, x, weight, padding, x);
          }};
  // Inputs: gradient of the result, x, padding.
  const Convolution to_weight{
      .name = "frgan::convolution_weight_gradient",
      .flop = [](const Inputs& inputs) { return winograd_flop(inputs[0].toTensor(), inputs[1].toTensor().size(1)); },
      .prepare =
          [](const Inputs& inputs) {
            const at::Tensor &grad = inputs[0].toTensor(), &x = inputs[1].toTensor();
            const at::Tensor weight =
                at::zeros({grad.size(1), x.size(1), 3, 3}, at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
            return winograd_gradient(grad, x, weight, inputs[2].toInt(), weight);
          }};
  return {forward, to_input, to_weight};
}

ConvolutionTime time_call(const ConvolutionCall& call, const Convolution& convolution, int repetitions) {
  Inputs inputs;
  for (const Argument& argument : call.arguments) {
    inputs.push_back(argument.is_tensor ? c10::IValue(random_tensor(argument.form, inputs.size())) : argument.value);
  }
  return {.name = call.name,
          .shapes = shapes_of(call, inputs),
          .calls = call.calls,
          .flop = convolution.flop(inputs),
          .seconds = median_seconds(repetitions, convolution.prepare(inputs))};
}

}  // namespace

std::vector<ConvolutionTime> time_convolutions(const std::function<void()>& closure, int repetitions) {
  std::vector<Convolution> known = winograd_convolutions();
  known.push_back(libtorch_operator(kForward));
  known.push_back(libtorch_operator(kBackward));
  std::vector<std::string> names;
  names.reserve(known.size());
  for (const Convolution& convolution : known) names.push_back(convolution.name);
  std::vector<ConvolutionTime> times;
  for (const ConvolutionCall& call : recorded_calls(closure, names)) {
    const auto position = std::find(names.begin(), names.end(), call.name) - names.begin();
    const torch::NoGradGuard no_grad;
    times.push_back(time_call(call, known[static_cast<size_t>(position)], repetitions));
  }
  const auto total = [](const ConvolutionTime& time) { return static_cast<double>(time.calls) * time.seconds; };
  std::stable_sort(times.begin(), times.end(), [&](const auto& a, const auto& b) { return total(a) > total(b); });
  return times;
}

double total_seconds(const std::vector<ConvolutionTime>& convolutions) {
  double seconds = 0;
  for (const ConvolutionTime& time : convolutions) seconds += static_cast<double>(time.calls) * time.seconds;
  return seconds;
}

}  // namespace frgan
