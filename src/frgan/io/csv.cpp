#include "frgan/io/csv.h"

#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

constexpr std::string_view kFormulas = "=+-@";  // first characters that spreadsheets take for a formula

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
  const std::string line = one_line(text);
  const bool guarded = !line.empty() && kFormulas.find(line.front()) != std::string_view::npos && !is_number(line);
  return csv_field(guarded ? "'" + line : line);
}

std::vector<CsvRecord> parse_csv(std::string_view text, std::string_view name) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<CsvRecord> records;
  CsvRecord record;
  std::string field;
  int64_t line = 1;
  bool was_quoted = false;
  const auto end_field = [&] {
    const bool guarded = field.size() > 1 && field[0] == '\'' && kFormulas.find(field[1]) != std::string_view::npos;
    record.fields.push_back(guarded ? field.substr(1) : field);
    field.clear();
    was_quoted = false;
  };
  const auto end_record = [&] {
    const bool is_empty = record.fields.empty() && field.empty() && !was_quoted;
    if (!is_empty) {
      end_field();
      records.push_back(std::move(record));
    }
    record = {};
  };
  record.line = line;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' && (!field.empty() || was_quoted)) {
      throw Error(fmt::format("{}, line {}: quote within a field; put the whole field in quotes and double each quote",
                              name, line));
    }
    if (c == '"') {
      const int64_t first_line = line;
      for (++i; i < text.size() && (text[i] != '"' || (i + 1 < text.size() && text[i + 1] == '"')); ++i) {
        if (text[i] == '\n') ++line;
        if (text[i] == '"') ++i;
        field += text[i];
      }
      if (i >= text.size()) throw Error(fmt::format("{}, line {}: closing quote missing", name, first_line));
      was_quoted = true;
    } else if (c == ',') {
      end_field();
    } else if (c == '\n') {
      end_record();
      record.line = ++line;
    } else if (c != '\r' || i + 1 >= text.size() || text[i + 1] != '\n') {
      if (was_quoted) throw Error(fmt::format("{}, line {}: text after a closing quote", name, line));
      field += c;
    }
  }
  end_record();
  return records;
}

}  // namespace frgan
