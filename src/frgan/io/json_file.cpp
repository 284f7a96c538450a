#include "frgan/io/json_file.h"

#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "frgan/core/error.h"
#include "frgan/core/old_names.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

using nlohmann::ordered_json;

// Renames old keys in nested objects too. Keeps the order of the keys, because digests and tables depend on it.
ordered_json with_current_names(ordered_json value) {
  if (value.is_array()) {
    for (ordered_json& part : value) {
      if (part.is_structured()) part = with_current_names(std::move(part));
    }
    return value;
  }
  if (!value.is_object()) return value;
  ordered_json renamed = ordered_json::object();
  for (auto& [key, part] : value.items()) renamed[std::string(current_name(key))] = with_current_names(std::move(part));
  return renamed;
}

}  // namespace

ordered_json parse_json(std::string_view text) {
  return with_current_names(ordered_json::parse(text, nullptr, /*allow_exceptions=*/false));
}

ordered_json read_json_object(const std::filesystem::path& path) {
  ordered_json value = parse_json(read_file(path));
  if (!value.is_object()) throw Error(fmt::format("{}: not a JSON object, or truncated", path.string()));
  return value;
}

}  // namespace frgan
