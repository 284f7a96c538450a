// JSON files, with or without a checksum.
#pragma once

#include <filesystem>

#include "frgan/core/json.h"

namespace frgan {

// The object in a file, with current names for old keys (core/old_names.h). A member "crc32c" is checked and removed.
// Throws an Error that names the file if it cannot be read, has more than 128 MiB, or does not hold a JSON object, or
// if the checksum is wrong. Safe for untrusted files.
Json read_json_object(const std::filesystem::path& path);

// The object with a last member "crc32c": the CRC-32C of its compact text without this member.
Json with_checksum(Json object);

}  // namespace frgan
