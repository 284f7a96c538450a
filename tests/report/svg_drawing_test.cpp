#include "frgan/report/svg_drawing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "well_formed.h"

namespace frgan {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(WellFormed, DetectsMalformedXml) {
  EXPECT_TRUE(well_formed("<a b=\"1 &amp; 2\"><c/>x &lt; y<d e-f=\"\">z</d></a>"));
  for (const char* wrong : {"", "text", "<a>", "</a>", "<a><b></a></b>", "<a/><b/>", "<a b=1/>", "<a>x & y</a>",
                            "<a>x < y</a>", "<a b=\"<\"/>", "<a", "<a>&nbsp;</a>"}) {
    EXPECT_FALSE(well_formed(wrong)) << wrong;
  }
}

TEST(SvgDrawing, IsSvgWithTitle) {
  const std::string svg = SvgDrawing("FR-GAN framework", 720, 400).text();
  EXPECT_TRUE(well_formed(svg));
  EXPECT_TRUE(
      svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 400\" width=\"720\" "
                      "height=\"400\" role=\"img\" aria-label=\"FR-GAN framework\">\n"
                      "<title>FR-GAN framework</title>\n"))
      << svg;
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  EXPECT_THAT(svg, HasSubstr("prefers-color-scheme: dark"));
  for (const char* outside : {"<script", "href", "url(http", "@import"}) EXPECT_THAT(svg, Not(HasSubstr(outside)));
}

TEST(SvgDrawing, CentersTextInBox) {
  SvgDrawing drawing("t", 300, 200);
  drawing.box(20, 40, 120, 50, "generator", "network");
  EXPECT_THAT(drawing.text(),
              HasSubstr("<rect class=\"box network\" x=\"20\" y=\"40\" width=\"120\" height=\"50\" rx=\"6\"/>\n"
                        "<text x=\"80.0\" y=\"70.1\" text-anchor=\"middle\">generator</text>\n"));
  // Lines are 17 pixels apart and centered vertically; empty lines count.
  drawing.box(0, 100, 100, 80, "one\n\nthree");
  EXPECT_THAT(drawing.text(),
              HasSubstr("<rect class=\"box plain\" x=\"0\" y=\"100\" width=\"100\" height=\"80\" rx=\"6\"/>\n"
                        "<text x=\"50.0\" y=\"128.1\" text-anchor=\"middle\">one</text>\n"
                        "<text x=\"50.0\" y=\"145.1\" text-anchor=\"middle\"></text>\n"
                        "<text x=\"50.0\" y=\"162.1\" text-anchor=\"middle\">three</text>\n"));
  EXPECT_TRUE(well_formed(drawing.text()));
}

TEST(SvgDrawing, ArrowsEndAtTheirLastPoint) {
  SvgDrawing drawing("t", 300, 200);
  drawing.arrow(140, 65, 200.5, 65);
  EXPECT_THAT(drawing.text(), HasSubstr("<path class=\"arrow\" d=\"M140 65 L200.5 65\"/>"));
  drawing.bent_arrow(1, 2, 30, 40, /*first_along_x=*/true);
  EXPECT_THAT(drawing.text(), HasSubstr("<path class=\"arrow\" d=\"M1 2 L30 2 L30 40\"/>"));
  drawing.bent_arrow(1, 2, 30, 40, /*first_along_x=*/false);
  EXPECT_THAT(drawing.text(), HasSubstr("<path class=\"arrow\" d=\"M1 2 L1 40 L30 40\"/>"));
  // The arrow heads come from the marker that the style refers to.
  EXPECT_THAT(drawing.text(), HasSubstr("marker-end: url(#tip)"));
  EXPECT_THAT(drawing.text(), HasSubstr("<marker id=\"tip\""));
  EXPECT_TRUE(well_formed(drawing.text()));
}

TEST(SvgDrawing, EscapesText) {
  SvgDrawing drawing("a<b & \"c\"", 300, 200);
  drawing.box(0, 0, 10, 10, "x > y\n<script>");
  drawing.words(5, 6, "D(x) & 'G'", "start");
  const std::string svg = drawing.text();
  EXPECT_TRUE(well_formed(svg));
  EXPECT_THAT(svg, HasSubstr("aria-label=\"a&lt;b &amp; &quot;c&quot;\""));
  EXPECT_THAT(svg, HasSubstr("<title>a&lt;b &amp; &quot;c&quot;</title>"));
  EXPECT_THAT(svg, HasSubstr(">x &gt; y</text>"));
  EXPECT_THAT(svg, HasSubstr(">&lt;script&gt;</text>"));
  EXPECT_THAT(svg, HasSubstr("<text x=\"5.0\" y=\"6.0\" text-anchor=\"start\">D(x) &amp; "));
  EXPECT_THAT(svg, Not(HasSubstr("<script")));
}

}  // namespace
}  // namespace frgan
