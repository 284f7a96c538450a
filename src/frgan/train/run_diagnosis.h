// Adds the diagnostics (train/diagnostics.h) to a finished run that lacks them, such as a run of an older version.
#pragma once

#include <filesystem>

#include "frgan/classifier/checkpoint_state.h"
#include "frgan/core/hardware.h"
#include "frgan/core/messages.h"

namespace frgan {

// Classifies the test images, or without them the development images, and writes mistakes.json, mistakes.png and
// gates.json into the run folder. Throws an Error if the run has no checkpoint of its last step, or if its data cannot
// be read or has changed.
//
//   diagnose_run("runs/a", {.root = "data"}, Hardware{});
void diagnose_run(const std::filesystem::path& folder, const DataSource& source, const Hardware& hardware,
                  const Messages& messages = {});

}  // namespace frgan
