// The test error of a scorer. Scores of images mean little if the scorer classifies badly.
#pragma once

#include <filesystem>
#include <optional>

#include "frgan/core/messages.h"

namespace frgan {

// The error of a run or checkpoint on its test images, 0 to 1, from the run's summary. Empty if it is unknown: the run
// is not finished, has no test images, or the scorer is a TorchScript file.
std::optional<double> scorer_test_error(const std::filesystem::path& scorer);

// Sends a warning if the error is above 20 %, and a note if it is unknown.
void judge_scorer(const std::filesystem::path& scorer, const Messages& messages);

}  // namespace frgan
