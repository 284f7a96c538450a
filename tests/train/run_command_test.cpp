#include "frgan/train/run_command.h"

#include <gmock/gmock.h>

namespace frgan {
namespace {

using testing::ElementsAre;

TEST(RunCommand, WritesOneArgumentPerOption) {
  EXPECT_EQ(argument_of("width", 0.5), "--width=0.5");
  EXPECT_EQ(argument_of("data", "svhn"), "--data=svhn");
  EXPECT_EQ(argument_of("tensorboard", false), "--no-tensorboard");
  EXPECT_EQ(argument_of("augmentation", Json::array({"flip", "noise:0.1"})), "--augmentation=flip,noise:0.1");
  EXPECT_EQ(argument_of("rows", Json::array({"a, b,c", "d"})), R"(--rows=a\, b\,c,d)");
}

TEST(RunCommand, ContainsChangedOptions) {
  int64_t steps = 1, seed = 1;
  bool hidden = false;
  OptionSet options;
  options.group("Run");
  options.add("steps", steps, "Steps.");
  options.add("seed", seed, "Seed.");
  options.group("Call", /*saved=*/false);
  options.add("hidden", hidden, "Not saved.");
  options.find("seed", "").set(2, "");
  options.find("hidden", "").set(true, "");
  EXPECT_THAT(changed_arguments(options), ElementsAre("--seed=2"));
}

TEST(RunCommand, ReplacesLengthAndFolder) {
  const std::vector<std::string> arguments = {"--time-budget", "5m", "--run=a",  "--epochs=2", "--data",   "my images",
                                              "--steps",       "7",  "--seed=2", "--config",   "it's.toml"};
  EXPECT_EQ(train_command(arguments, {"--steps", "30"}),
            "frgan train --data 'my images' --seed=2 --config 'it'\\''s.toml' --steps 30");
  EXPECT_EQ(train_command({}, {"--plan", "my run/plan.json"}), "frgan train --plan 'my run/plan.json'");
}

}  // namespace
}  // namespace frgan
