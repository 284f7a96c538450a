#include "frgan/io/csv.h"

#include <charconv>

#include "frgan/core/error.h"

namespace frgan {
namespace {

bool is_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);  // from_chars accepts only '-'
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

// OWASP's advice against CSV injection. A tab or carriage return at the beginning is escaped, so it needs no
// apostrophe.
std::string csv_text(std::string_view text) {
  constexpr std::string_view kFormulas = "=+-@";
  const std::string line = one_line(text);
  const bool guarded = !line.empty() && kFormulas.find(line.front()) != std::string_view::npos && !is_number(line);
  return csv_field(guarded ? "'" + line : line);
}

}  // namespace frgan
