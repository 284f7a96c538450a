// Text and bytes inside of HTML and SVG.
#pragma once

#include <string>
#include <string_view>

namespace frgan {

// The text with <, >, &, " and ' written so that it is nothing but text, in an attribute's quotes too.
std::string escaped(std::string_view text);

// A page of its own: a heading, and a body in HTML with style rules of its own; light and dark, and narrow screens.
std::string plain_page(std::string_view title, std::string_view style, std::string_view body);

// The image inside of the page: "data:image/png;base64,...".
std::string png_address(std::string_view png);

}  // namespace frgan
