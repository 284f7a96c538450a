#include "frgan/profile/operator_profile.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>

#include <ATen/record_function.h>
#include <c10/core/CPUAllocator.h>

namespace frgan {
namespace {

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

constexpr std::string_view kOther = "other", kOutside = "outside operators";

// A row of the table of operator kinds. A root operator has the kind of its row. Any other operator has the kind of its
// caller, so a copy inside a convolution counts as convolution. If the caller has no known kind, a leaf operator has
// the kind of its row. '*' matches any text. A new frgan operator needs a RECORD_FUNCTION label and a pattern here.
struct Kind {
  std::string_view name;
  std::initializer_list<std::string_view> roots, leaves = {};
};

const std::initializer_list<Kind> kKinds{
    {"convolution, forward", {"frgan::convolution", "aten::conv2d", "aten::convolution", "aten::conv_transpose2d"}},
    {"convolution, backward",
     {"frgan::convolution_*", "torch::autograd::CppNode<frgan::*WinogradConvolution>", "aten::convolution_backward",
      "ConvolutionBackward*"}},
    {"dense layers", {"aten::linear", "aten::addmm", "aten::mm", "aten::matmul", "AddmmBackward*", "MmBackward*"}},
    {"activation and dropout",
     {"frgan::activation*", "torch::autograd::CppNode<frgan::*BiasLeakyReluDropout>", "aten::relu_", "aten::relu",
      "aten::leaky_relu", "aten::tanh", "aten::sigmoid", "ReluBackward*", "LeakyReluBackward*", "TanhBackward*",
      "SigmoidBackward*"}},
    {"weight norm, forward", {"frgan::weight_norm"}},
    {"batch norm", {"aten::batch_norm", "NativeBatchNormBackward*"}},
    {"optimizer and average", {"frgan::adam", "frgan::average"}, {"aten::addcmul_"}},
    {"random numbers", {"frgan::random"}, {"aten::uniform_", "aten::normal_", "aten::random_"}},
    {"gather and augmentation", {"frgan::gather", "frgan::plan"}, {"aten::index_select", "aten::index"}},
    {"losses",
     {"aten::logsumexp", "aten::softplus", "aten::softmax", "aten::gather", "LogsumexpBackward*", "SoftplusBackward*",
      "SoftmaxBackward*", "GatherBackward*"}},
    {"squeeze and excitation, forward", {"frgan::squeeze_excitation"}},
    {"casts and copies",
     {"frgan::phase_weight", "torch::autograd::CppNode<frgan::*PhaseWeight>"},
     {"aten::to",
      "aten::_to_copy",
      "aten::copy_",
      "aten::clone",
      "aten::contiguous",
      "aten::reshape",
      "aten::cat",
      "aten::constant_pad_nd",
      "aten::flip",
      "aten::zeros",
      "aten::zero_",
      "aten::zeros_like",
      "aten::fill_",
      "aten::new_zeros",
      "ToCopyBackward*",
      "CloneBackward*",
      "CatBackward*",
      "ConstantPadNdBackward*",
      "FlipBackward*",
      "UnsafeViewBackward*",
      "ReshapeAliasBackward*",
      "PermuteBackward*",
      "ViewBackward*",
      "SliceBackward*",
      "SelectBackward*",
      "torch::autograd::AccumulateGrad",
      "torch::autograd::CopySlices"}},
};

bool matches(std::string_view pattern, std::string_view name) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return name == pattern;
  const std::string_view rest = pattern.substr(star + 1);
  if (!name.starts_with(pattern.substr(0, star))) return false;
  name.remove_prefix(star);
  if (rest.empty()) return true;
  return rest.ends_with('*') ? name.find(rest.substr(0, rest.size() - 1)) != std::string_view::npos
                             : name.ends_with(rest);
}

std::string_view kind_among(std::initializer_list<std::string_view> Kind::*names, std::string_view name) {
  for (const Kind& kind : kKinds) {
    if (std::any_of((kind.*names).begin(), (kind.*names).end(), [&](auto pattern) { return matches(pattern, name); })) {
      return kind.name;
    }
  }
  return {};
}

// The kind of an operator whose caller has the kind `caller`.
std::string_view kind_under(std::string_view caller, std::string_view name) {
  constexpr std::string_view kEngine =
      "autograd::engine::evaluate_function: ";  // prefix of the names of backward nodes
  if (name.starts_with(kEngine)) name.remove_prefix(kEngine.size());
  const std::string_view root = kind_among(&Kind::roots, name);
  if (!root.empty()) return root;
  if (caller != kOther) return caller;
  const std::string_view leaf = kind_among(&Kind::leaves, name);
  return leaf.empty() ? kOther : leaf;
}

// The recorded calls. The recorder is global because LibTorch's callbacks are stateless functions, so only one profile
// can run at a time.
struct Recorder {
  std::mutex mutex;
  std::map<std::pair<std::string, std::string_view>, OperatorTime> operators;
  // Cache of kind_under, by name and caller's kind.
  std::map<std::pair<std::string, std::string_view>, std::string_view> kinds;
  std::vector<ScopeTime> scopes;
};
Recorder* recorder = nullptr;

// A running call. The calls of a thread form a linked list from the innermost outwards.
struct Call : at::ObserverContext {
  std::string name;
  std::string_view kind = kOther;
  bool is_scope = false;
  Call* caller = nullptr;
  double called_seconds = 0;  // time of the operators that it called
  std::chrono::steady_clock::time_point begin;
};
thread_local Call* innermost = nullptr;

std::string_view cached_kind(std::string_view caller, const std::string& name) {
  const std::lock_guard lock(recorder->mutex);
  const auto [found, is_new] = recorder->kinds.try_emplace({name, caller});
  if (is_new) found->second = kind_under(caller, name);
  return found->second;
}

std::unique_ptr<at::ObserverContext> begin_call(const at::RecordFunction& function) {
  auto call = std::make_unique<Call>();
  call->name = function.name();
  call->is_scope = function.scope() == at::RecordScope::USER_SCOPE;
  if (!call->is_scope) {
    call->kind = cached_kind(innermost == nullptr ? kOther : innermost->kind, call->name);
    call->caller = innermost;
    innermost = call.get();
  }
  call->begin = std::chrono::steady_clock::now();
  return call;
}

void end_call(const at::RecordFunction&, at::ObserverContext* context) {
  const auto* call = static_cast<Call*>(context);
  const double seconds = seconds_since(call->begin);
  const std::lock_guard lock(recorder->mutex);
  if (call->is_scope) {
    auto found = std::find_if(recorder->scopes.begin(), recorder->scopes.end(),
                              [&](const ScopeTime& scope) { return scope.name == call->name; });
    if (found == recorder->scopes.end()) found = recorder->scopes.insert(found, {call->name});
    ++found->calls;
    found->seconds += seconds;
    return;
  }
  innermost = call->caller;
  if (innermost != nullptr) innermost->called_seconds += seconds;
  OperatorTime& time = recorder->operators[{call->name, call->kind}];
  ++time.calls;
  time.seconds += seconds - call->called_seconds;
}

// Records calls during its lifetime.
class Watch {
 public:
  explicit Watch(Recorder& into) {
    TORCH_CHECK(recorder == nullptr, "profile_operators cannot be nested");
    recorder = &into;
    handle_ = at::addGlobalCallback(
        at::RecordFunctionCallback(begin_call, end_call)
            .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION, at::RecordScope::USER_SCOPE}));
  }
  ~Watch() {
    at::removeCallback(handle_);
    recorder = nullptr;
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  at::CallbackHandle handle_;
};

template <class Times>
void sort_by_seconds(Times& times) {
  std::stable_sort(times.begin(), times.end(), [](const auto& a, const auto& b) { return a.seconds > b.seconds; });
}

// Replaces LibTorch's CPU allocator from `begin` to `end`, and forwards each request to it. Shared by the allocator
// classes of LibTorch 1.13 and 2.
class AllocationCounter {
 public:
  void begin(at::Allocator* self) {
    at::Allocator* const current = c10::GetCPUAllocator();
    TORCH_CHECK(current != self, "count_allocations cannot be nested");
    inner_ = current;
    count_ = bytes_ = 0;
    c10::SetCPUAllocator(self);
  }
  void end() { c10::SetCPUAllocator(inner_); }
  at::DataPtr allocate(size_t bytes) const {
    ++count_;
    bytes_ += static_cast<int64_t>(bytes);
    return inner_->allocate(bytes);
  }
  at::DeleterFnPtr raw_deleter() const { return inner_->raw_deleter(); }
  Allocations counts() const { return {count_, bytes_}; }

 private:
  at::Allocator* inner_ = nullptr;
  mutable std::atomic<int64_t> count_ = 0, bytes_ = 0;
};

// LibTorch 1.13 declares allocate() const.
template <class Allocator>
constexpr bool kAllocatesConst =
    std::is_same_v<decltype(&Allocator::allocate), at::DataPtr (Allocator::*)(size_t) const>;

template <class Allocator, bool = kAllocatesConst<Allocator>>
struct CountingAllocator final : Allocator {
  at::DataPtr allocate(size_t bytes) override { return counter.allocate(bytes); }
  at::DeleterFnPtr raw_deleter() const override { return counter.raw_deleter(); }
  void copy_data(void* to, const void* from, size_t bytes) const override { std::memcpy(to, from, bytes); }
  AllocationCounter counter;
};

template <class Allocator>
struct CountingAllocator<Allocator, true> final : Allocator {
  at::DataPtr allocate(size_t bytes) const override { return counter.allocate(bytes); }
  at::DeleterFnPtr raw_deleter() const override { return counter.raw_deleter(); }
  AllocationCounter counter;
};

}  // namespace

std::string_view operator_kind(std::string_view name) {
  return kind_under(kOther, name);
}

OperatorProfile profile_operators(const std::function<void()>& closure) {
  Recorder recording;
  OperatorProfile profile;
  {
    const Watch watch(recording);
    const std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
    closure();
    profile.seconds = seconds_since(begin);
  }
  for (auto& [key, time] : recording.operators) {
    time.name = key.first;
    time.kind = key.second;
    profile.calls += time.calls;
    profile.operators.push_back(time);
  }
  sort_by_seconds(profile.operators);
  profile.scopes = recording.scopes;
  return profile;
}

std::vector<KindTime> OperatorProfile::kinds() const {
  std::vector<KindTime> kinds;
  double covered = 0;
  for (const OperatorTime& time : operators) {
    auto found = std::find_if(kinds.begin(), kinds.end(), [&](const KindTime& kind) { return kind.kind == time.kind; });
    if (found == kinds.end()) found = kinds.insert(found, {time.kind});
    found->calls += time.calls;
    found->seconds += time.seconds;
    covered += time.seconds;
  }
  sort_by_seconds(kinds);
  kinds.push_back({std::string(kOutside), 0, std::max(0.0, seconds - covered)});
  return kinds;
}

Allocations count_allocations(const std::function<void()>& closure) {
  // Static, because a storage created meanwhile can outlive this call and use its allocator again to grow.
  static CountingAllocator<at::Allocator> counting;
  struct Replacement {
    Replacement() { counting.counter.begin(&counting); }
    ~Replacement() { counting.counter.end(); }
    Replacement(const Replacement&) = delete;
    Replacement& operator=(const Replacement&) = delete;
  };
  const Replacement replacement;
  closure();
  return counting.counter.counts();
}

}  // namespace frgan
