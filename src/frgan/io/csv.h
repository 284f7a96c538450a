// Comma-separated values (RFC 4180).
#pragma once

#include <string>
#include <string_view>

namespace frgan {

// The text as one field, quoted if it contains a comma, a quote or a line break.
std::string csv_field(std::string_view text);

}  // namespace frgan
