#include "frgan/io/json_lines.h"

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "frgan/core/error.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

// The whole lines of a text, without their ends; a rest without an end is cut.
std::vector<std::string_view> whole_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return lines;
}

nlohmann::json parse_line(std::string_view line, const std::filesystem::path& path, size_t number) {
  nlohmann::json object = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object())
    throw Error(fmt::format("{}: line {} is no JSON object: {:?}; was the file altered?", path.string(), number,
                            line.substr(0, 60)));
  return object;
}

}  // namespace

JsonLinesWriter::JsonLinesWriter(std::filesystem::path path) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw file_error(path_, "write", errno);
  // Back to the end of the last whole line.
  off_t size = ::lseek(descriptor_, 0, SEEK_END);
  char last = '\n';
  while (size > 0 && ::pread(descriptor_, &last, 1, size - 1) == 1 && last != '\n') --size;
  if (::ftruncate(descriptor_, size) != 0) {
    const int error = errno;
    ::close(descriptor_);
    throw file_error(path_, "write", error);
  }
}

JsonLinesWriter::~JsonLinesWriter() {
  ::close(descriptor_);
}

void JsonLinesWriter::write(const nlohmann::ordered_json& line) {
  const std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
  const off_t before = ::lseek(descriptor_, 0, SEEK_END);
  ssize_t written = 0;
  do {
    written = ::write(descriptor_, text.data(), text.size());
  } while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(text.size())) return;
  // A write that is short met a full disk or a limit; what it left must not stay.
  const int error = written < 0 ? errno : ENOSPC;
  if (::ftruncate(descriptor_, before) != 0) throw file_error(path_, "write, nor take back half a line", errno);
  throw file_error(path_, "write", error);
}

std::vector<nlohmann::json> read_json_lines(const std::filesystem::path& path) {
  const std::string text = read_file(path);
  std::vector<nlohmann::json> objects;
  for (const std::string_view line : whole_lines(text)) objects.push_back(parse_line(line, path, objects.size() + 1));
  return objects;
}

void truncate_json_lines(const std::filesystem::path& path, int64_t step) {
  if (!std::filesystem::exists(path)) return;
  const std::string text = read_file(path);
  std::string kept;
  size_t number = 0;
  for (const std::string_view line : whole_lines(text)) {
    const nlohmann::json object = parse_line(line, path, ++number);
    const auto found = object.find("step");
    if (found != object.end() && found->is_number() && found->get<double>() > static_cast<double>(step)) continue;
    kept.append(line).push_back('\n');
  }
  if (kept != text) write_file_safely(path, kept);
}

}  // namespace frgan
