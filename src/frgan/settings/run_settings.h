// The options of a run, set from several sources: preset, config file or plan, command line.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "frgan/core/json.h"
#include "frgan/core/options.h"
#include "frgan/settings/config_file.h"
#include "frgan/train/run_options.h"
#include "frgan/train/run_request.h"

namespace frgan {

// The method named by the settings; later sources take precedence. Returns `method` if none names one.
std::string named_method(const std::vector<std::vector<Setting>>& sources, std::string method);

// Applies the settings of one source. Call with the weakest source first. Some options exclude each other: steps and
// time-budget; labels-file and labels. Setting one of them resets the other, if a weaker source had set it. Throws a
// usage error for unknown options, invalid values, or if one source sets both steps and time-budget.
void apply_settings(RunRequest& request, const std::vector<Setting>& settings);
// Only resets the excluded options, for a source whose options are set already (command line). `said` tells whether the
// source set an option.
void make_weaker_void(RunOptions& run, const std::function<bool(std::string_view)>& said);

// Whether a label split in a file (--labels-file, SplitOptions::is_written) determines this option, so that the two
// cannot be combined.
bool is_in_labels_file(std::string_view option);

// The identity of a run: two runs with the same key compute the same thing. SHA-256 over the recipe, the digest of the
// data, the method (fr-gan and supervised share keys) and the options that differ from their defaults. New options
// therefore keep existing keys; changing a default requires a new recipe (methods/methods.h). Excluded are the device,
// threads, file locations (`data_digest` covers the content), lengths in other units than steps, logging and what is
// kept on disk. `precision` counts only if set explicitly, not the value that auto resolves to. The numbers of
// evaluations and grids count, because tables and figures use them.
std::string run_key(const OptionSet& options, const std::string& data_digest, int64_t recipe);

}  // namespace frgan
