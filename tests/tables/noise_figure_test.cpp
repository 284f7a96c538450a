#include "frgan/tables/noise_figure.h"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "../plans/run_records.h"

namespace frgan {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Heights of the error bars (the vertical lines of curves), in document order.
std::vector<double> error_bars(const std::string& svg) {
  std::vector<double> heights;
  for (size_t at = 0; (at = svg.find("<line ", at)) != std::string::npos; ++at) {
    const std::string line = svg.substr(at, svg.find('>', at) - at);
    const auto number = [&](const char* name) { return std::stod(line.substr(line.find(name) + 4)); };
    const bool is_vertical = number("x1=\"") == number("x2=\"");
    if (is_vertical && line.find("class=\"curve ") != std::string::npos) {
      heights.push_back(std::abs(number("y1=\"") - number("y2=\"")));
    }
  }
  return heights;
}

TEST(NoiseFigure, DrawsMeansAndStandardDeviations) {
  const std::string svg = noise_figure(noise_results({{100, 110}, {200, 240}}));
  EXPECT_THAT(svg, AllOf(HasSubstr("(b) FR-GAN"), HasSubstr("(c) last weights"), HasSubstr("wrong labels (%)")));
  // Last values of the curves: 100 % minus mean errors of 10.5 and 22 %.
  EXPECT_THAT(svg, AllOf(HasSubstr("0 % wrong: 89.5<"), HasSubstr("50 % wrong: 78<")));
  EXPECT_THAT(svg, Not(HasSubstr("(a) GAN"))) << "a row without results has no panel";
  EXPECT_THAT(svg, HasSubstr("Each curve and point is a mean over 2 seeds."));
  const std::vector<double> bars = error_bars(svg);
  ASSERT_EQ(bars.size(), 2U);
  EXPECT_GT(bars[0], 0);
  EXPECT_NEAR(bars[1] / bars[0], 4, 0.1) << "standard deviations are 0.707 and 2.828 points";
}

TEST(NoiseFigure, ThrowsWithoutFinishedRun) {
  EXPECT_THAT(error_of([] { noise_figure(noise_results({})); }), HasSubstr("small: no finished run"));
}

}  // namespace
}  // namespace frgan
