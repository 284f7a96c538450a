#include "frgan/settings/run_settings.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "frgan/core/error.h"
#include "frgan/io/digests.h"
#include "frgan/io/files.h"
#include "frgan/methods/methods.h"

namespace frgan {
namespace {

std::string key_with(const std::vector<Setting>& settings, const std::string& digest = "d", int64_t recipe = 1) {
  RunRequest request;
  declare_run(request, "fr-gan");
  apply_settings(request, settings);
  return run_key(request.options, digest, recipe);
}

TEST(RunKey, DependsOnWhatIsComputed) {
  const std::string key = key_with({});
  EXPECT_EQ(key, key_with({}));
  EXPECT_NE(key, key_with({{"width", 0.5, ""}}));
  EXPECT_NE(key, key_with({{"seed", 2, ""}}));
  EXPECT_NE(key, key_with({{"label-noise", 0.5, ""}}));
  EXPECT_NE(key, key_with({{"steps", 100, ""}}));
  EXPECT_NE(key, key_with({{"precision", "fp32", ""}})) << "plans may compare precisions; auto depends on the machine";
  EXPECT_NE(key, key_with({{"evaluations", 30, ""}})) << "curves and medians use all evaluations";
  EXPECT_NE(key, key_with({}, "other data"));
  EXPECT_NE(key, key_with({}, "d", 2));
}

TEST(RunKey, IgnoresMachinePathsAndIntervals) {
  EXPECT_EQ(key_with({{"steps", 100, ""}}), key_with({{"steps", 100, ""},
                                                      {"threads", 3, ""},
                                                      {"keep-checkpoints", 1, ""},
                                                      {"data-dir", "/elsewhere", ""},
                                                      {"data", "/elsewhere/pets", ""},
                                                      {"label-noise-kind", "matrix:elsewhere.txt", ""},
                                                      {"labels-file", "/elsewhere/labels.json", ""},
                                                      {"epochs", 3.0, ""},
                                                      {"log-every", 7, ""}}));
}

// Rows of a plan that differ only in their method are different runs. fr-gan and supervised share keys, because stored
// results have them; PlanResults compares the method, too.
TEST(RunKey, ContainsTheMethod) {
  const auto key_of = [](const std::string& method) {
    RunRequest request;
    declare_run(request, method);
    return run_key(request.options, "d", 1);
  };
  EXPECT_NE(key_of("mean-teacher"), key_of("fixmatch"));
  EXPECT_NE(key_of("mean-teacher"), key_of("supervised"));
  EXPECT_EQ(key_of("fr-gan"), key_of("supervised"));
}

// If this key changes, existing results no longer match their plans.
TEST(RunKey, MatchesStoredKey) {
  EXPECT_EQ(key_with({{"width", 0.5, ""}, {"labels", 1000, ""}}),
            "0f17ea0a36b503e9d58bd0171a30a1d6debae6ef11a086c155e2aa347b09fcca");
}

// Keys ignore options at their default, so changing a default requires a new recipe (methods/methods.cpp). After adding
// an option, only update the digest here.
TEST(RunKey, DefaultsMatchTheRecipe) {
  std::string text;
  for (const MethodInfo& entry : all_methods()) {
    RunRequest request;
    declare_run(request, std::string(entry.name));
    for (const Option& option : request.options.all()) {
      if (option.saved) text += fmt::format("{} {} {}\n", entry.name, option.name, option.initial.dump());
    }
  }
  EXPECT_EQ(sha256(bytes_of(text)), "dd2ae6662b16bce1f8c6b6440637e13d0e231e02dac90c6dbacdd62b98e3265f") << text;
}

TEST(RunSettings, LaterSourcesResetExcludedOptions) {
  RunRequest request;
  declare_run(request, named_method({{{"method", "supervised", ""}}}, "fr-gan"));
  EXPECT_EQ(request.run.method, "supervised");
  apply_settings(request, {{"time-budget", "5m", ""}});
  apply_settings(request, {{"steps", 10, ""}});
  EXPECT_EQ(request.run.time_budget, "");
  EXPECT_THROW(apply_settings(request, {{"steps", 10, ""}, {"time-budget", "5m", ""}}), Error);
  EXPECT_THROW(apply_settings(request, {{"gen-loss", "saturating", ""}}), Error) << "option of another method";
}

}  // namespace
}  // namespace frgan
