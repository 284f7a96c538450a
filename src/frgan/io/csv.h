// Comma-separated values (RFC 4180).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace frgan {

// The text as one field, quoted if it contains a comma, a quote or a line break.
std::string csv_field(std::string_view text);

// A text of unknown origin, such as the name of a file or class, as one field: control characters are escaped as
// one_line does (core/error.h). A text that begins with =, +, - or @ gets an apostrophe in front, because spreadsheets
// would take it for a formula; numbers do not.
std::string csv_text(std::string_view text);

// A record of a CSV text.
struct CsvRecord {
  int64_t line = 0;  // of its first field, from 1
  std::vector<std::string> fields;
};
// Reads a text with commas and optional quotes; lines end in LF or CRLF, and a UTF-8 byte order mark is skipped. Empty
// lines are omitted. An apostrophe that csv_text put in front is removed. Throws an Error that begins with `name` and
// the line if a quote is misplaced or missing.
std::vector<CsvRecord> parse_csv(std::string_view text, std::string_view name);

}  // namespace frgan
