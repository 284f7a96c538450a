#include "frgan/experiments/noise_figure.h"

#include <cmath>
#include <cstdio>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "result_records.h"

namespace frgan {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Two rows, of which the second is done: 10 and 11 % errors without wrong labels, 20 and 24 % with half of them wrong.
PlanResults results_with(bool done) {
  const Plan plan = read_plan(R"(
title = "Accuracy with wrong labels"
show = "noise"
[vary]
label-noise = [0.0, 0.5]
[budget.a]
steps = 300
[[row]]
name = "GAN"
preset = "gan"
[[row]]
name = "FR-GAN"
preset = "fr-gan"
)",
                              "small");
  constexpr int64_t kWrong[2][2] = {{100, 110}, {200, 240}};
  std::vector<PlannedRun> runs;
  std::vector<ResultRecord> records;
  for (const size_t section : {0u, 1u}) {
    for (int64_t seed = 1; seed <= 2; ++seed) {
      PlannedRun run;
      run.row = 1;
      run.section = section;
      run.seed = seed;
      run.key = run.name = plan.sections[section].value + std::to_string(seed);
      run.options = {{"label-noise-kind", "wrong"}};
      run.steps = 300;
      if (done) records.push_back(record_with(run.name, run.key, rows(kWrong[section][seed - 1])));
      runs.push_back(std::move(run));
    }
  }
  return {plan, plan.budgets[0], std::move(runs), std::move(records)};
}

// Heights of vertical lines that are parts of curves: error bars, in their order.
std::vector<double> error_bars(const std::string& svg) {
  std::vector<double> heights;
  for (size_t at = 0; (at = svg.find("<line ", at)) != std::string::npos; ++at) {
    const std::string line = svg.substr(at, svg.find('>', at) - at);
    double x1 = 0, x2 = 0, y1 = 0, y2 = 0;
    const auto number = [&](const char* name) { return std::stod(line.substr(line.find(name) + 4)); };
    x1 = number("x1=\"");
    x2 = number("x2=\"");
    y1 = number("y1=\"");
    y2 = number("y2=\"");
    if (x1 == x2 && line.find("class=\"curve ") != std::string::npos) heights.push_back(std::abs(y1 - y2));
  }
  return heights;
}

TEST(NoiseFigure, DrawsMeansOverSeedsWithTheirDeviations) {
  const std::string svg = noise_figure(results_with(true));
  EXPECT_THAT(svg,
              AllOf(HasSubstr("(b) FR-GAN"), HasSubstr("(c) last weights"), HasSubstr("% of labels that are wrong")));
  // The curves' last values: 100 % less 10.5 and 22.
  EXPECT_THAT(svg, AllOf(HasSubstr("0 % wrong: 89.5<"), HasSubstr("50 % wrong: 78<")));
  EXPECT_THAT(svg, Not(HasSubstr("(a) GAN"))) << "a row without results has no panel";
  EXPECT_THAT(svg, HasSubstr("Means over seeds: 2 of each curve and point."));
  const std::vector<double> bars = error_bars(svg);
  ASSERT_EQ(bars.size(), 2U);
  EXPECT_GT(bars[0], 0);
  EXPECT_NEAR(bars[1] / bars[0], 4, 0.1) << "deviations of 0.707 and 2.828 points";
}

TEST(NoiseFigure, OfNothingIsRefused) {
  EXPECT_THAT(error_of([] { noise_figure(results_with(false)); }), HasSubstr("small: no run is done yet"));
}

}  // namespace
}  // namespace frgan
