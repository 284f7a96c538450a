// All options of a run, set by what is said of them: by a preset, by a file or a plan, by a person at the terminal.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "frgan/core/options.h"
#include "frgan/experiments/config_file.h"
#include "frgan/methods/method.h"
#include "frgan/train/run_options.h"

namespace frgan {

// A run as it was asked for: its options in one set, which points into the rest.
struct RunRequest {
  RunOptions run;
  std::unique_ptr<Method> method;
  OptionSet options;

  RunRequest() = default;
  RunRequest(const RunRequest&) = delete;
  RunRequest& operator=(const RunRequest&) = delete;
};

// The method that settings of rising strength name, or else `otherwise`.
std::string named_method(const std::vector<std::vector<Setting>>& sources, std::string otherwise);

// Creates the method and declares the options of a run of it.
void declare_run(RunRequest& request, const std::string& method);

// Sets what one source says. Options that say the same thing in other ways (steps, epochs and a time budget; labels and
// a file of them) make those of a weaker source void.
void apply_settings(RunRequest& request, const std::vector<Setting>& settings);
// The same where the options are set already, as from a command line; `said` tells which.
void make_weaker_void(RunOptions& run, const std::function<bool(std::string_view)>& said);

// Whether a file of labels (--labels-file) says what this option would: they cannot be given together.
bool is_in_labels_file(std::string_view option);

// What two runs must share to be repetitions of each other: SHA-256 over the recipe, the data and those options whose
// value is not the default, so that a new option leaves the keys as they are (a default that changes is another
// recipe). Those of a machine, where files lie (`data_digest` is of what is in them), precision, lengths in other units
// than steps and what is kept on disk have no part; evaluations and grids have, for tables and figures are made of
// them.
std::string run_key(const OptionSet& options, const std::string& data_digest, int64_t recipe);

}  // namespace frgan
