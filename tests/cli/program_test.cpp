// The program from outside: exit codes, which stream gets what, and messages in one line.
#include "program.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace frgan {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

class Program : public testing::Test {
 protected:
  Program() { fs::create_directory(folder); }
  ~Program() override { fs::remove_all(folder); }

  std::string write(const std::string& name, std::string_view text) {
    std::ofstream(folder / name) << text;
    return (folder / name).string();
  }

  const fs::path folder = fs::path(testing::TempDir()) / fmt::format("frgan_program_test.{}", getpid());
};

struct Wrong {
  std::vector<std::string> arguments;
  std::string message;  // without "frgan: "
};

TEST_F(Program, WrongCommandLinesEndWithCode2AndOneLine) {
  const Wrong lines[] = {
      {{"tarin"}, "'tarin' is no command; did you mean 'train'? (frgan --help lists them)"},
      {{"train", "--lables", "5"}, "--lables is no option; did you mean --labels?"},
      {{"train", "--steps=0x10"}, "--steps: got '0x10', expected a whole number, 0 to 1000000000"},
      {{"train", "--learning-rate=nan"}, "--learning-rate: got nan, expected a finite number, 0 to 10"},
      {{"train", "--seed", "1", "--seed", "2"}, "--seed is given twice"},
      {{"train", "--gen-loss", "nonsaturatign"},
       "--gen-loss: got 'nonsaturatign', expected nonsaturating, saturating, feature_matching, fm+ns; did you mean "
       "'nonsaturating'?"},
      {{"train", "--method", "fr-gam"},
       "unknown method 'fr-gam'; did you mean 'fr-gan'? (frgan methods lists them all)"},
      {{"train", "--method", "supervised", "--gen-loss", "saturating"},
       "--gen-loss belongs to the method fr-gan, not to this run"},
      {{"train", "--preset", "fr-gan-no-es"},
       "'fr-gan-no-es' is no preset; did you mean 'fr-gan-no-se'? (frgan methods lists them)"},
      {{"train", "--time-budget", "5"},
       "--time-budget: '5' is no time; give a number with its unit, as 90s, 5m or 1.5h"},
      {{"train", "--data", "svhm"},
       "--data svhm: no dataset and no folder or .safetensors file; did you mean svhn? known are svhn, mnist, "
       "fashion-mnist, folder, safetensors"},
      {{"train", "svhn"}, "unexpected 'svhn'; see frgan train --help"},
      {{"data", "inof"}, "'inof' is no action of frgan data; did you mean 'info'? (known are info, fetch, convert)"},
      {{"data", "fetch"}, "frgan data fetch needs NAME; see frgan data fetch --help"},
  };
  for (const Wrong& line : lines) {
    const Outcome outcome = run_frgan(line.arguments);
    EXPECT_EQ(outcome.err, fmt::format("frgan: {}\n", line.message));
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }
}

TEST_F(Program, WithoutACommandItExplainsItself) {
  const Outcome bare = run_frgan({}), asked = run_frgan({"--help"}), briefly = run_frgan({"-h"});
  EXPECT_EQ(bare.code, 2);
  EXPECT_EQ(bare.out, "");
  EXPECT_EQ(asked.code, 0);
  EXPECT_EQ(asked.err, "");
  EXPECT_EQ(asked.out, bare.err);
  EXPECT_EQ(briefly.out, asked.out);
  for (const char* command : {"train", "evaluate", "predict", "generate", "bench", "data", "methods", "version"}) {
    EXPECT_THAT(asked.out, HasSubstr(fmt::format("\n  {:<10} ", command)));
  }
  EXPECT_THAT(asked.out, testing::Not(HasSubstr("options "))) << "a hidden command";
}

TEST_F(Program, EveryCommandHasHelp) {
  for (const auto& command : std::vector<std::vector<std::string>>{{"train"},
                                                                   {"bench"},
                                                                   {"data", "info"},
                                                                   {"data", "fetch"},
                                                                   {"data", "convert"},
                                                                   {"methods"},
                                                                   {"version"},
                                                                   {"options"}}) {
    std::vector<std::string> arguments = command;
    arguments.push_back("--help");
    const Outcome outcome = run_frgan(arguments);
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.err, "");
    EXPECT_THAT(outcome.out, StartsWith(fmt::format("Usage: frgan {}", fmt::join(command, " "))));
    EXPECT_THAT(outcome.out, HasSubstr("\n  --help\n"));
  }
  EXPECT_EQ(run_frgan({"data", "--help"}).code, 0);
}

TEST_F(Program, HelpShowsTheOptionsOfTheChosenMethod) {
  EXPECT_THAT(
      run_frgan({"train", "--help"}).out,
      HasSubstr("\n  --gen-loss WORD\n      The generator's loss: the paper's, repaired, is nonsaturating (A8). "
                "Default: nonsaturating; allowed: nonsaturating, saturating, feature_matching, fm+ns.\n"));
  EXPECT_THAT(run_frgan({"train", "--help", "--method", "supervised"}).out, testing::Not(HasSubstr("--gen-loss")));
  EXPECT_THAT(run_frgan({"train", "--help", "--preset=supervised"}).out, testing::Not(HasSubstr("--gen-loss")));
}

TEST_F(Program, PrintedConfigCanBeGivenBack) {
  const Outcome first = run_frgan({"train", "--preset", "fr-gan-fm", "--width=0.1", "--seed", "9223372036854775807",
                                   "--augmentation", "translate:2,noise:0.15", "--data-dir", "a \"quoted\" \\ folder",
                                   "--epsilon", "1e-12", "--no-train-gain", "--print-config"});
  EXPECT_EQ(first.code, 0);
  EXPECT_EQ(first.err, "");
  const Outcome second = run_frgan({"train", "--config", write("printed.toml", first.out), "--print-config"});
  EXPECT_EQ(second.err, "");
  EXPECT_EQ(second.out, first.out);
  for (const char* line : {"gen-loss = \"feature_matching\"", "width = 0.1", "seed = 9223372036854775807",
                           "augmentation = [\"translate:2\",\"noise:0.15\"]", "epsilon = 1e-12", "train-gain = false",
                           R"(data-dir = "a \"quoted\" \\ folder")"}) {
    EXPECT_THAT(first.out, HasSubstr(fmt::format("\n{}\n", line)));
  }
  EXPECT_THAT(first.out, testing::Not(HasSubstr("print-config")));
}

TEST_F(Program, CommandLineWinsOverConfigOverPresetOverDefault) {
  const std::string config = write("my.toml", "labels = 500\nseed = 7\n");
  const std::string all =
      run_frgan({"train", "--seed=8", "--config", config, "--preset=fr-gan-no-se", "--print-config"}).out;
  EXPECT_THAT(all, HasSubstr("\nseed = 8\n")) << "typed, though the config says 7";
  EXPECT_THAT(all, HasSubstr("\nlabels = 500\n")) << "of the config, though the preset says 1000";
  EXPECT_THAT(all, HasSubstr("\nse-position = \"none\"\n")) << "of the preset";
  EXPECT_THAT(all, HasSubstr("\nsplit-seed = 1\n")) << "a default";
  const std::string supervised =
      run_frgan({"train", "--config", write("s.toml", "method = \"supervised\"\n"), "--print-config"}).out;
  EXPECT_THAT(supervised, HasSubstr("method = \"supervised\"\n"));
  EXPECT_THAT(supervised, testing::Not(HasSubstr("gen-loss")));
}

TEST_F(Program, WrongConfigFilesAreNamedWithLineAndColumn) {
  const auto error_of = [&](std::string_view text) {
    const Outcome outcome = run_frgan({"train", "--config", write("my.toml", text), "--print-config"});
    EXPECT_EQ(outcome.code, 2) << text;
    EXPECT_EQ(outcome.out, "") << text;
    return outcome.err;
  };
  const std::string at = fmt::format("frgan: {}/my.toml", folder.string());
  EXPECT_EQ(error_of("seed = 1\nlables = 5\n"), at + ":2:1: 'lables' is no option; did you mean labels?\n");
  EXPECT_EQ(error_of("  labels = 2.5\n"), at + ":1:3: labels: got 2.5, expected a whole number, 0 to 1000000000\n");
  EXPECT_EQ(error_of("width = inf\n"), at + ":1:1: width: got inf, expected a finite number, 0.015625 to 8\n");
  EXPECT_EQ(error_of("method = \"supervised\"\ngen-loss = \"saturating\"\n"),
            at + ":2:1: 'gen-loss' belongs to the method fr-gan, not to this run\n");
  EXPECT_EQ(error_of("resume = \"runs/1\"\n"), at + ":1:1: 'resume' can only be typed, as --resume\n");
  EXPECT_EQ(error_of("method = 3\n"), at + ":1:1: method: got 3, expected a text\n");
  EXPECT_THAT(error_of("labels = 010\n"), StartsWith(at + ":1:"));
  EXPECT_THAT(error_of("[fr-gan]\nlabels = 1\n"), StartsWith(at + ":1:2: a [heading]"));
}

TEST_F(Program, FilesThatCannotBeReadEndWithCode1) {
  for (const std::string& file : {(folder / "missing.toml").string(), folder.string()}) {
    const Outcome outcome = run_frgan({"train", "--config", file});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.err, StartsWith("frgan: " + file));
    EXPECT_THAT(outcome.err, testing::EndsWith("\n"));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1);
  }
}

TEST_F(Program, OutputThatCannotBeWrittenIsAnError) {
  // The shell opens the device that is always full.
  const std::string command = fmt::format("{} methods > /dev/full 2> {}/err", FRGAN_PROGRAM, folder.string());
  const int status = std::system(command.c_str());
  EXPECT_EQ(WEXITSTATUS(status), 1);
  std::stringstream err;
  err << std::ifstream(folder / "err").rdbuf();
  EXPECT_EQ(err.str(), "frgan: the output could not be written; is the disk full?\n");
}

TEST_F(Program, DataIsLookedAtAndConverted) {
  const fs::path idx = folder / "mnist";
  fs::create_directories(idx);
  for (const auto& [role, count] : {std::pair{"train", 3}, {"t10k", 2}}) {
    const auto number = [](int value) { return std::string{'\0', '\0', '\0', static_cast<char>(value)}; };
    std::ofstream(idx / (std::string(role) + "-images-idx3-ubyte"), std::ios::binary)
        << std::string{'\0', '\0', '\x08', '\x03'} << number(count) << number(28) << number(28)
        << std::string(static_cast<size_t>(count) * 28 * 28, '\x55');
    std::ofstream(idx / (std::string(role) + "-labels-idx1-ubyte"), std::ios::binary)
        << std::string{'\0', '\0', '\x08', '\x01'} << number(count) << std::string(static_cast<size_t>(count), '\x07');
  }
  const std::vector<std::string> here = {"FRGAN_DATA=" + folder.string()};
  const Outcome info = run_frgan({"data", "info", "--data=mnist"}, here);
  EXPECT_EQ(info.code, 0) << info.err;
  EXPECT_THAT(info.out, testing::HasSubstr("        3         2  7\n"));
  EXPECT_THAT(info.out, testing::HasSubstr("        3         2  in all\n"));

  const std::string file = (folder / "one.safetensors").string();
  EXPECT_EQ(run_frgan({"data", "convert", "--data=mnist", file}, here).code, 0);
  const Outcome converted = run_frgan({"data", "info", "--data", file}, here);
  EXPECT_EQ(converted.code, 0) << converted.err;
  const auto counts = [](const std::string& text) { return text.substr(text.find("\nimages")); };
  EXPECT_EQ(counts(converted.out), counts(info.out));
  EXPECT_THAT(run_frgan({"data", "convert", "--data=mnist", file}, here).err, testing::HasSubstr("is already there"));
  EXPECT_THAT(run_frgan({"data", "--help"}).out, testing::HasSubstr("fashion-mnist"));
}

TEST_F(Program, VersionNamesWhatDecidesTheSpeed) {
  const Outcome outcome = run_frgan({"--version"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out,
              testing::MatchesRegex("frgan [0-9]+\\.[0-9]+\\.[0-9]+ \\([0-9a-z-]+\\)\nLibTorch +[0-9].*\nprocessor .*\n"
                                    "kernels .*\nbf16 .*\nBLAS .*\nGPU .*\n"));
  EXPECT_EQ(run_frgan({"version"}).out, outcome.out);
}

TEST_F(Program, MethodsListsMethodsAndPresets) {
  const std::string out = run_frgan({"methods"}).out;
  for (const char* name : {"fr-gan", "supervised", "fr-gan-no-se", "fr-gan-no-consistency", "gan", "fr-gan-fm"}) {
    EXPECT_THAT(out, HasSubstr(fmt::format("\n  {} ", name)));
  }
}

TEST_F(Program, OptionsPageIsNotStale) {
  std::stringstream page;
  page << std::ifstream(FRGAN_SOURCE_DIR "/docs/options.md").rdbuf();
  EXPECT_TRUE(run_frgan({"options", "--markdown"}).out == page.str())
      << "write it anew: build/release/bin/frgan options --markdown > docs/options.md";
}

}  // namespace
}  // namespace frgan
