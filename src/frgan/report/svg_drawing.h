// Boxes, arrows and words as an SVG file without script or outside parts, whose colours follow the reader's light or
// dark setting.
#pragma once

#include <string>
#include <string_view>

namespace frgan {

// Lengths in pixels, from the top left.
//
//   SvgDrawing drawing("The frame of FR-GAN", 720, 400);
//   drawing.box(20, 40, 120, 50, "generator", "discriminator net");
//   drawing.arrow(140, 65, 200, 65);
//   write_file_safely("frame.svg", drawing.text());
class SvgDrawing {
 public:
  SvgDrawing(std::string_view title, double width, double height);

  // Lines of words, parted by line breaks, in the middle of a box; `kind` is "data", "network", "loss" or "plain".
  void box(double x, double y, double width, double height, std::string_view words, std::string_view kind = "plain");
  void arrow(double x1, double y1, double x2, double y2);
  // The same by a corner: first along x, then along y, or the other way round.
  void bent_arrow(double x1, double y1, double x2, double y2, bool first_along_x);
  // `anchor` is "start", "middle" or "end".
  void words(double x, double y, std::string_view words, std::string_view anchor = "middle");

  std::string text() const;

 private:
  std::string body_;
};

}  // namespace frgan
