// The result of a training run.
#pragma once

#include <filesystem>
#include <optional>

#include "frgan/metrics/quality.h"
#include "frgan/report/run_summary.h"

namespace frgan {

struct RunResult {
  bool finished = false;               // false if a signal stopped the run
  RunSummary summary{};                // steps, time and, of a finished run, the evaluations after the last step
  std::optional<Quality> quality{};    // of a finished run with test or development images
  std::filesystem::path checkpoint{};  // the last checkpoint
  std::filesystem::path samples{};     // the last grid of generated images; empty if there is none
};

}  // namespace frgan
