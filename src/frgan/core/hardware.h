// Device, precision and threads for a trained network.
#pragma once

#include <cstdint>
#include <string>

#include "frgan/core/options.h"

namespace frgan {

// Compute type of the convolutions. kAuto is that of the run, but fp32 where the processor only emulates bf16.
enum class PrecisionChoice { kAuto, kFp32, kBf16 };

struct Hardware {
  std::string device = "auto";  // auto (the first GPU, else the CPU), cpu, cuda or cuda:N
  PrecisionChoice precision = PrecisionChoice::kAuto;
  int64_t threads = 0;  // of the CPU; 0: all cores
};
void describe(OptionSet& options, Hardware& hardware);

}  // namespace frgan
