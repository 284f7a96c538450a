// Comma-separated values (RFC 4180).
#pragma once

#include <string>
#include <string_view>

namespace frgan {

// The text as one field, quoted if it contains a comma, a quote or a line break.
std::string csv_field(std::string_view text);

// A text of unknown origin, such as the name of a file or class, as one field: control characters are escaped as
// one_line does (core/error.h). A text that begins with =, +, - or @ gets an apostrophe in front, because spreadsheets
// would take it for a formula; numbers do not.
std::string csv_text(std::string_view text);

}  // namespace frgan
