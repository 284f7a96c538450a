#include "frgan/profile/convolutions.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <numeric>
#include <sstream>
#include <string_view>
#include <utility>

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/record_function.h>
#include <fmt/format.h>
#include <torch/types.h>

#include "frgan/core/random.h"
#include "frgan/profile/timing.h"

namespace frgan {
namespace {

constexpr std::string_view kForward = "aten::convolution", kBackward = "aten::convolution_backward";

// A tensor without its numbers.
struct TensorForm {
  std::vector<int64_t> sizes, strides;
  at::ScalarType type = at::kFloat;
  bool operator==(const TensorForm&) const = default;
};

// One argument of a call: a tensor's form, or any other value.
struct Argument {
  bool is_tensor = false;
  TensorForm form = {};
  c10::IValue value = {};
  std::string text = {};  // of the value: not all kinds of it can be compared
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

struct Recorder {
  std::mutex mutex;
  std::vector<ConvolutionCall> calls;
};
Recorder* recorder = nullptr;

Argument argument_of(const c10::IValue& value) {
  if (!value.isTensor() || !value.toTensor().defined()) {
    std::ostringstream text;
    text << value;
    return {.value = value, .text = text.str()};
  }
  const at::Tensor& tensor = value.toTensor();
  return {.is_tensor = true, .form = {tensor.sizes().vec(), tensor.strides().vec(), tensor.scalar_type()}};
}

std::unique_ptr<at::ObserverContext> note_call(const at::RecordFunction& function) {
  const std::string_view name = function.name();
  if (name != kForward && name != kBackward) return nullptr;
  ConvolutionCall call{.name = std::string(name), .arguments = {}};
  for (const c10::IValue& value : function.inputs()) call.arguments.push_back(argument_of(value));
  const std::lock_guard lock(recorder->mutex);
  for (ConvolutionCall& known : recorder->calls) {
    if (!known.same_form(call)) continue;
    ++known.calls;
    return nullptr;
  }
  recorder->calls.push_back(std::move(call));
  return nullptr;
}

std::vector<ConvolutionCall> calls_of(const std::function<void()>& closure) {
  Recorder found;
  recorder = &found;
  const auto handle = at::addGlobalCallback(
      at::RecordFunctionCallback(note_call).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
  try {
    closure();
  } catch (...) {
    at::removeCallback(handle);
    throw;
  }
  at::removeCallback(handle);
  return found.calls;
}

at::Tensor random_tensor(const TensorForm& form, uint64_t key) {
  const at::Tensor tensor = at::empty_strided(form.sizes, form.strides, form.type);
  const auto elements = static_cast<int64_t>(tensor.storage().nbytes() / tensor.itemsize());  // strides may be 0
  tensor.as_strided({elements}, {1}, 0).copy_(random_uniform({elements}, -1, 1, key, at::kFloat));
  return tensor;
}

std::string type_name(at::ScalarType type) {
  if (type == at::kBFloat16) return "bf16";
  return type == at::kFloat ? "fp32" : c10::toString(type);
}

// The tensors of a call. Forward: x and weight; backward: the output's gradient, x and weight.
std::vector<TensorForm> tensors_of(const ConvolutionCall& call) {
  std::vector<TensorForm> forms;
  for (const Argument& argument : call.arguments) {
    if (argument.is_tensor) forms.push_back(argument.form);
  }
  return forms;
}

int64_t elements(const std::vector<int64_t>& sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), int64_t{1}, std::multiplies<>());
}

// Where the arguments after the tensors begin: after x, weight and bias; or after gradient, x, weight and bias sizes.
size_t first_setting(const ConvolutionCall& call) {
  return call.name == kForward ? 3 : 4;
}

std::string shapes_of(const ConvolutionCall& call) {
  std::string text;
  for (const TensorForm& form : tensors_of(call)) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", type_name(form.type), fmt::join(form.sizes, "x"));
  }
  const size_t setting = first_setting(call);
  if (const auto stride = call.arguments[setting].value.toIntVector(); stride.at(0) != 1) {
    text += fmt::format(" stride {}", stride[0]);
  }
  if (call.arguments[setting + 3].value.toBool()) text += " transposed";
  if (call.name == kBackward) {
    const auto mask = call.arguments.back().value.toBoolList();
    text += mask[0] && mask[1] ? " to both" : mask[0] ? " to input" : " to weight";
  }
  return text;
}

// 2 x multiply-adds: each element of the output (of the input, where transposed) meets a kernel for each channel.
double flop_of(const ConvolutionCall& call, const at::Tensor& output) {
  const bool transposed = call.arguments[first_setting(call) + 3].value.toBool();
  const std::vector<TensorForm> tensors = tensors_of(call);
  const size_t x = call.name == kForward ? 0 : 1;
  const std::vector<int64_t>& kernel = tensors[x + 1].sizes;
  const int64_t meeting = transposed ? elements(tensors[x].sizes)
                          : x == 0   ? output.numel()
                                     : elements(tensors[0].sizes);
  int64_t passes = 1;
  if (call.name == kBackward) {
    const auto mask = call.arguments.back().value.toBoolList();
    passes = (mask[0] ? 1 : 0) + (mask[1] ? 1 : 0);
  }
  return 2.0 * static_cast<double>(passes * meeting * (elements(kernel) / kernel[0]));
}

ConvolutionTime time_call(const ConvolutionCall& call, int repetitions) {
  const c10::OperatorHandle handle = c10::Dispatcher::singleton().findSchemaOrThrow(call.name.c_str(), "");
  std::vector<c10::IValue> inputs;
  for (const Argument& argument : call.arguments) {
    inputs.push_back(argument.is_tensor ? c10::IValue(random_tensor(argument.form, inputs.size())) : argument.value);
  }
  c10::IValue output;
  const auto run = [&] {
    std::vector<c10::IValue> stack = inputs;
    handle.callBoxed(&stack);
    output = stack.front();
  };
  const double seconds = median_seconds(repetitions, run);
  return {.name = call.name,
          .shapes = shapes_of(call),
          .calls = call.calls,
          .flop = flop_of(call, call.name == kForward ? output.toTensor() : at::Tensor()),
          .seconds = seconds};
}

}  // namespace

std::vector<ConvolutionTime> time_convolutions(const std::function<void()>& closure, int repetitions) {
  const std::vector<ConvolutionCall> calls = calls_of(closure);
  const torch::NoGradGuard no_grad;
  std::vector<ConvolutionTime> times;
  for (const ConvolutionCall& call : calls) times.push_back(time_call(call, repetitions));
  const auto in_all = [](const ConvolutionTime& time) { return static_cast<double>(time.calls) * time.seconds; };
  std::stable_sort(times.begin(), times.end(), [&](const auto& a, const auto& b) { return in_all(a) > in_all(b); });
  return times;
}

double total_seconds(const std::vector<ConvolutionTime>& convolutions) {
  double seconds = 0;
  for (const ConvolutionTime& time : convolutions) seconds += static_cast<double>(time.calls) * time.seconds;
  return seconds;
}

}  // namespace frgan
