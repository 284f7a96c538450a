// Reading JSON that frgan wrote, perhaps by an older version.
#pragma once

#include <filesystem>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace frgan {

// The value in a text, with old names of keys replaced by current ones (core/old_names.h). A text that is not JSON
// gives a discarded value.
nlohmann::ordered_json parse_json(std::string_view text);

// The object in a file. Throws an Error that names the file if it cannot be read, or holds no JSON object.
nlohmann::ordered_json read_json_object(const std::filesystem::path& path);

}  // namespace frgan
