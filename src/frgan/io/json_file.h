// Reading of JSON files.
#pragma once

#include <filesystem>

#include "frgan/core/json.h"

namespace frgan {

// The object in a file, with current names for old keys (core/old_names.h). Throws an Error that names the file if it
// cannot be read, has more than 128 MiB, or does not hold a JSON object. Safe for untrusted files.
Json read_json_object(const std::filesystem::path& path);

}  // namespace frgan
