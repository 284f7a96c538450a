// Device, precision and threads for a trained network.
#pragma once

#include <cstdint>
#include <string>

#include "frgan/core/options.h"
#include "frgan/core/precision.h"

namespace frgan {

struct Hardware {
  std::string device = "auto";                         // auto (the first GPU, else the CPU), cpu, cuda or cuda:N
  PrecisionChoice precision = PrecisionChoice::kAuto;  // kAuto: that of the run, but fp32 where bf16 is emulated
  int64_t threads = 0;                                 // of the CPU; 0: all cores
};
void describe(OptionSet& options, Hardware& hardware);

}  // namespace frgan
