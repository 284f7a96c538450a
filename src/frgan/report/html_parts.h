// Building blocks of the HTML report's sections. Text from files must be escaped, here or by the caller. Parameters
// named `html` are inserted unchanged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "frgan/report/run_history.h"

namespace frgan {

// 0.0742 -> "7.42&nbsp;%", as HTML; "-" if `share` is not finite.
std::string percent(double share);
// 26200 -> "26,200".
std::string grouped(int64_t number);

inline constexpr size_t kColours = 6;  // of runs and curves; their CSS classes are c0 to c5
// CSS classes of the run's color, plus "dashed" from the seventh run on. A run has the same color in all
// sections.
std::string colour_class(size_t run);
// A color swatch and the run's name, as HTML.
std::string run_label(const std::vector<RunHistory>& runs, size_t run);

// All cells are HTML; the first cell of each row is its heading. On narrow screens the table scrolls on its own.
struct HtmlTable {
  std::string caption;  // escaped text
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  std::string classes;  // CSS classes
};
std::string table_html(const HtmlTable& table);

// A collapsed <details> element. `summary` is plain text.
std::string details_html(std::string_view summary, std::string_view html);
// A section with a heading in plain text; empty if `html` is empty.
std::string section_html(std::string_view id, std::string_view heading, std::string_view html);
// The panels of several runs, side by side. Panels are added in order up to `bytes`; a note then names the omitted runs
// and the `file` in their folders that holds the data ("gates.json"). Empty if there are no panels.
struct RunPanels {
  size_t run = 0;
  std::string html;  // all panels of the run
};
std::string panels_html(const std::vector<RunHistory>& runs, const std::vector<RunPanels>& panels, size_t bytes,
                        std::string_view file);
// A note: "Omitted to limit the page size: ...".
std::string omitted_html(std::string_view html);
// A figure with an HTML caption.
std::string figure_html(std::string_view drawing, std::string_view caption);

}  // namespace frgan
