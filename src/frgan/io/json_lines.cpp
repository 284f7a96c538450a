#include "frgan/io/json_lines.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/json.h"
#include "frgan/io/crc32c.h"

namespace frgan {
namespace {

constexpr std::string_view kChecksumKey = ",\"crc32c\":\"";

// The lines of a text that end with a line break, without it.
std::vector<std::string_view> complete_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::string with_checksum(const std::string& object) {
  return fmt::format("{}{}{:08x}\"}}", object.substr(0, object.size() - 1), kChecksumKey, crc32c(bytes_of(object)));
}

// The line without its checksum; empty if it has none.
std::optional<std::string> without_checksum(std::string_view line) {
  const size_t length = kChecksumKey.size() + 8 + std::string_view("\"}").size();
  if (line.size() < length || !line.substr(line.size() - length).starts_with(kChecksumKey)) return std::nullopt;
  return std::string(line.substr(0, line.size() - length)) + '}';
}

// The object of a line; empty if the line is damaged.
std::optional<Json> parsed_line(std::string_view line, bool has_checksums) {
  const std::optional<std::string> object = without_checksum(line);
  if (object ? with_checksum(*object) != line : has_checksums) return std::nullopt;
  try {
    Json json = parse_json(object ? *object : line, "");
    if (json.is_object()) return json;
  } catch (const JsonError&) {  // damaged
  }
  return std::nullopt;
}

// Calls `found` for each complete line with its object, if it is intact.
template <class Found>
void for_each_line(std::string_view text, const Found& found) {
  const std::vector<std::string_view> lines = complete_lines(text);
  const bool has_checksums =
      std::any_of(lines.begin(), lines.end(), [](std::string_view line) { return without_checksum(line).has_value(); });
  for (const std::string_view line : lines) found(line, parsed_line(line, has_checksums));
}

}  // namespace

JsonLinesWriter::JsonLinesWriter(const std::filesystem::path& path) : file_(path) {
  file_.cut_after_last(std::byte{'\n'});
}

void JsonLinesWriter::write(const Json& line) {
  file_.append(bytes_of(with_checksum(line.dump()) + '\n'));
}

JsonLines read_json_lines(const std::filesystem::path& path) {
  const std::string text = read_file(path);
  JsonLines lines;
  int64_t number = 0;
  for_each_line(text, [&](std::string_view, std::optional<Json> object) {
    ++number;
    if (object) {
      lines.objects.push_back(*std::move(object));
    } else {
      lines.damaged.push_back(number);
    }
  });
  return lines;
}

RepairedLines repair_json_lines(const std::filesystem::path& path, int64_t step) {
  if (!std::filesystem::exists(path)) return {};
  const std::string text = read_file(path);
  RepairedLines repaired;
  std::string kept, damaged;
  for_each_line(text, [&](std::string_view line, std::optional<Json> object) {
    const Json* const found = object ? object->find("step") : nullptr;
    if (found != nullptr && found->is_number() && found->get<double>() > static_cast<double>(step)) return;
    if (!object) {
      damaged.append(line).push_back('\n');
      ++repaired.damaged;
      return;
    }
    kept += without_checksum(line) ? std::string(line) : with_checksum(object->dump());  // of an older version
    kept += '\n';
    repaired.kept.push_back(*std::move(object));
  });
  if (!damaged.empty()) {
    std::filesystem::path aside = path;
    GrowingFile(aside += ".damaged").append(bytes_of(damaged));
  }
  if (kept != text) write_file_safely(path, kept);
  return repaired;
}

}  // namespace frgan
