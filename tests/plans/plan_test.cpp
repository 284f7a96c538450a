#include "frgan/plans/plan.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "frgan/core/error.h"
#include "frgan/io/files.h"
#include "frgan/plans/paper_plans.h"
#include "frgan/plans/planned_runs.h"

namespace frgan {
namespace {

using testing::HasSubstr;

constexpr std::string_view kPlan = R"(
title = "A comparison"
reference = "one"
seeds = 3
[settings]
data = "mnist"
[vary]
labels = [500, 1000]
[budget.short]
steps = 20
settings = {width = 0.5}
[budget.long]
tflop = 7.5
seeds = 2
[[row]]
name = "one"
preset = "fr-gan"
published = {500 = [13.41, 0.20], 1000 = [7.2]}
[[row]]
preset = "gan"
settings = {adv-weight = 0.5}
[[row]]
name = "elsewhere"
source = "a paper"
)";

// The message of reading `text` with `from` replaced by `to`.
std::string plan_error(std::string text, const std::string& from = "", const std::string& to = "") {
  if (!from.empty()) {
    EXPECT_NE(text.find(from), std::string::npos) << from;
    text.replace(text.find(from), from.size(), to);
  }
  try {
    read_plan(text, "my.toml");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("\n")));
    return error.what();
  }
  return "";
}

TEST(Plan, ReadsAllFields) {
  const Plan plan = read_plan(kPlan, "my.toml");
  EXPECT_EQ(plan.title, "A comparison");
  EXPECT_EQ(plan.show, Show::kErrors);
  EXPECT_EQ(plan.seeds, 3);
  ASSERT_EQ(plan.sections.size(), 2u);
  EXPECT_EQ(plan.sections[1].title, "labels 1000");
  EXPECT_EQ(plan.sections[1].value, "1000");
  EXPECT_EQ(plan.sections[1].settings.front().value, 1000);
  EXPECT_EQ(plan.budget("short").steps, 20);
  EXPECT_EQ(plan.budget("short").settings.front().name, "width");
  EXPECT_EQ(plan.budget("long").tflop, 7.5);
  EXPECT_EQ(plan.budget("long").seeds, 2);
  ASSERT_EQ(plan.rows.size(), 3u);
  EXPECT_EQ(plan.rows[0].published.at("500").deviation, 0.2);
  EXPECT_FALSE(plan.rows[0].published.at("1000").deviation.has_value());
  EXPECT_EQ(plan.rows[1].name, "gan");
  EXPECT_TRUE(plan.rows[2].preset.empty());
}

TEST(Plan, SectionsAreAllCombinations) {
  const std::string text = R"(
[vary]
labels = [10, 20]
label-mode = ["balanced", "random"]
[budget.a]
steps = 1
[[row]]
preset = "gan"
)";
  const Plan plan = read_plan(text, "my.toml");
  ASSERT_EQ(plan.sections.size(), 4u);
  EXPECT_EQ(plan.sections[0].title, "label-mode balanced, labels 10");
  EXPECT_EQ(plan.sections[3].title, "label-mode random, labels 20");
}

TEST(Plan, ErrorsNameProblemAndPlace) {
  const std::string plan(kPlan);
  EXPECT_THAT(plan_error(plan, "preset = \"gan\"", "preset = \"gna\""),
              testing::AllOf(HasSubstr("my.toml, row 2"), HasSubstr("unknown preset 'gna'; did you mean 'gan'?")));
  EXPECT_THAT(plan_error(plan, "seeds = 3", "seds = 3"),
              testing::AllOf(HasSubstr("my.toml: unknown key 'seds'; allowed here: title, show, "),
                             HasSubstr("did you mean 'seeds'?")));
  EXPECT_THAT(plan_error(plan, "seeds = 3", "seeds = 0"), HasSubstr("seeds is 0; expected an integer from 1 to 1000"));
  EXPECT_THAT(plan_error(plan, "reference = \"one\"", "reference = \"two\""),
              HasSubstr("reference 'two' is not the name of a row"));
  EXPECT_THAT(plan_error(plan, "steps = 20", "steps = 20\nepochs = 3"),
              HasSubstr("expected exactly one of steps, epochs and tflop"));
  EXPECT_THAT(plan_error(plan, "labels = [500, 1000]", "labels = 500"), HasSubstr("expected a list of values"));
  EXPECT_THAT(plan_error(plan, "500 = [13.41, 0.20]", "500 = 13.41"), HasSubstr("[value, deviation] or [value]"));
  EXPECT_THAT(plan_error(plan, "500 = [13.41, 0.20]", "100 = [13.41, 0.20]"),
              HasSubstr("row 'one': published.100 matches no section; allowed: 500, 1000"));
  EXPECT_THAT(plan_error(plan, "tflop = 7.5", "tflop = inf"), HasSubstr("expected a number above 0"));
  EXPECT_THAT(plan_error(plan, "width = 0.5", "threads = 2"), HasSubstr("option 'threads' is not allowed in a plan"));
  EXPECT_THAT(plan_error(plan, "name = \"elsewhere\"", "name = \"one\""), HasSubstr("duplicate row name 'one'"));
  EXPECT_THAT(plan_error(plan, "title = \"A comparison\"", "show = \"erors\""), HasSubstr("did you mean 'errors'?"));
  EXPECT_THAT(plan_error("[budget.a]\nsteps = 1\n"), HasSubstr("missing [[row]]"));
  EXPECT_THAT(plan_error("[[row]]\npreset = \"gan\"\n"), HasSubstr("missing [budget.NAME]"));
  EXPECT_THAT(plan_error("[[row]\n"), HasSubstr("my.toml:1:"));
}

// A larger plan would take hours to list, or all memory.
TEST(Plan, LimitsItsSize) {
  const std::string plan(kPlan);
  EXPECT_THAT(plan_error(plan, "seeds = 3", "seeds = 9223372036854775807"),
              HasSubstr("my.toml: seeds is 9223372036854775807; expected an integer from 1 to 1000"));
  EXPECT_THAT(plan_error(plan, "seeds = 2", "seeds = 1001"), HasSubstr("budget.long: seeds is 1001; expected"));
  EXPECT_THAT(plan_error(plan, "steps = 20", "steps = 1000000001"), HasSubstr("an integer from 1 to 1000000000"));
  EXPECT_THAT(plan_error(plan, "steps = 20", "steps = 20\nscore-images = 1000001"),
              HasSubstr("score-images is 1000001; expected an integer from 1 to 1000000"));
  std::string vary = "labels = [1", rows;
  for (int i = 2; i <= 100; ++i) vary += fmt::format(", {}", i);
  EXPECT_THAT(plan_error(plan, "labels = [500, 1000]", vary + "]\nwidth = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]"),
              HasSubstr("my.toml: vary has more than 1000 combinations of values; split the plan"));
  EXPECT_THAT(plan_error(plan, "labels = [500, 1000]", "labels = [\"" + std::string(1001, 'x') + "\"]"),
              HasSubstr("x; expected values of at most 1000 characters on one line"));
  EXPECT_THAT(plan_error(plan, "name = \"one\"", "name = \"one\\n\""),
              HasSubstr("row 1: name is \"one\\n\"; expected text on one line"));
  EXPECT_THAT(plan_error(plan, "[budget.long]", "[budget.\"lo\\u001b[31mng\"]"),
              HasSubstr("my.toml: invalid key \"lo\\x1b[31mng\": control characters are not allowed"));
  EXPECT_THAT(plan_error(plan, "labels = [500, 1000]", "a=[1]\nb=[1]\nc=[1]\nd=[1]\ne=[1]\nf=[1]\ng=[1]\nh=[1]\ni=[1]"),
              HasSubstr("vary has 9 options; at most 8 are allowed"));
  for (int i = 0; i < 10'000; ++i) rows += fmt::format("\n[[row]]\nname = \"{}\"", i);
  EXPECT_THAT(
      plan_error(plan + rows),
      HasSubstr("my.toml: 10003 rows with 2 combinations of varied values; at most 10000 in total are allowed"));
}

TEST(Plan, ComparisonsAreValid) {
  size_t count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(fmt::format("{}/configs/comparisons", FRGAN_SOURCE_DIR))) {
    const Plan plan = read_plan(read_file(entry.path()), entry.path().string());
    EXPECT_LT(plan.reference_row(), plan.rows.size()) << plan.name;
    EXPECT_NO_THROW(plan.budget("smoke")) << plan.name;
    ++count;
  }
  EXPECT_GE(count, 1U);
}

TEST(Plan, PaperPlansAreValidInAllBudgets) {
  EXPECT_GE(all_paper_plans().size(), 6u);
  for (const PaperPlan& text : all_paper_plans()) {
    const Plan plan = read_paper_plan(std::string(text.name));
    for (const char* budget : {"paper", "hour", "smoke"}) EXPECT_NO_THROW(plan.budget(budget)) << text.name;
    if (!plan.scorer.empty()) {
      EXPECT_NO_THROW(read_paper_plan(plan.scorer)) << text.name;
    }
  }
  try {
    read_paper_plan("table33");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("did you mean 'table3'?"));
  }
}

TEST(Plan, Table3HasTheTenPublishedRows) {
  const Plan plan = read_paper_plan("table3");
  int64_t published = 0;
  for (const PlanRow& row : plan.rows) published += row.published.empty() ? 0 : 1;
  EXPECT_EQ(published, 10);
  const auto row = [&](const std::string& name) {
    return *std::find_if(plan.rows.begin(), plan.rows.end(), [&](const PlanRow& r) { return r.name == name; });
  };
  EXPECT_EQ(row("FR-GAN").published.at("500").value, 13.41);
  EXPECT_EQ(row("FR-GAN").published.at("1000").value, 7.20);
  EXPECT_EQ(row("FR-GAN without SE").published.at("1000").value, 8.13);
}

TEST(TflopText, HasNoExponent) {
  EXPECT_EQ(tflop_text(0.00214), "0.00214 TFLOP");
  EXPECT_EQ(tflop_text(72.34), "72.3 TFLOP");
  EXPECT_EQ(tflop_text(91'600), "91600 TFLOP");
}

}  // namespace
}  // namespace frgan
