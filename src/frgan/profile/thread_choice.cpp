#include "frgan/profile/thread_choice.h"

#include <malloc.h>

#include "frgan/core/options.h"
#include "frgan/core/precision.h"
#include "frgan/profile/step_benchmark.h"

namespace frgan {
namespace {

double seconds_per_step(const std::string& method, const Json& options, int64_t threads) {
  constexpr int64_t kImages = 5000, kSteps = 3;
  StepBenchmarkOptions benchmark{.threads = threads, .images = kImages, .steps = kSteps, .step_only = true};
  StepOnRandomImages step(method);
  OptionSet known;
  step.describe(known);
  known.add("precision", benchmark.precision, "Precision of the run.", precision_words());
  for (Option& option : known.all()) {
    if (const Json* const value = options.find(option.name)) option.set(*value, "options of the run");
  }
  return step.measure(benchmark).median_seconds;
}

}  // namespace

ThreadTimes time_threads(const std::string& method, const Json& options, int64_t cores) {
  ThreadTimes times{.cores = cores};
  times.one_thread = seconds_per_step(method, options, 1);
  times.all_cores = seconds_per_step(method, options, cores);  // last, because the number of threads stays set
  malloc_trim(0);                                              // training steps make malloc keep freed memory
  return times;
}

}  // namespace frgan
