// Text and bytes inside of HTML and SVG.
#pragma once

#include <string>
#include <string_view>

namespace frgan {

// The text with <, >, &, " and ' written so that it is nothing but text, in an attribute's quotes too.
std::string escaped(std::string_view text);

// The picture inside of the page: "data:image/png;base64,...".
std::string png_address(std::string_view png);

}  // namespace frgan
