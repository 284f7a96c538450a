#include "frgan/plans/show_kinds.h"

#include <set>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/plans/plan.h"

namespace frgan {
namespace {

std::string plan_text(std::string_view show, std::string_view vary) {
  return fmt::format("show = \"{}\"\n[vary]\n{}\n[budget.a]\nsteps = 1\n[[row]]\npreset = \"gan\"\npublished = {{}}\n",
                     show, vary);
}

TEST(ShowKinds, AreInTheOrderOfTheEnumeration) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < kShowKinds.size(); ++i) {
    EXPECT_EQ(static_cast<size_t>(kShowKinds[i].show), i) << kShowKinds[i].name;
    EXPECT_NE(kShowKinds[i].outputs.front(), PlanOutput::kNone) << kShowKinds[i].name;
    names.insert(kShowKinds[i].name);
  }
  EXPECT_EQ(names.size(), kShowKinds.size());
}

TEST(ShowKinds, AreReadFromPlans) {
  for (const ShowKind& kind : kShowKinds) {
    const Plan plan = read_plan(plan_text(kind.name, "label-noise = [0.0, 0.5]"), "my.toml");
    EXPECT_EQ(plan.show, kind.show) << kind.name;
    EXPECT_EQ(plan.published_key(plan.sections[1]), kind.one_published ? "all" : "0.5") << kind.name;
  }
  EXPECT_EQ(error_of([] { read_plan(plan_text("noises", "labels = [10]"), "my.toml"); }),
            "my.toml: invalid show 'noises'; allowed: errors, scores, grids, noise; did you mean 'noise'?");
}

TEST(ShowKinds, RequireTheVariedOption) {
  for (const ShowKind& kind : kShowKinds) {
    const std::string text = plan_text(kind.name, "labels = [10, 20]");
    if (kind.varied.empty()) {
      EXPECT_NO_THROW(read_plan(text, "my.toml")) << kind.name;
    } else {
      EXPECT_EQ(error_of([&] { read_plan(text, "my.toml"); }),
                fmt::format("my.toml: show = \"{}\" requires a [vary] with {} only", kind.name, kind.varied));
    }
  }
}

}  // namespace
}  // namespace frgan
