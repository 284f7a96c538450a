#include "frgan/profile/step_benchmark.h"

#include <algorithm>

#include <fmt/format.h>
#include <torch/types.h>

#include "frgan/classifier/inference.h"
#include "frgan/core/error.h"
#include "frgan/data/augment.h"
#include "frgan/data/batch_stream.h"
#include "frgan/device/device.h"
#include "frgan/device/machine.h"
#include "frgan/methods/method.h"
#include "frgan/methods/methods.h"
#include "frgan/metrics/statistics.h"
#include "frgan/profile/timing.h"
#include "frgan/train/stopwatch.h"
#include "frgan/train/thread_team.h"
#include "frgan/train/trainer.h"

namespace frgan {
namespace {

constexpr uint64_t kSeed = 1;

BatchStream random_batches(int64_t images, at::Device device, const AugmentationOptions& augmentation) {
  constexpr int64_t kLabeled = 1000, kClasses = 10, kSize = 32, kChannels = 3;
  at::manual_seed(kSeed);
  const ImageSet train{at::randint(256, {images, kSize, kSize, kChannels}, at::kByte),
                       at::randint(kClasses, {images}, at::kLong)};
  LabelSplit split;
  split.train_images = images;
  for (int64_t row = 0; row < std::min(kLabeled, images); ++row) split.labeled.push_back(row);
  return BatchStream(train.to(device), split, {.policies = augmentation_policies(augmentation), .seed = kSeed});
}

}  // namespace

struct StepOnRandomImages::Impl {
  std::string name;
  std::unique_ptr<Method> method;
  AugmentationOptions augmentation = {};
  // Set by prepare():
  at::Device device = at::kCPU;
  Precision precision = Precision::kFull;
  std::unique_ptr<BatchStream> batches = {};
  std::unique_ptr<Trainer> trainer = {};
  size_t stage = 0;

  void step() {
    if (stage == 0) {
      trainer->step();
    } else {
      trainer->trial_step(stage);
    }
  }

  double time_step() {
    const Stopwatch stopwatch;
    step();
    trainer->take_losses();  // waits for the device
    return stopwatch.seconds();
  }

  // Median seconds of `timed` steps, after as many warm-up steps, which also set up a new team of threads.
  double median_step(int timed) {
    std::vector<double> seconds;
    for (int i = 0; i < 2 * timed; ++i) {
      const double step = time_step();
      if (i >= timed) seconds.push_back(step);
    }
    return median(seconds);
  }

  void time_steps(StepBenchmark& found, const StepBenchmarkOptions& options) {
    constexpr int64_t kWarmUp = 2;
    std::optional<ThreadTeam> team;
    for (int64_t i = 0; i < kWarmUp; ++i) time_step();
    if (options.adapt_threads) {
      team.emplace(set_threads(options.threads));
      team->choose([this](int64_t threads) {
        set_threads(threads);
        return timed_step_seconds([this](int timed) { return median_step(timed); });
      });
    }
    for (int64_t i = 0; i < options.steps; ++i) {
      if (team) set_threads(team->threads());
      found.seconds.push_back(time_step());
      if (team) team->after_step(found.seconds.back(), run_queue_seconds);
    }
    found.median_seconds = median(found.seconds);
    found.peak_memory_bytes = this_machine().peak_memory_bytes;
  }

  StepDetails details(const StepBenchmarkOptions& options) {
    constexpr int kRepetitions = 5;
    constexpr int64_t kClassified = 1024;
    const auto one_step = [&] { step(); };
    StepDetails found;
    found.profile = profile_operators([&] {
      for (int64_t i = 0; i < options.steps; ++i) step();
    });
    found.allocations = count_allocations(one_step);
    found.convolutions = time_convolutions(one_step, kRepetitions);
    const at::Tensor images = at::randint(256, {kClassified, 32, 32, 3}, at::kByte);
    const auto classify = [&] { class_probabilities(*trainer->classifier(), images, precision); };
    found.classified_images = kClassified;
    found.classification_seconds = median_seconds(kRepetitions, classify);
    found.classification_convolutions = time_convolutions(classify, kRepetitions);
    found.strong_views = 448;  // the unlabeled images of a FixMatch step
    const Augmentation strong = augmentation_policies(augmentation).at(kStrongPolicy);
    const at::Tensor rows = at::arange(found.strong_views, at::kLong);
    const auto augment = [&] { augmented(images, rows, strong, kSeed, at::kFloat); };
    found.strong_seconds = median_seconds(kRepetitions, augment);
    found.gemm_fp32 = gemm_rate(Precision::kFull, options.gemm_size);
    if (has_native_bf16()) found.gemm_bf16 = gemm_rate(Precision::kBf16, options.gemm_size);
    return found;
  }
};

StepOnRandomImages::StepOnRandomImages(const std::string& method)
    : impl_(new Impl{.name = method, .method = create_method(method)}) {}

StepOnRandomImages::~StepOnRandomImages() = default;

void StepOnRandomImages::describe(OptionSet& options) {
  frgan::describe(options, impl_->augmentation);
  impl_->method->describe(options);
  mention_other_methods(options, impl_->name);
}

void StepOnRandomImages::prepare(const StepBenchmarkOptions& options) {
  Impl& impl = *impl_;
  TORCH_CHECK(impl.trainer == nullptr, "StepOnRandomImages::prepare was called twice");
  impl.method->validate();
  impl.device = resolve_device(options.device);
  impl.precision = resolve_precision(options.precision, impl.device);
  set_threads(options.threads);
  prepare_memory(options.threads);
  impl.batches = std::make_unique<BatchStream>(random_batches(options.images, impl.device, impl.augmentation));
  const Problem problem{.shape = {}, .seed = kSeed, .precision = impl.precision, .device = impl.device};
  impl.method->build(problem);
  impl.trainer = std::make_unique<Trainer>(*impl.method, problem, *impl.batches,
                                           /*planned_steps=*/1'000'000);
  impl.trainer->initialize();
  const std::vector<Stage>& stages = impl.trainer->stages();
  if (options.stage > static_cast<int64_t>(stages.size())) {
    throw usage_error(fmt::format("--stage {}: {} has {}; choose a smaller number", options.stage, impl.name,
                                  counted(static_cast<int64_t>(stages.size()), "stage")));
  }
  impl.stage = static_cast<size_t>(options.stage - 1);
}

void StepOnRandomImages::run() {
  TORCH_CHECK(impl_->trainer != nullptr, "StepOnRandomImages::run was called before prepare");
  impl_->step();
}

StepBenchmark StepOnRandomImages::measure(const StepBenchmarkOptions& options) {
  prepare(options);
  StepBenchmark found;
  found.device = device_name(impl_->device);
  found.precision = impl_->precision;
  found.machine = this_machine();
  found.processor_capability = processor_capability();
  found.kernel_capability = kernel_capability();
  const Stage& stage = impl_->trainer->stages()[impl_->stage];
  if (impl_->trainer->stages().size() > 1) found.stage = stage.name;
  found.step_flop = stage.step_flop;
  found.images_per_step = images_per_step(stage);
  impl_->time_steps(found, options);
  if (!options.step_only && impl_->device.is_cpu()) found.details = impl_->details(options);
  return found;
}

}  // namespace frgan
