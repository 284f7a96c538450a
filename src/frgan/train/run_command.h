// The frgan train command that repeats a run.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "frgan/core/json.h"
#include "frgan/core/options.h"

namespace frgan {

// One argument: "--width=0.5", "--no-tensorboard".
std::string argument_of(const std::string& option, const Json& value);

// Arguments for the method and all saved options that differ from their defaults.
std::vector<std::string> changed_arguments(const OptionSet& options);

// "frgan train ARGUMENTS --steps N", quoted for a shell. Drops the folder and options for the length: --run, --steps,
// --epochs and --time-budget.
std::string train_command(std::span<const std::string> arguments, int64_t steps);

}  // namespace frgan
