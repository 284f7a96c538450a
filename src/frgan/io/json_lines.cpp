#include "frgan/io/json_lines.h"

#include <string>
#include <string_view>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/json.h"

namespace frgan {
namespace {

// The complete lines of a text, without line breaks. A last line without a line break is dropped.
std::vector<std::string_view> complete_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

Json parse_line(std::string_view line, const std::filesystem::path& path, size_t number) {
  try {
    Json object = parse_json(line, path.string());
    if (object.is_object()) return object;
  } catch (const JsonError&) {  // the message below shows the line
  }
  throw Error(fmt::format("{}: line {} is not a JSON object: {:?}; the file may be corrupt", path.string(), number,
                          line.substr(0, 60)));
}

}  // namespace

JsonLinesWriter::JsonLinesWriter(const std::filesystem::path& path) : file_(path) {
  file_.cut_after_last(std::byte{'\n'});
}

void JsonLinesWriter::write(const Json& line) {
  file_.append(bytes_of(line.dump() + '\n'));
}

std::vector<Json> read_json_lines(const std::filesystem::path& path) {
  const std::string text = read_file(path);
  std::vector<Json> objects;
  for (const std::string_view line : complete_lines(text))
    objects.push_back(parse_line(line, path, objects.size() + 1));
  return objects;
}

void truncate_json_lines(const std::filesystem::path& path, int64_t step) {
  if (!std::filesystem::exists(path)) return;
  const std::string text = read_file(path);
  std::string kept;
  size_t number = 0;
  for (const std::string_view line : complete_lines(text)) {
    const Json object = parse_line(line, path, ++number);
    const Json* const found = object.find("step");
    if (found != nullptr && found->is_number() && found->get<double>() > static_cast<double>(step)) continue;
    kept.append(line).push_back('\n');
  }
  if (kept != text) write_file_safely(path, kept);
}

}  // namespace frgan
