// Diagrams of boxes, arrows and text as SVG without scripts or external resources. Colors follow the reader's light or
// dark theme.
#pragma once

#include <string>
#include <string_view>

namespace frgan {

// Coordinates and lengths are in pixels; the origin is the top left corner.
//
//   SvgDrawing drawing("FR-GAN framework", 720, 400);
//   drawing.box(20, 40, 120, 50, "generator", "network");
//   drawing.arrow(140, 65, 200, 65);
//   write_file_safely("framework.svg", drawing.text());
class SvgDrawing {
 public:
  SvgDrawing(std::string_view title, double width, double height);

  // A box with centered text, which may contain line breaks. `kind` is "data", "network", "loss" or "plain".
  void box(double x, double y, double width, double height, std::string_view words, std::string_view kind = "plain");
  void arrow(double x1, double y1, double x2, double y2);
  // An arrow with one right-angled bend: along x then y, or along y then x.
  void bent_arrow(double x1, double y1, double x2, double y2, bool first_along_x);
  // A line of text at (x, y). `anchor` is "start", "middle" or "end".
  void words(double x, double y, std::string_view words, std::string_view anchor = "middle");

  // The complete SVG file.
  std::string text() const;

 private:
  std::string body_;
};

}  // namespace frgan
