// Tests the HTML text; tests/cli/report_test.py opens a report in a browser.
#include "frgan/report/html_report.h"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "frgan/io/image_file.h"
#include "frgan/report/markup.h"

namespace frgan {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Markup, EscapesSpecialCharacters) {
  EXPECT_EQ(escaped("<a b=\"c\" & 'd'>"), "&lt;a b=&quot;c&quot; &amp; &#39;d&#39;&gt;");
}

TEST(Markup, EncodesPngAsBase64) {
  for (const auto& [bytes, text] :
       {std::pair{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"\xff\xfe", "//4="}}) {
    EXPECT_EQ(png_address(bytes), std::string("data:image/png;base64,") + text);
  }
}

RunHistory run_named(const std::string& name, double error) {
  RunHistory run;
  run.folder = "/runs/" + name;
  run.name = name;
  run.options = {{"method", "fr-gan"}, {"seed", name}, {"width", "1"}};
  run.labels = 1000;
  run.finished = true;
  run.summary.method = "fr-gan";
  run.summary.command = "frgan train --seed '" + name + "'";
  run.summary.data = "svhn";
  run.summary.data_digest = "d1";
  run.summary.steps = 26200;
  run.summary.gflop_per_step = 10;
  run.summary.wall_seconds = 120;
  run.summary.test = EvaluationRecord{26200, EvaluatedImages::kTest, error, error - 0.01, error + 0.01, 6};
  run.evaluations = {{13100, EvaluatedImages::kTest, 2 * error, 0, 1, 6}, *run.summary.test};
  run.steps = {{13100, 1, {{"supervised", 2}}, 0.01, 400, 60}, {26200, 2, {{"supervised", 1}}, 0.01, 400, 120}};
  run.mistakes = find_mistakes(std::vector<int64_t>{0, 0, 1, 1}, std::vector<int64_t>{0, 1, 1, 0},
                               std::vector<float>{0.9F, 0.8F, 0.7F, 0.6F}, {"ant", "<bee>"}, /*shown=*/2);
  run.mistakes->role = EvaluatedImages::kTest;
  run.mistakes_png = encode_png(std::vector<uint8_t>(16 * 34 * 3, 9), 16, 34, 3);
  run.shown_mistakes = 2;
  run.gates = {{"se_block2", {0.5, 0.2}, {0.1, 0.001}, {{0.6, 0.2}, {0.4, 0.2}}, {{0.05, 0}, {0.025, 0}}}};
  run.samples = {{26200, run.mistakes_png}};
  const std::vector<float> logits{2, 0, 0, 1, 0, 3, 2, 1};
  run.quality = measure_quality({logits, std::vector<int64_t>{0, 0, 1, 1}, 2}, EvaluatedImages::kTest,
                                {.class_names = {"ant", "<bee>"}, .label_counts = {3, 9}});
  return run;
}

const ReportFrame kFrame{"2026-11-25 09:12", "0.1.0"};

std::string text_between(const std::string& page, const std::string& begin, const std::string& end) {
  const size_t from = page.find(begin);
  return from == std::string::npos ? "" : page.substr(from, page.find(end, from) - from);
}

TEST(HtmlReport, HasAllSectionsAndTableOfContents) {
  RunHistory first = run_named("one", 0.07);  // gets 20 evaluations
  first.evaluations.insert(first.evaluations.begin(), 18, first.evaluations.front());
  const std::string page = html_report({first, run_named("two", 0.08)}, kFrame);
  for (const char* id : {"summary", "quality", "curves", "comparison", "classes", "confusion", "mistakes", "samples",
                         "losses", "gates", "options", "environment"}) {
    EXPECT_THAT(page, HasSubstr(fmt::format("<a href=\"#{}\">", id)));
    EXPECT_THAT(page, HasSubstr(fmt::format("<section id=\"{}\"", id)));
  }
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("://")));  // no external resources
  const std::string summary = text_between(page, "<section id=\"summary\"", "</section>");
  EXPECT_THAT(summary, HasSubstr("<p class=\"number\">7.00&nbsp;%</p>"));
  EXPECT_THAT(summary, HasSubstr("95 % interval 6.00 to 8.00&nbsp;%"));
  EXPECT_THAT(summary, HasSubstr("fr-gan · 1,000 labels · 26,200 steps · 262 TFLOP · 2 min"));
  EXPECT_THAT(summary, HasSubstr("<td>14.00&nbsp;%</td>"));  // median of 19 times 14 % and once 7 %
  EXPECT_THAT(summary, HasSubstr("<td>-</td>")) << "no median with fewer than 20 evaluations";
  EXPECT_THAT(summary, HasSubstr("<strong>mean 7.50&nbsp;%, standard deviation 0.71 points</strong> over 2 runs"));
  EXPECT_THAT(text_between(page, "<section id=\"comparison\"", "</section>"),
              HasSubstr("<td>0</td><td>0</td><td>1</td>"));
  const std::string mistakes = text_between(page, "<section id=\"mistakes\"", "</section>");
  EXPECT_THAT(mistakes, HasSubstr("2 of 4 test images are misclassified"));
  EXPECT_THAT(mistakes, HasSubstr("<svg viewBox=\"18 0 16 16\" role=\"img\" aria-label=\"image 3\">"));
  EXPECT_THAT(mistakes,
              HasSubstr("<span class=\"truth\">&lt;bee&gt;</span> → <strong>ant</strong> <span class=\"soft\">60 %"));
  EXPECT_THAT(text_between(page, "<section id=\"gates\"", "</section>"),
              HasSubstr("<strong>Nearly constant gates: 1</strong>"));
  const std::string options = text_between(page, "<section id=\"options\"", "</section>");
  EXPECT_THAT(options, HasSubstr("<th scope=\"row\"><code>seed</code></th><td>one</td><td>two</td>"));
  EXPECT_THAT(page, HasSubstr("<code>frgan train --seed &#39;one&#39;</code>"));
}

TEST(HtmlReport, NamesTheFilesOfMistakes) {
  RunHistory run = run_named("one", 0.07);
  EXPECT_THAT(html_report({run}, kFrame), Not(HasSubstr("class=\"file\"")));
  run.mistakes->mistakes[0].file = "test/ant/<1>.png";
  run.mistakes->mistakes[1].file = "plain.png";
  const std::string mistakes = text_between(html_report({run}, kFrame), "<section id=\"mistakes\"", "</section>");
  EXPECT_THAT(mistakes,
              HasSubstr("80 %</span><span class=\"file\" title=\"test/ant/&lt;1&gt;.png\">&lt;1&gt;.png</span>"));
  EXPECT_THAT(mistakes, HasSubstr("<span class=\"file\" title=\"plain.png\">plain.png</span></figcaption>"));
}

TEST(HtmlReport, AveragesRunsThatDifferOnlyInSeeds) {
  std::vector<RunHistory> runs{run_named("1", 0.06), run_named("2", 0.08), run_named("3", 0.2)};
  for (RunHistory& run : runs) {
    for (const char* seed : {"split-seed", "label-noise-seed"}) run.options.emplace_back(seed, run.name);
    run.options.emplace_back("label-noise", run.name == "3" ? "0.5" : "0.2");
  }
  const std::string summary = text_between(html_report(runs, kFrame), "<section id=\"summary\"", "</section>");
  EXPECT_THAT(summary, HasSubstr("<strong>mean 7.00&nbsp;%, standard deviation 1.41 points</strong> over 2 runs"));
}

// Number of points of the first curve, and number of table rows.
std::pair<int64_t, int64_t> size_of_chart(const std::vector<RunHistory>& runs) {
  const std::string chart = text_between(html_report(runs, kFrame), "<h3>Test error</h3>", "</article>");
  const std::string points = text_between(chart, " points=\"", "<title>"),
                    table = text_between(chart, "<tbody>", "</tbody>");
  return {std::count(points.begin(), points.end(), ','), std::count(table.begin(), table.end(), '\n') - 1};
}

TEST(HtmlReport, ThinnedCurvesKeepPeaks) {
  RunHistory run = run_named("one", 0.07);
  run.evaluations.clear();
  for (int64_t step = 1; step <= 10'000; ++step) {
    run.evaluations.push_back({step, EvaluatedImages::kTest,
                               step == 5'001   ? 0.9
                               : step == 7'003 ? 0.01
                                               : 0.5,
                               0, 1, 6});
  }
  const auto [points, rows] = size_of_chart({run});
  EXPECT_LE(points, 200);
  EXPECT_GE(points, 190);
  EXPECT_EQ(rows, 40);
  const std::string chart = text_between(html_report({run}, kFrame), "<h3>Test error</h3>", "</article>");
  EXPECT_THAT(chart, HasSubstr("<polyline class=\"curve c0 r0\" stroke-linecap=\"square\" points=\"56.0,"));
  EXPECT_THAT(chart, HasSubstr(" 388.0,"));
  // The single peak and the single dip; the axis is logarithmic, from 1 to 100.
  EXPECT_THAT(chart, testing::ContainsRegex(" 222\\.0,1[0-9]\\.[0-9]"));
  EXPECT_THAT(chart, testing::ContainsRegex(" 288\\.5,216\\.0"));
  EXPECT_THAT(size_of_chart(std::vector<RunHistory>(100, run)), testing::Pair(testing::Le(40), 8));
}

TEST(HtmlReport, ListsWhatItOmitsForManyRuns) {
  constexpr size_t kRuns = 100, kClasses = 20, kChannels = 200;
  const std::string few = html_report({run_named("one", 0.07), run_named("two", 0.08)}, kFrame);
  EXPECT_THAT(few, Not(HasSubstr("Omitted")));
  std::vector<RunHistory> runs;
  for (size_t i = 0; i < kRuns; ++i) {
    RunHistory& run = runs.emplace_back(run_named(fmt::format("run-{}", i), 0.07));
    run.mistakes_png.clear();
    run.samples.clear();
    run.images_omitted = true;
    run.grids = 3;
    std::vector<std::string> names;
    std::vector<int64_t> labels, predictions;
    for (size_t k = 0; k < kClasses; ++k) {
      names.push_back(fmt::format("class-{}", k));
      for (const int64_t part : {0, 1}) {
        labels.push_back(static_cast<int64_t>(k));
        predictions.push_back(part == 0 || k == 19 ? static_cast<int64_t>((k + 1) % kClasses) : labels.back());
      }
    }
    const std::vector<float> probabilities(labels.size(), 0.5F);
    run.mistakes = find_mistakes(labels, predictions, probabilities, names, 3);
    run.mistakes->role = EvaluatedImages::kTest;
    const std::vector<double> channels(kChannels, 0.25);
    run.gates = {{"se_block2", channels, channels, {kClasses, channels}, {kClasses, channels}}};
  }
  const std::string page = html_report(runs, kFrame);
  EXPECT_LT(page.size(), 2'000'000U);
  const auto section = [&](const std::string& id) { return text_between(page, "<section id=\"" + id, "</section>"); };
  EXPECT_THAT(section("comparison"), HasSubstr("page size: 4,750 of 4,950 pairs (those with the largest p)."));
  EXPECT_THAT(section("classes"),
              HasSubstr("page size: 5 of 20 classes (those with the lowest maximum error over the runs)."));
  EXPECT_THAT(section("classes"), HasSubstr("class-19"));  // the class with the highest error
  EXPECT_THAT(section("confusion"), HasSubstr("run-98, run-99; see mistakes.json in the run folders."));
  EXPECT_THAT(section("gates"),
              HasSubstr("Data table omitted to limit the page size; see gates.json in the run folder."));
  EXPECT_THAT(section("mistakes"), HasSubstr("page size: mistake images; see mistakes.png in the run folder."));
  EXPECT_THAT(section("samples"), HasSubstr("page size: generated images; see the run folder."));
  EXPECT_THAT(section("gates"), HasSubstr("run-98, run-99; see gates.json in the run folders."));
}

TEST(HtmlReport, StatesNumberOfOmittedImages) {
  RunHistory run = run_named("one", 0.07);
  run.grids = 1;
  EXPECT_THAT(html_report({run}, kFrame), Not(HasSubstr("run folder")));
  run.grids = 4;
  run.sample_images = 20;
  run.shown_mistakes = 1;
  const std::string page = html_report({run}, kFrame);
  EXPECT_THAT(page, HasSubstr("Shown: 1 of 4 grids, the first 20 images of each. The run folder has all of them."));
  EXPECT_THAT(page,
              HasSubstr("Shown: 1 with the highest predicted probability (mistakes.png in the run folder has 2), as"));
  EXPECT_THAT(page, Not(HasSubstr("image 3\"")));
}

TEST(HtmlReport, EscapesTextFromFiles) {
  RunHistory run = run_named("<b>\"x\"", 0.07);
  run.notes = {"<i>note"};
  run.options.emplace_back("<u>", "<s>");
  run.summary.method = run.summary.data = run.machine.processor = run.commit = "<q>";
  run.steps[0].losses[0].first = run.steps[1].losses[0].first = "<em>";
  run.gates[0].block = "<h6>";
  const std::string page = html_report({run, run_named("two", 0.08)}, kFrame);
  for (const char* tag : {"<b>\"", "<i>note", "<u>\"", "<s>", "<q>", "<em>", "<h6>", "<bee>"}) {
    EXPECT_THAT(page, Not(HasSubstr(tag)));
  }
}

TEST(HtmlReport, ShowsUnfinishedRunWithoutData) {
  RunHistory bare;
  bare.folder = "/runs/bare";
  bare.name = "bare";
  bare.options = {{"method", "supervised"}, {"steps", "4000"}};
  bare.summary.steps = 100;
  bare.notes = {"This run is not finished; the report shows its progress so far."};
  const std::string page = html_report({bare}, kFrame);
  EXPECT_THAT(page, HasSubstr("<p class=\"number none\">not finished</p>"));
  EXPECT_THAT(page, HasSubstr("100 of 4,000 steps"));
  EXPECT_THAT(page, HasSubstr("<p class=\"note\">This run is not finished"));
  for (const char* id : {"quality", "curves", "comparison", "classes", "mistakes", "samples", "losses", "gates"}) {
    EXPECT_THAT(page, Not(HasSubstr(fmt::format("id=\"{}\"", id))));
  }
}

TEST(HtmlReport, WarnsAboutDifferentData) {
  RunHistory other = run_named("two", 0.08);
  other.summary.data_digest = "d2";
  other.mistakes->data_digest = "d2";
  const std::string page = html_report({run_named("one", 0.07), other}, kFrame);
  EXPECT_THAT(page, HasSubstr("The runs use different data"));
  EXPECT_THAT(page, HasSubstr("svhn (d1): one; svhn (d2): two"));
  EXPECT_THAT(page, Not(HasSubstr("id=\"comparison\"")));
}

TEST(HtmlReport, WarnsAboutDifferentRecipesAndDoesNotAverage) {
  RunHistory one = run_named("one", 0.07), two = run_named("two", 0.08);
  two.summary.recipe = one.summary.recipe + 1;
  const std::string page = html_report({one, two}, kFrame);
  EXPECT_THAT(page, HasSubstr("frgan versions with different training recipes"));
  EXPECT_THAT(page, HasSubstr("recipe 0: one; recipe 1: two"));
  EXPECT_THAT(page, Not(HasSubstr("standard deviation 0.71 points")));
}

}  // namespace
}  // namespace frgan
