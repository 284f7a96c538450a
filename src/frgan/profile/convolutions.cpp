#include "frgan/profile/convolutions.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <numeric>
#include <sstream>
#include <utility>

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/record_function.h>
#include <fmt/format.h>
#include <torch/types.h>

#include "frgan/core/random.h"
#include "frgan/profile/timing.h"

namespace frgan {
namespace {

constexpr const char *kForward = "aten::convolution", *kBackward = "aten::convolution_backward";

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
  bool is_backward() const { return name.ends_with("_backward"); }
};

// What is recorded: LibTorch's callbacks are functions without state.
struct Recorder {
  std::vector<std::string> names;
  std::mutex mutex;
  std::vector<ConvolutionCall> calls;
};
Recorder* recorder = nullptr;
thread_local int running = 0;  // convolutions of this thread, one in another

Argument argument_of(const c10::IValue& value) {
  if (!value.isTensor() || !value.toTensor().defined()) {
    std::ostringstream text;
    text << value;
    return {.value = value, .text = text.str()};
  }
  const at::Tensor& tensor = value.toTensor();
  return {.is_tensor = true, .form = {tensor.sizes().vec(), tensor.strides().vec(), tensor.scalar_type()}};
}

void note(ConvolutionCall call) {
  const std::lock_guard lock(recorder->mutex);
  for (ConvolutionCall& known : recorder->calls) {
    if (!known.same_form(call)) continue;
    ++known.calls;
    return;
  }
  recorder->calls.push_back(std::move(call));
}

struct Running : at::ObserverContext {};

std::unique_ptr<at::ObserverContext> begin_call(const at::RecordFunction& function) {
  const auto& names = recorder->names;
  if (std::find(names.begin(), names.end(), function.name()) == names.end()) return nullptr;
  if (running++ == 0) {
    ConvolutionCall call{.name = function.name(), .arguments = {}};
    for (const c10::IValue& value : function.inputs()) call.arguments.push_back(argument_of(value));
    note(std::move(call));
  }
  return std::make_unique<Running>();
}

void end_call(const at::RecordFunction&, at::ObserverContext* context) {
  if (context != nullptr) --running;
}

std::vector<ConvolutionCall> calls_of(const std::function<void()>& closure, std::vector<std::string> names) {
  Recorder found{.names = std::move(names), .mutex = {}, .calls = {}};
  struct Watch {
    explicit Watch(Recorder& into) {
      recorder = &into;
      handle = at::addGlobalCallback(
          at::RecordFunctionCallback(begin_call, end_call).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
    }
    ~Watch() { at::removeCallback(handle); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    at::CallbackHandle handle;
  };
  {
    const Watch watch(found);
    closure();
  }
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
  return call.is_backward() ? 4 : 3;
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
  if (call.is_backward()) {
    const auto mask = call.arguments.back().value.toBoolList();
    text += mask[0] && mask[1] ? " to both" : mask[0] ? " to input" : " to weight";
  }
  return text;
}

// Pixels of the output of a convolution along one dimension.
int64_t output_pixels(int64_t input, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation) {
  return (input + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
}

// 2 x multiply-adds: each pixel of the output (of the input, where transposed) meets the whole kernel.
double flop_of(const ConvolutionCall& call) {
  const size_t setting = first_setting(call);
  const std::vector<TensorForm> tensors = tensors_of(call);
  const std::vector<int64_t>&x = tensors[call.is_backward() ? 1 : 0].sizes,
        &kernel = tensors[call.is_backward() ? 2 : 1].sizes;
  int64_t multiply_adds = x[0] * elements(kernel);
  const auto of_dimension = [&](size_t argument, size_t i) {
    const std::vector<int64_t> values = call.arguments[setting + argument].value.toIntVector();
    return values.size() == 1 ? values[0] : values[i];
  };
  const bool transposed = call.arguments[setting + 3].value.toBool();
  for (size_t i = 0; i + 2 < x.size(); ++i) {
    multiply_adds *=
        transposed ? x[i + 2]
                   : output_pixels(x[i + 2], kernel[i + 2], of_dimension(0, i), of_dimension(1, i), of_dimension(2, i));
  }
  if (!call.is_backward()) return 2.0 * static_cast<double>(multiply_adds);
  const auto mask = call.arguments.back().value.toBoolList();
  return 2.0 * static_cast<double>(multiply_adds) * ((mask[0] ? 1 : 0) + (mask[1] ? 1 : 0));
}

void run_operator(const std::string& name, std::vector<c10::IValue> inputs) {
  c10::Dispatcher::singleton().findSchemaOrThrow(name.c_str(), "").callBoxed(&inputs);
}

ConvolutionTime time_call(const ConvolutionCall& call, const std::function<void(const std::vector<c10::IValue>&)>& run,
                          int repetitions) {
  std::vector<c10::IValue> inputs;
  for (const Argument& argument : call.arguments) {
    inputs.push_back(argument.is_tensor ? c10::IValue(random_tensor(argument.form, inputs.size())) : argument.value);
  }
  return {.name = call.name,
          .shapes = shapes_of(call),
          .calls = call.calls,
          .flop = flop_of(call),
          .seconds = median_seconds(repetitions, [&] { run(inputs); })};
}

}  // namespace

std::vector<ConvolutionTime> time_convolutions(const std::function<void()>& closure, int repetitions,
                                               const std::vector<OwnConvolution>& own) {
  std::vector<OwnConvolution> known = own;
  for (const char* name : {kForward, kBackward}) {
    known.push_back({name, [name](const std::vector<c10::IValue>& inputs) { run_operator(name, inputs); }});
  }
  std::vector<std::string> names;
  for (const OwnConvolution& convolution : known) names.push_back(convolution.name);
  const std::vector<ConvolutionCall> calls = calls_of(closure, names);
  const torch::NoGradGuard no_grad;
  std::vector<ConvolutionTime> times;
  for (const ConvolutionCall& call : calls) {
    const auto convolution = std::find(names.begin(), names.end(), call.name) - names.begin();
    times.push_back(time_call(call, known[static_cast<size_t>(convolution)].run, repetitions));
  }
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
