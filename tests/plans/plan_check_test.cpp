#include "frgan/plans/plan_check.h"

#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../cli/tiny_mnist.h"
#include "../io/temporary_folder.h"

namespace frgan {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Plans on 60 training and 20 test images of 10 classes.
class PlanCheck : public testing::Test {
 protected:
  PlanCheck() {
    std::filesystem::create_directories(folder / "mnist");
    write_images(folder / "mnist", "train", 60);
    write_images(folder / "mnist", "t10k", 20);
  }
  // Checks a plan with these labels and options of its second row.
  void check(const std::string& labels, const std::string& settings = "") {
    const Plan plan = read_plan(fmt::format(R"(
[settings]
data = "mnist"
[budget.a]
steps = 10
[vary]
labels = [{}]
[[row]]
name = "one"
preset = "supervised"
settings = {{width = 0.0625}}
[[row]]
name = "two"
preset = "supervised"
settings = {{width = 0.0625{}}}
)",
                                            labels, settings),
                                "my.toml");
    RunMeasurer measurer(folder.path());
    const PlanChoice choice{.budget = "a", .steps = 0, .seeds = 2, .rows = {}, .where = {}, .data_dir = {}};
    check_runs(plan, planned_runs(plan, choice, measurer), measurer);
  }

  const TemporaryFolder folder;
};

TEST_F(PlanCheck, AcceptsLabelsOfTheDataset) {
  check("10, 60");
}

TEST_F(PlanCheck, FindsLabelsThatTheDatasetLacks) {
  EXPECT_THAT(error_of([&] { check("10, 15"); }),
              StartsWith("my.toml, row 'one', labels 15, seed 1: --labels 15: not a multiple of the 10 classes; use 10 "
                         "or 20, or --label-mode"));
  EXPECT_THAT(error_of([&] { check("10, 15"); }), HasSubstr("(4 of 8 runs would fail)"));
  EXPECT_THAT(error_of([&] { check("500"); }), HasSubstr("has only 60 labeled training images; use --labels 0"));
}

TEST_F(PlanCheck, FindsOptionsThatTheDatasetExcludes) {
  EXPECT_THAT(error_of([&] { check("10", ", dev-images = 60"); }),
              StartsWith("my.toml, row 'two', labels 10, seed 1: --dev-images 60: "));
}

TEST_F(PlanCheck, FindsMissingDatasets) {
  std::filesystem::remove_all(folder / "mnist");
  EXPECT_THAT(error_of([&] { check("10"); }), HasSubstr("mnist"));
}

}  // namespace
}  // namespace frgan
