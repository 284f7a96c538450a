#include "frgan/settings/presets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "frgan/core/error.h"
#include "frgan/methods/method.h"
#include "frgan/methods/methods.h"
#include "frgan/settings/config_file.h"
#include "frgan/train/run_options.h"

namespace frgan {
namespace {

// All resolved options of a run with this preset.
Json resolved(std::string_view name) {
  const std::vector<Setting> settings = read_config(find_preset(name).text, std::string(name));
  RunOptions run;
  OptionSet options;
  std::string method_name = run.method;
  for (const Setting& setting : settings) {
    if (setting.name == "method") method_name = setting.value.text();
  }
  const std::unique_ptr<Method> method = create_method(method_name);
  describe(options, run);
  method->describe(options);
  for (const Setting& setting : settings) options.set(setting.name, setting.value, setting.source);
  method->validate();
  return options.values();
}

// Names of the options whose values differ between two presets.
std::vector<std::string> differences(std::string_view one, std::string_view other) {
  const Json a = resolved(one), b = resolved(other);
  std::vector<std::string> names;
  for (const auto& [name, value] : a.items()) {
    if (b.contains(name) && b[name] != value) names.push_back(name);
  }
  return names;
}

TEST(Presets, AreValidAndHaveSummary) {
  EXPECT_GE(all_presets().size(), 6u);
  for (const Preset& preset : all_presets()) {
    EXPECT_NO_THROW(resolved(preset.name)) << preset.name;
    EXPECT_GT(preset.summary.size(), 20u) << preset.name;
    EXPECT_TRUE(preset.text.starts_with("# " + std::string(preset.summary) + "\n")) << preset.name;
  }
}

TEST(Presets, AblationsDifferOnlyInTheirParts) {
  using testing::ElementsAre;
  EXPECT_THAT(differences("fr-gan", "fr-gan-no-se"), ElementsAre("se-position"));
  EXPECT_THAT(differences("fr-gan", "fr-gan-no-consistency"), ElementsAre("consistency-weight"));
  EXPECT_THAT(differences("fr-gan", "gan"), ElementsAre("consistency-weight", "se-position"));
  EXPECT_THAT(differences("fr-gan", "fr-gan-fm"), ElementsAre("gen-loss"));
  EXPECT_THAT(differences("fr-gan", "supervised"), ElementsAre("method"));
  EXPECT_THAT(differences("demo", "demo-supervised"), ElementsAre("method"));
  EXPECT_EQ(resolved("gan")["se-position"], "none");
  EXPECT_EQ(resolved("gan")["consistency-weight"], 0.0);
  EXPECT_EQ(resolved("fr-gan-fm")["gen-loss"], "feature_matching");
}

TEST(Presets, AreFoundByName) {
  EXPECT_EQ(find_preset("gan").name, "gan");
  try {
    find_preset("fr-gan-no-es");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_STREQ(error.what(),
                 "unknown preset 'fr-gan-no-es'; did you mean 'fr-gan-no-se'? (frgan methods lists them)");
  }
}

}  // namespace
}  // namespace frgan
