// The choice between several runs at once with one thread each and one run at a time with all cores.
#pragma once

#include <cstdint>
#include <string>

#include "frgan/core/json.h"

namespace frgan {

struct ThreadTimes {
  int64_t cores = 1;
  double one_thread = 0, all_cores = 0;  // seconds per training step

  double speedup() const { return one_thread / all_cores; }
  // Whether one run at a time with all cores takes no more time than one run per core. Runs at once also share the
  // memory bandwidth, which the timing of a single step does not show. A speedup near the number of cores is therefore
  // enough.
  bool favors_one_run() const {
    constexpr double kEnough = 0.9;
    return speedup() >= kEnough * static_cast<double>(cores);
  }
};

// Times a few training steps on the CPU, on random images of 32x32 pixels. `options` are those of a run; options of the
// method, the augmentation and the precision have an effect. Uses the memory of one run, and returns it to the system.
// Throws a usage error like StepOnRandomImages.
//
//   const ThreadTimes times = time_threads("fr-gan", {{"width", 0.5}, {"batch-size", 16}}, 8);
ThreadTimes time_threads(const std::string& method, const Json& options, int64_t cores);

}  // namespace frgan
