// The frgan train command that repeats a run.
#pragma once

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

// "frgan train ARGUMENTS LENGTH", quoted for a shell; `length` is {"--steps", "3000"} or {"--plan", "a/plan.json"}.
// Drops the folder and the options for the length: --run, --steps, --epochs, --time-budget and --plan.
std::string train_command(std::span<const std::string> arguments, const std::vector<std::string>& length);

}  // namespace frgan
