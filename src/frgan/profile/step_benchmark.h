// Measures a method's training step on random images. Gathering, augmentation and training take as long as on real
// images.
//
//   StepOnRandomImages step("fr-gan");
//   OptionSet options;
//   step.describe(options);
//   options.set("width", 0.5, "example");
//   const StepBenchmark found = step.measure({.precision = PrecisionChoice::kFp32, .steps = 10});
//   fmt::print("{} s, {} FLOP/s\n", found.median_seconds, found.rate());
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "frgan/core/options.h"
#include "frgan/core/precision.h"
#include "frgan/profile/convolution_times.h"
#include "frgan/profile/operator_profile.h"
#include "frgan/report/run_summary.h"

namespace frgan {

struct StepBenchmarkOptions {
  std::string device = "cpu";  // "auto", "cpu", "cuda" or "cuda:N"
  PrecisionChoice precision = PrecisionChoice::kAuto;
  int64_t threads = 0;       // 0: all cores
  int64_t images = 73257;    // size of the training set
  int64_t stage = 1;         // of the method, counted from 1
  int64_t steps = 5;         // timed steps, after two warm-up steps; the same number is profiled
  int64_t gemm_size = 4096;  // largest n of the timed n x n matrix products
  bool step_only = false;    // times the step without profiling it
  // Chooses the number of threads, up to `threads`, as a training run does (train/thread_team.h). Requires step_only.
  bool adapt_threads = false;
};

// Where the time of a step on a CPU goes.
struct StepDetails {
  OperatorProfile profile;  // of all profiled steps
  Allocations allocations;  // of one step
  std::vector<ConvolutionTime> convolutions;
  double gemm_fp32 = 0;               // FLOP/s
  std::optional<double> gemm_bf16;    // FLOP/s; empty if the processor lacks bf16
  int64_t classified_images = 0;      // a few batches of evaluate and predict
  double classification_seconds = 0;  // of these images
  std::vector<ConvolutionTime> classification_convolutions;
  int64_t strong_views = 0;   // views with --strong-augmentation, of 32 x 32 images
  double strong_seconds = 0;  // of all these views
};

struct StepBenchmark {
  std::string device;  // device/device.h: device_name
  Precision precision = Precision::kFull;
  Machine machine;
  std::string processor_capability, kernel_capability;  // device/device.h
  std::string stage;                                    // its name; empty if the method has only one
  double step_flop = 0;
  int64_t images_per_step = 0;  // images that enter a network
  std::vector<double> seconds;  // of each step, in order
  double median_seconds = 0;
  int64_t peak_memory_bytes = 0;       // of the process after the timed steps
  std::optional<StepDetails> details;  // empty on a GPU and with step_only

  // FLOP/s of the step.
  double rate() const { return step_flop / median_seconds; }
  // FLOP/s of matrix products in the step's precision. Requires `details`.
  std::optional<double> gemm_rate() const {
    return precision == Precision::kBf16 ? details->gemm_bf16 : details->gemm_fp32;
  }
};

// A method, its options and its training step on 32x32 random images of 10 classes. A thousand images, or all if there
// are fewer, show their labels.
class StepOnRandomImages {
 public:
  // Throws a usage error for an unknown method.
  explicit StepOnRandomImages(const std::string& method);
  ~StepOnRandomImages();
  StepOnRandomImages(const StepOnRandomImages&) = delete;
  StepOnRandomImages& operator=(const StepOnRandomImages&) = delete;

  // Declares the options of the augmentation and of the method. Their fields belong to this object.
  void describe(OptionSet& options);
  // Checks the options, sets device and number of threads, builds the networks, and runs the data-dependent
  // initialization. Throws a usage error for invalid options. Call it once.
  void prepare(const StepBenchmarkOptions& options);
  // Runs one step. Requires prepare().
  void run();
  // Prepares and measures.
  StepBenchmark measure(const StepBenchmarkOptions& options);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace frgan
