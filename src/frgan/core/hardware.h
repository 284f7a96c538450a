// How a trained network is loaded and run: device, precision, threads, and what to do if its checkpoint is corrupt.
#pragma once

#include <cstdint>
#include <string>

#include "frgan/core/options.h"
#include "frgan/core/precision.h"

namespace frgan {

// What shell completion offers for --device; cuda:N is allowed too.
inline Suggestions device_suggestions() {
  return {{"auto", "cpu", "cuda"}};
}

struct Hardware {
  std::string device = "auto";                         // auto (the first GPU, else the CPU), cpu, cuda or cuda:N
  PrecisionChoice precision = PrecisionChoice::kAuto;  // kAuto: that of the run, but fp32 where bf16 is emulated
  int64_t threads = 0;                                 // of the CPU; 0: all cores
  // Uses an older checkpoint of a run if the newest one is corrupt, with a warning. Otherwise, that is an error.
  bool allow_older = false;
};
void describe(OptionSet& options, Hardware& hardware);

}  // namespace frgan
