// Reading JSON files that frgan wrote, including those of older versions.
#pragma once

#include <filesystem>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace frgan {

// Parses a text and replaces old names of keys by current ones (core/old_names.h). Returns a discarded value if the
// text is not JSON.
nlohmann::ordered_json parse_json(std::string_view text);

// Reads the object in a file. Throws an Error that names the file if it cannot be read or is not a JSON object.
nlohmann::ordered_json read_json_object(const std::filesystem::path& path);

}  // namespace frgan
