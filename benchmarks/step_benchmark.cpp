// Seconds of one training step, for benchmarks/compare_step.py: the last line printed is {"seconds_per_step": ...}.
// The pictures are random numbers: gathering, augmentation and training take as long as with real ones.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <torch/types.h>

#include "app/command_line.h"
#include "frgan/core/device.h"
#include "frgan/core/version.h"
#include "frgan/data/batch_stream.h"
#include "frgan/methods/methods.h"
#include "frgan/report/run_summary.h"
#include "frgan/train/trainer.h"

namespace frgan {
namespace {

struct BenchmarkOptions {
  std::string method = "fr-gan";
  double width = 1;
  int64_t batch = 100;
  int64_t steps = 5;
  int64_t threads = 0;
  std::string precision = "auto";
};

void describe(OptionSet& options, BenchmarkOptions& benchmark) {
  options.group("Benchmark");
  options.add("method", benchmark.method, "What is trained.");
  options.add("width", benchmark.width, "Share of Table 1's channels.", Range<double>{1.0 / 64, 8});
  options.add("batch", benchmark.batch, "Pictures of each kind.", Range<int64_t>{1, 10000});
  options.add("steps", benchmark.steps, "Timed steps, after two to warm up.", Range<int64_t>{1, 100000});
  options.add("threads", benchmark.threads, "CPU threads; 0: all cores.", Range<int64_t>{0, 4096});
  options.add("precision", benchmark.precision, "Of convolutions.", Choices{"auto", "fp32", "bf16"});
}

// The median of the timed steps.
double seconds_per_step(const BenchmarkOptions& benchmark) {
  constexpr int64_t kPictures = 20000, kLabeled = 1000;
  PictureSet train{at::randint(256, {kPictures, 32, 32, 3}, at::kByte), at::randint(10, {kPictures}, at::kLong)};
  LabelSplit split;
  split.train_pictures = kPictures;
  for (int64_t row = 0; row < kLabeled; ++row) split.labeled.push_back(row);
  BatchStream batches(std::move(train), split, {.augmentation = {.translate = 2}});

  const auto method = create_method(benchmark.method);
  OptionSet options;
  method->describe(options);
  options.set_values({{"width", benchmark.width}, {"batch-size", benchmark.batch}}, "step_benchmark");
  const Problem problem{
      .shape = {},
      .seed = 1,
      .precision = resolve_precision(benchmark.precision, at::kCPU) == "bf16" ? Precision::kBf16 : Precision::kFull};
  method->build(problem);
  const auto source = [&](const BatchRequest& request, uint64_t draw, uint64_t part) {
    return batches.next(request, draw, part);
  };
  Trainer trainer(*method, problem, source, /*planned_steps=*/1'000'000);
  trainer.initialize();
  std::vector<double> seconds;
  for (int64_t i = 0; i < benchmark.steps + 2; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    trainer.step();
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  seconds.erase(seconds.begin(), seconds.begin() + 2);
  std::sort(seconds.begin(), seconds.end());
  return seconds[seconds.size() / 2];
}

int run(const std::vector<std::string>& arguments) {
  constexpr Syntax kSyntax = {"step_benchmark", "", "Times one training step."};
  BenchmarkOptions benchmark;
  OptionSet options;
  describe(options, benchmark);
  if (print_help(kSyntax, arguments, options)) return 0;
  read_arguments(kSyntax, arguments, options);
  set_threads(benchmark.threads);
  keep_freed_memory();
  fmt::print("{{\"seconds_per_step\": {:.6f}, \"commit\": \"{}\", \"libtorch\": \"{}\"}}\n",
             seconds_per_step(benchmark), source_commit(), this_machine().libtorch);
  return 0;
}

}  // namespace
}  // namespace frgan

int main(int argc, char** argv) {
  try {
    return frgan::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    fmt::print(stderr, "step_benchmark: {}\n", error.what());
    return 1;
  }
}
