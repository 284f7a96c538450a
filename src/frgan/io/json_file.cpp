#include "frgan/io/json_file.h"

#include <fmt/format.h>

#include "frgan/io/files.h"

namespace frgan {

Json read_json_object(const std::filesystem::path& path) {
  constexpr int64_t kLimit =
      int64_t{1} << 27;  // bytes; a label split that lists a million images three times has 24 MB
  Json value = parse_json(read_file(path, kLimit), path.string());
  if (!value.is_object()) throw Error(fmt::format("{}: not a JSON object", path.string()));
  return value;
}

}  // namespace frgan
