// What the sections of the HTML report are put together from. Texts that come from files are escaped here or by their
// caller; whatever is called `html` is taken as it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "frgan/report/run_history.h"

namespace frgan {

// html: "7.42 %" of 0.0742, not to be broken; "-" of what is no number.
std::string percent(double share);
// "26,200"
std::string grouped(int64_t number);

// The run's colour, c0 to c5, dashed from the seventh on: the same wherever the run is shown.
std::string colour_class(size_t run);
// A patch of that colour and the name.
std::string run_label(const std::vector<RunHistory>& runs, size_t run);

// Rows of cells, all html; the first of each row is its heading. It scrolls by itself where the page is too narrow.
struct HtmlTable {
  std::string caption;  // text, escaped
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  std::string classes;  // for the style sheet
};
std::string table_html(const HtmlTable& table);

// What is folded away until somebody asks for it. `summary` is text.
std::string details_html(std::string_view summary, std::string_view html);
// Nothing where there is no content.
std::string section_html(std::string_view id, std::string_view heading, std::string_view html);
// What runs have to show, side by side: as many of the first as come to `bytes`, and a line that names the others and
// says `where` theirs is ("in confusion.json"). Nothing where there are none.
struct RunPanels {
  size_t run = 0;
  std::string html;  // all panels of the run
};
std::string panels_html(const std::vector<RunHistory>& runs, const std::vector<RunPanels>& panels, size_t bytes,
                        std::string_view where);
// Says that something is left out: "This page has no room for ...".
std::string no_room_html(std::string_view html);
// A drawing with a line of html below.
std::string figure_html(std::string_view drawing, std::string_view caption);

}  // namespace frgan
