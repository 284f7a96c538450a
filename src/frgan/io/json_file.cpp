#include "frgan/io/json_file.h"

#include <fmt/format.h>

#include "frgan/io/files.h"

namespace frgan {

Json read_json_object(const std::filesystem::path& path) {
  Json value = parse_json(read_file(path), path.string());
  if (!value.is_object()) throw Error(fmt::format("{}: not a JSON object", path.string()));
  return value;
}

}  // namespace frgan
