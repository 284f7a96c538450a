#include "frgan/experiments/run_settings.h"

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

TEST(RunKey, TellsRunsApartByWhatIsComputed) {
  const std::string key = key_with({});
  EXPECT_EQ(key, key_with({}));
  EXPECT_NE(key, key_with({{"width", 0.5, ""}}));
  EXPECT_NE(key, key_with({{"seed", 2, ""}}));
  EXPECT_NE(key, key_with({{"label-noise", 0.5, ""}}));
  EXPECT_NE(key, key_with({{"steps", 100, ""}}));
  EXPECT_NE(key, key_with({{"precision", "fp32", ""}})) << "a plan may compare it; what auto comes to is the machine's";
  EXPECT_NE(key, key_with({{"evaluations", 30, ""}})) << "curves and medians are made of them";
  EXPECT_NE(key, key_with({}, "other data"));
  EXPECT_NE(key, key_with({}, "d", 2));
}

TEST(RunKey, IsTheSameOnAnotherMachineAndWithOtherIntervals) {
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

// A literal: when it changes, all results that people have are no longer found.
TEST(RunKey, StaysTheSame) {
  EXPECT_EQ(key_with({{"width", 0.5, ""}, {"labels", 1000, ""}}),
            "0f17ea0a36b503e9d58bd0171a30a1d6debae6ef11a086c155e2aa347b09fcca");
}

// A key says nothing of options that have their default, so a default that changes is another recipe (raise kRecipe).
// For a new option it is enough to write the new digest here.
TEST(RunKey, DefaultsAreThoseOfTheRecipe) {
  std::string text;
  for (const MethodInfo& entry : all_methods()) {
    RunRequest request;
    declare_run(request, std::string(entry.name));
    for (const Option& option : request.options.all()) {
      if (option.saved) text += fmt::format("{} {} {}\n", entry.name, option.name, option.initial.dump());
    }
  }
  EXPECT_EQ(sha256(bytes_of(text)), "f464e146350218db3755293ec25d9bb06f8f8a7dcfcc0a6c64fe84eb778b5d7b") << text;
}

TEST(RunSettings, StrongerSourcesMakeWeakerOnesVoid) {
  RunRequest request;
  declare_run(request, named_method({{{"method", "supervised", ""}}}, "fr-gan"));
  EXPECT_EQ(request.run.method, "supervised");
  apply_settings(request, {{"time-budget", "5m", ""}});
  apply_settings(request, {{"steps", 10, ""}});
  EXPECT_EQ(request.run.time_budget, "");
  EXPECT_THROW(apply_settings(request, {{"steps", 10, ""}, {"time-budget", "5m", ""}}), Error);
  EXPECT_THROW(apply_settings(request, {{"gen-loss", "saturating", ""}}), Error) << "of another method";
}

}  // namespace
}  // namespace frgan
