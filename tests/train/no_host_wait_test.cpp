// A training step never synchronizes host and device. It runs on the meta device, whose tensors have shapes but no
// values to read. On the CPU, it uses no operator that returns a value to the host.
#include <algorithm>
#include <array>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/record_function.h>
#include <gmock/gmock.h>
#include <torch/library.h>
#include <torch/types.h>

#include "../methods/small_methods.h"
#include "frgan/train/trainer.h"

namespace frgan {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

at::MemoryFormat layout_of(const at::Tensor& x) {
  return x.dim() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
}

at::Tensor like(const at::Tensor& x) {
  return at::empty(x.sizes(), x.options(), layout_of(x));
}

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const c10::optional<at::Tensor>&,
                       at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef, bool, at::IntArrayRef,
                       int64_t) {
  const auto size = [&](int64_t d) { return (x.size(d + 2) + 2 * padding[d] - weight.size(d + 2)) / stride[d] + 1; };
  return at::empty({x.size(0), weight.size(0), size(0), size(1)}, x.options(), layout_of(x));
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> convolution_backward(const at::Tensor&, const at::Tensor& x,
                                                                    const at::Tensor& weight, at::IntArrayRef,
                                                                    at::IntArrayRef, at::IntArrayRef, bool,
                                                                    at::IntArrayRef, int64_t, std::array<bool, 3> of) {
  return {of[0] ? like(x) : at::Tensor(), of[1] ? like(weight) : at::Tensor(), at::Tensor()};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> batch_norm(const at::Tensor& x, const c10::optional<at::Tensor>& weight,
                                                          const c10::optional<at::Tensor>&,
                                                          const c10::optional<at::Tensor>&,
                                                          const c10::optional<at::Tensor>&, bool, double, double) {
  return {like(x), like(*weight), like(*weight)};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> batch_norm_backward(
    const at::Tensor&, const at::Tensor& x, const c10::optional<at::Tensor>& weight, const c10::optional<at::Tensor>&,
    const c10::optional<at::Tensor>&, const c10::optional<at::Tensor>&, const c10::optional<at::Tensor>&, bool, double,
    std::array<bool, 3>) {
  return {like(x), like(*weight), like(*weight)};
}

at::Tensor relu(const at::Tensor& x) {
  return like(x);
}

at::Tensor flip(const at::Tensor& x, at::IntArrayRef) {
  return at::empty_like(x);
}

at::Tensor& abs_out(const at::Tensor& x, at::Tensor& out) {
  out.resize_(x.sizes());
  return out;
}

at::Tensor& logical_and_out(const at::Tensor& x, const at::Tensor&, at::Tensor& out) {
  out.resize_(x.sizes());
  return out;
}

at::Tensor where(const at::Tensor&, const at::Tensor& x, const at::Tensor&) {
  return like(x);
}

// Registers meta kernels (shapes only) that LibTorch 1.13 lacks, during its lifetime.
class MetaKernels {
 public:
  MetaKernels() : library_(torch::Library::IMPL, "aten", c10::DispatchKey::Meta, __FILE__, __LINE__) {
    add("convolution_overrideable", &convolution);
    add("convolution_backward_overrideable", &convolution_backward);
    add("abs", &abs_out, "out");
    add("flip", &flip);
    add("logical_and", &logical_and_out, "out");
    add("where", &where, "self");
    add("relu", &relu);
    add("native_batch_norm", &batch_norm);
    add("native_batch_norm_backward", &batch_norm_backward);
  }

 private:
  template <class Kernel>
  void add(const std::string& name, Kernel kernel, const std::string& overload = "") {
    const auto known = c10::Dispatcher::singleton().findSchemaOrThrow(("aten::" + name).c_str(), overload.c_str());
    if (known.hasKernelForDispatchKey(c10::DispatchKey::Meta)) return;
    library_.impl((overload.empty() ? name : name + "." + overload).c_str(), kernel);
  }
  torch::Library library_;
};

struct Variant {
  std::string method;
  Settings settings;
  Precision precision = Precision::kFull;
};

// Together, these variants cover every code path of a step.
const std::vector<Variant>& variants() {
  static const std::vector<Variant> all{
      {"supervised", {}},
      {"mean-teacher", {}},
      {"fixmatch", {}},
      {"linear", {{"network", "table1"}}},
      {"imsat", {{"network", "table1"}}},
      {"m1m2", {{"normalization", "zca"}}},
      {"m1m2", {{"normalization", "pca"}, {"kl-warm-up", 0.5}}},
      {"supervised", {{"normalization", "image"}}},
      {"supervised", {{"network", "conv-large"}}},
      {"supervised", {{"network", "conv-large"}, {"conv-large-norm", "batch_norm"}}, Precision::kBf16},
      {"supervised", {{"network", "wrn-28-2"}, {"optimizer", "sgd"}, {"weight-decay", 1e-3}}},
      {"fr-gan", {}},
      {"fr-gan", {}, Precision::kBf16},
      {"fr-gan", {{"gen-loss", "fm+ns"}, {"disc-steps", 2}, {"epsilon-inside-root", true}, {"se-position", "all"}}},
      {"fr-gan", {{"gen-loss", "saturating"}, {"mixed-batch", true}, {"pooling", "max"}, {"se-bias", true}}},
      {"fr-gan", {{"consistency-labeled", true}, {"consistency-generated", true}, {"consistency-target", "features"}}},
      {"fr-gan", {{"explicit-fake-class", true}, {"stop-gradient", true}, {"mse-reduction", "sum_classes"}}}};
  for (const MethodInfo& info : all_methods()) {
    const bool is_listed = std::ranges::any_of(all, [&](const Variant& one) { return one.method == info.name; });
    EXPECT_TRUE(is_listed) << "add variants of " << info.name;
  }
  return all;
}

// A method with a fixed number of steps solves its problem in `initialize`, on the host.
void train(Method& method, const Problem& problem, const std::string& name) {
  Trainer trainer(method, problem, RandomBatches{problem}, /*planned_steps=*/2, /*outlier_limit=*/5);
  if (find_method(name)->steps == 0) trainer.initialize();
  for (int step = 0; step < 2; ++step) trainer.step();  // with two stages, one step of each
}

void move_to_meta(const at::Tensor& tensor) {
  tensor.unsafeGetTensorImpl()->shallow_copy_from(tensor.detach().to(at::kMeta).getIntrusivePtr());
}

// Moves a network from the CPU to the meta device; Module::to does not support this.
void move_to_meta(const torch::nn::Module& network) {
  for (const at::Tensor& parameter : network.parameters()) move_to_meta(parameter);
  for (const at::Tensor& buffer : network.buffers()) move_to_meta(buffer);
}

// A method whose networks are on the meta device.
class OnMeta : public Method {
 public:
  explicit OnMeta(Method& method) : method_(method) {
    for (const Player& player : method_.players()) {
      move_to_meta(*player.network);
      for (const Follower& follower : player.followers) move_to_meta(*follower.network);
    }
    for (const auto& [name, tensor] : method_.state()) move_to_meta(tensor);
  }
  void describe(OptionSet& options) override { method_.describe(options); }
  void build(const Problem& problem) override { method_.build(problem); }
  std::vector<Player> players() const override { return method_.players(); }
  std::vector<Schedule> schedules() const override { return method_.schedules(); }
  std::vector<Stage> stages() override { return method_.stages(); }
  NamedTensors state() const override { return method_.state(); }
  NetworkPtr make_classifier(const Problem& problem) const override {
    const auto network = method_.make_classifier(problem);
    move_to_meta(*network);
    return network;
  }

 private:
  Method& method_;
};

TEST(NoHostWait, StepsRunOnTheMetaDevice) {
  const MetaKernels kernels;
  const at::Tensor number = at::ones({}, at::kMeta);
  EXPECT_ANY_THROW(number.item());  // a host read throws on the meta device
  EXPECT_ANY_THROW(number.to(at::kCPU));
  for (const Variant& run : variants()) {
    Problem problem = small_problem(at::kFloat);
    problem.precision = run.precision;
    const auto method = small_method(run.method, run.settings, problem);
    OnMeta on_meta(*method);
    problem.device = at::kMeta;
    std::string error;
    try {
      train(on_meta, problem, run.method);
    } catch (const c10::Error& thrown) {
      error = thrown.what_without_backtrace();
    }
    EXPECT_EQ(error.substr(0, error.find('\n')), "") << run.method;
  }
}

// Names of all operators that run in `call`, forward and backward.
std::set<std::string> operators_of(const std::function<void()>& call) {
  static std::mutex mutex;
  static std::set<std::string> names;
  names.clear();
  const auto handle = at::addGlobalCallback(
      at::RecordFunctionCallback([](const at::RecordFunction& function) -> std::unique_ptr<at::ObserverContext> {
        const std::lock_guard lock(mutex);
        names.insert(function.name());
        return nullptr;
      }).scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
  call();
  at::removeCallback(handle);
  return names;
}

const std::set<std::string> kHostReads{
    "aten::_local_scalar_dense", "aten::item",     "aten::is_nonzero", "aten::nonzero",  "aten::equal",
    "aten::masked_select",       "aten::allclose", "aten::unique",     "aten::_unique2", "aten::unique_consecutive",
    "aten::repeat_interleave"};

TEST(NoHostWait, StepsUseNoOperatorThatReadsValues) {
  const at::Tensor number = at::ones({2});
  EXPECT_THAT(operators_of([&] { number[0].item(); }), Contains("aten::_local_scalar_dense"));
  EXPECT_THAT(operators_of([&] { number.index({number > 0}); }), Contains("aten::nonzero"));
  for (const Variant& run : variants()) {
    Problem problem = small_problem(at::kFloat);
    problem.precision = run.precision;
    const auto method = small_method(run.method, run.settings, problem);
    const auto names = operators_of([&] { train(*method, problem, run.method); });
    EXPECT_THAT(names, Contains(AnyOf("ConvolutionBackward0", "AddmmBackward0")));  // the recording works
    std::vector<std::string> host_reads;
    std::set_intersection(names.begin(), names.end(), kHostReads.begin(), kHostReads.end(),
                          std::back_inserter(host_reads));
    EXPECT_THAT(host_reads, IsEmpty()) << run.method;
  }
}

}  // namespace
}  // namespace frgan
