#include "frgan/report/learning_curve.h"

#include <cmath>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "well_formed.h"

namespace frgan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

TEST(AxisTicks, AreRoundAndCoverTheRange) {
  EXPECT_THAT(axis_ticks(0, 4), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(axis_ticks(0, 100), ElementsAre(0, 20, 40, 60, 80, 100));
  EXPECT_THAT(axis_ticks(0, 24), ElementsAre(0, 5, 10, 15, 20, 25));
  EXPECT_THAT(axis_ticks(-0.3, 0.7),
              ElementsAre(-0.4, -0.2, 0, 0.2, testing::DoubleEq(0.4), testing::DoubleEq(0.6), 0.8));
  EXPECT_THAT(axis_ticks(0, 0), ElementsAre(0, 0.2, 0.4, testing::DoubleEq(0.6), 0.8, 1));
}

TEST(AxisTicks, NumberFiveToTwelve) {
  for (double high = 1e-3; high < 1e6; high *= 1.07) {
    const std::vector<double> ticks = axis_ticks(0, high);
    EXPECT_GE(ticks.size(), 5U) << high;
    EXPECT_LE(ticks.size(), 12U) << high;
    EXPECT_GE(ticks.back(), high * (1 - 1e-9)) << high;
  }
}

TEST(LearningCurveSvg, PlacesPointsOnTheAxes) {
  // Plot area: x = 64 (step 0) to 560 (step 100), y = 344 (value 0) to 44 (value 40).
  const std::string svg = learning_curve_svg(
      {"Error", "error (%)", {{"fr-gan", {{0, 40}, {50, 20}, {100, 0}}}, {"supervised", {{100, 30}}}}});
  EXPECT_THAT(svg, HasSubstr("points=\"64.0,44.0 312.0,194.0 560.0,344.0\""));
  EXPECT_THAT(svg, HasSubstr("points=\"560.0,119.0\""));
  EXPECT_THAT(svg, HasSubstr(">fr-gan 0</text>"));
  EXPECT_THAT(svg, HasSubstr(">supervised 30</text>"));
  EXPECT_THAT(svg, HasSubstr("prefers-color-scheme: dark"));
  EXPECT_THAT(svg, Not(HasSubstr("<script")));
}

TEST(LearningCurveSvg, LabelsXAxis) {
  LearningCurves chart{"Accuracy", "accuracy (%)", {{"fr-gan", {{0, 90}, {50, 80}}}}};
  EXPECT_THAT(learning_curve_svg(chart), HasSubstr("y=\"384.0\" text-anchor=\"end\">step</text>"));
  EXPECT_THAT(learning_curve_figure(chart), HasSubstr("aria-label=\"Accuracy: accuracy (%) by step\""));
  chart.x_label = "wrong labels (%) & more";
  for (const std::string& svg : {learning_curve_svg(chart), learning_curve_figure(chart)}) {
    EXPECT_THAT(svg, HasSubstr(" text-anchor=\"end\">wrong labels (%) &amp; more</text>"));
    EXPECT_THAT(svg, Not(HasSubstr("step")));
    EXPECT_TRUE(well_formed(svg));
  }
}

TEST(LearningCurveSvg, DrawsErrorBars) {
  // The highest error bar ends at 30 + 10, so the axis ends at 40, and 10 units are 75 pixels.
  const LearningCurves chart{
      "Error", "error (%)", {{"plain", {{0, 1}, {100, 1}}}, {"c", {{0, 10}, {50, 20}, {100, 30}}, {5, 0, 10}}}};
  const std::string svg = learning_curve_svg(chart);
  EXPECT_THAT(svg, HasSubstr("points=\"64.0,269.0 312.0,194.0 560.0,119.0\""));
  EXPECT_THAT(svg, HasSubstr("<line x1=\"64.0\" y1=\"306.5\" x2=\"64.0\" y2=\"231.5\" class=\"curve c1\"/>"));
  EXPECT_THAT(svg, HasSubstr("<line x1=\"312.0\" y1=\"194.0\" x2=\"312.0\" y2=\"194.0\" class=\"curve c1\"/>"));
  EXPECT_THAT(svg, HasSubstr("<line x1=\"560.0\" y1=\"194.0\" x2=\"560.0\" y2=\"44.0\" class=\"curve c1\"/>"));
  EXPECT_TRUE(well_formed(svg));
  // The curve without error bars has no vertical line; its line in the legend is horizontal.
  EXPECT_THAT(svg, Not(HasSubstr("y2=\"336.5\" class=\"curve c0\"/>")));
  // An error bar below 0 extends the axis.
  const std::string below = learning_curve_svg({"t", "y", {{"c", {{0, 10}, {10, 30}}, {30, 10}}}});
  EXPECT_THAT(below, HasSubstr("<line x1=\"64.0\" y1=\"344.0\" x2=\"64.0\" y2=\"44.0\" class=\"curve c0\"/>"));
}

TEST(LearningCurveFigure, UsesLinearAxisIfErrorBarsReachZero) {
  LearningCurves chart{"Error", "error (%)", {{"c", {{0, 100}, {100, 1}}}}};
  EXPECT_THAT(learning_curve_figure(chart), HasSubstr(", logarithmic axis"));
  chart.curves[0].spread = {0, 1};  // reaches 0, which has no logarithm
  EXPECT_THAT(learning_curve_figure(chart), Not(HasSubstr("logarithmic")));
  EXPECT_THAT(learning_curve_figure(chart), Not(HasSubstr("nan")));
  EXPECT_TRUE(well_formed(learning_curve_figure(chart)));
}

TEST(LearningCurveSvg, EscapesText) {
  const std::string svg = learning_curve_svg({"a<b & \"c\"", "", {{"x>y", {{1, 1}}}}});
  EXPECT_THAT(svg, HasSubstr("a&lt;b &amp; &quot;c&quot;"));
  EXPECT_THAT(svg, HasSubstr("x&gt;y 1"));
  EXPECT_THAT(svg, Not(HasSubstr("a<b")));
  EXPECT_TRUE(well_formed(svg));
}

TEST(LearningCurveSvg, RejectsEmptyChartsAndNonFiniteValues) {
  EXPECT_THAT(error_of([] { learning_curve_svg({"t", "y", {}}); }), HasSubstr("empty chart: no curve has a point"));
  EXPECT_THAT(error_of([] {
                learning_curve_svg({"t", "y", {{"empty", {}}}});
              }),
              HasSubstr("empty chart: no curve has a point"));
  EXPECT_THAT(error_of([] {
                learning_curve_svg({"t", "y", {{"bad", {{1, std::nan("")}}}}});
              }),
              HasSubstr("curve 'bad': non-finite value at step 1"));
  EXPECT_THAT(error_of([] {
                learning_curve_svg({"t", "y", {{"bar", {{1, 2}, {3, 4}}, {1, std::nan("")}}}});
              }),
              HasSubstr("curve 'bar': non-finite error bar at step 3"));
}

TEST(ReadCurve, ReadsOneColumnOfLog) {
  const TemporaryFolder folder;
  const auto path = folder / "metrics.jsonl";
  std::ofstream(path) << R"({"step":50,"losses":{"supervised":0.5}})" << '\n'
                      << R"({"step":100,"test_error":0.25})" << '\n'
                      << R"({"step":150,"losses":{"supervised":null}})" << '\n'
                      << R"({"step":200,"test_error":0.125})" << '\n';
  const Curve errors = read_curve(path, "test_error", "fr-gan", 100);
  EXPECT_EQ(errors.name, "fr-gan");
  EXPECT_THAT(errors.points, ElementsAre(Pair(100, 25), Pair(200, 12.5)));
  EXPECT_THAT(read_curve(path, "losses.supervised", "x").points, ElementsAre(Pair(50, 0.5)));
  EXPECT_THAT(error_of([&] { read_curve(path, "dev_error", "x"); }),
              HasSubstr("no line has a number in column 'dev_error'"));
}

}  // namespace
}  // namespace frgan
