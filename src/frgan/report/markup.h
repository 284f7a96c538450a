// Helpers to embed text and bytes in HTML and SVG.
#pragma once

#include <string>
#include <string_view>

namespace frgan {

// Escapes <, >, &, " and ', so that the text is safe in element content and in quoted attributes. Control characters,
// which HTML and XML do not allow, are escaped as one_line does (core/error.h).
std::string escaped(std::string_view text);

// A complete HTML page with a heading. `title` is plain text; `style` (CSS rules) and `body` (HTML) are inserted
// unchanged. The page supports light and dark themes and narrow screens.
std::string plain_page(std::string_view title, std::string_view style, std::string_view body);

// A PNG file as a data URL: "data:image/png;base64,...".
std::string png_address(std::string_view png);

}  // namespace frgan
