#include "frgan/io/json_file.h"

#include <fmt/format.h>

#include "frgan/io/crc32c.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

constexpr const char* kChecksumMember = "crc32c";

std::string checksum_of(const Json& object) {
  return fmt::format("{:08x}", crc32c(bytes_of(object.dump())));
}

}  // namespace

Json read_json_object(const std::filesystem::path& path) {
  constexpr int64_t kLimit =
      int64_t{1} << 27;  // bytes; a label split that lists a million images three times has 24 MB
  Json value = parse_json(read_file(path, kLimit), path.string());
  if (!value.is_object()) throw Error(fmt::format("{}: not a JSON object", path.string()));
  if (!value.contains(kChecksumMember)) return value;
  const Json checksum = value.at(kChecksumMember);
  value.erase(kChecksumMember);
  if (checksum == checksum_of(value)) return value;
  throw Error(fmt::format("{}: checksum mismatch; the file is damaged or was edited", path.string()));
}

Json with_checksum(Json object) {
  object[kChecksumMember] = checksum_of(object);
  return object;
}

}  // namespace frgan
