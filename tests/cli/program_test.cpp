// Tests of the frgan program as a child process: exit codes, use of stdout and stderr, one-line error messages.
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

struct InvalidCall {
  std::vector<std::string> arguments;
  std::string message;  // without "frgan: "
};

TEST_F(Program, InvalidCommandLinesExitWithCode2AndOneLine) {
  const InvalidCall calls[] = {
      {{"tarin"}, "unknown command 'tarin'; did you mean 'train'? ('frgan help' lists all commands)"},
      {{"train", "--lables", "5"}, "unknown option --lables; did you mean --labels?"},
      {{"train", "--steps=0x10"}, "invalid --steps '0x10': must be a whole number, 0 to 1000000000"},
      {{"train", "--learning-rate=nan"}, "invalid --learning-rate nan: must be a finite number, 0 to 10"},
      {{"train", "--seed", "1", "--seed", "2"}, "option --seed is given twice"},
      {{"train", "--gen-loss", "nonsaturatign"},
       "invalid --gen-loss 'nonsaturatign': must be one of nonsaturating, saturating, feature_matching, fm+ns; did you "
       "mean "
       "'nonsaturating'?"},
      {{"train", "--method", "fr-gam"},
       "unknown method 'fr-gam'; did you mean 'fr-gan'? (frgan methods lists them all)"},
      {{"train", "--method", "supervised", "--gen-loss", "saturating"},
       "option --gen-loss belongs to --method fr-gan, which this run does not use; remove it, or change --method"},
      {{"train", "--preset", "fr-gan-no-es"},
       "unknown preset 'fr-gan-no-es'; did you mean 'fr-gan-no-se'? (frgan methods lists them)"},
      {{"train", "--time-budget", "5"}, "--time-budget: invalid duration '5'; examples: 90s, 20m, 1h30m"},
      {{"train", "--data", "svhm"},
       "--data svhm: no such path, and not a built-in dataset; did you mean 'svhn'? built-in: svhn, mnist, "
       "fashion-mnist, folder, safetensors"},
      {{"train", "--network", "conv-larg"},
       "invalid --network 'conv-larg': must be one of table1, conv-large, wrn-28-2, mlp, resnet18, resnet50, "
       "efficientnet-lite0, convnext-tiny, vit-small-14; did you mean 'conv-large'?"},
      {{"train", "--optimizer", "sgdd"}, "invalid --optimizer 'sgdd': must be one of adam, sgd; did you mean 'sgd'?"},
      {{"train", "--network", "mlp", "--pooling", "max", "--steps", "5"},
       "--pooling has no effect on --network mlp; it belongs to: table1"},
      {{"train", "--momentum", "0.5", "--steps", "5"},
       "--momentum has no effect on --optimizer adam; remove it or choose --optimizer sgd"},
      {{"train", "--network", "wrn-28-2", "--steps", "5"},
       "--network wrn-28-2 cannot be combined with --method fr-gan: the batch statistics of wrn-28-2 would mix "
       "labeled, "
       "unlabeled and generated images; use --network table1 or mlp"},
      {{"train", "--strong-augmentation", "randaugment:99", "--steps", "5"},
       "--strong-augmentation: invalid augmentation 'randaugment:99'; N must be 1 to 8, as in randaugment:2"},
      {{"data", "show", "--policy", "stron", "-o", "a.png"},
       "unknown --policy 'stron'; known policies: noise, none, strong, weak; did you mean 'strong'?"},
      {{"data", "show"}, "invalid --output '': give a file name that ends in .png"},
      {{"train", "svhn"}, "unexpected argument 'svhn'; see frgan train --help"},
      {{"train", "--lr", "1"}, "unknown option --lr; did you mean --learning-rate?"},
      {{"evaluate", "--gpu"}, "unknown option --gpu; did you mean --device?"},
      {{"data", "inof"}, "unknown action 'inof'; did you mean 'info'?; available: info, fetch, convert, show"},
      {{"data", "fetch"},
       "missing argument; usage: frgan data fetch DATASET | encoder NETWORK; see frgan data fetch --help"},
  };
  for (const InvalidCall& call : calls) {
    const Outcome outcome = run_frgan(call.arguments);
    EXPECT_EQ(outcome.err, fmt::format("frgan: {}\n", call.message));
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }
}

TEST_F(Program, PrintsHelpWithoutCommand) {
  const Outcome bare = run_frgan({}), asked = run_frgan({"--help"}), briefly = run_frgan({"-h"});
  EXPECT_EQ(bare.code, 2);
  EXPECT_EQ(bare.out, "");
  EXPECT_EQ(asked.code, 0);
  EXPECT_EQ(asked.err, "");
  EXPECT_EQ(asked.out, bare.err);
  EXPECT_EQ(briefly.out, asked.out);
  EXPECT_EQ(run_frgan({"help"}).out, asked.out);
  EXPECT_EQ(run_frgan({"help", "data", "info"}).out, run_frgan({"data", "info", "--help"}).out);
  EXPECT_EQ(run_frgan({"help", "tarin"}).code, 2);
  for (const char* command : {"train", "evaluate", "predict", "generate", "bench", "data", "methods", "version"}) {
    EXPECT_THAT(asked.out, HasSubstr(fmt::format("\n  {:<10} ", command)));
  }
  EXPECT_THAT(asked.out, testing::Not(HasSubstr("\n  options "))) << "hidden command";
}

TEST_F(Program, EveryCommandHasHelp) {
  for (const auto& command : std::vector<std::vector<std::string>>{{"train"},
                                                                   {"bench"},
                                                                   {"data", "info"},
                                                                   {"data", "fetch"},
                                                                   {"data", "convert"},
                                                                   {"data", "show"},
                                                                   {"methods"},
                                                                   {"version"},
                                                                   {"options"}}) {
    std::vector<std::string> arguments = command;
    arguments.push_back("--help");
    const Outcome outcome = run_frgan(arguments);
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.err, "");
    EXPECT_THAT(outcome.out, StartsWith(fmt::format("Usage: frgan {}", fmt::join(command, " "))));
    EXPECT_THAT(outcome.out, HasSubstr("\n  -h, --help\n"));
  }
  EXPECT_EQ(run_frgan({"data", "--help"}).code, 0);
}

TEST_F(Program, HelpShowsOptionsOfChosenMethod) {
  EXPECT_THAT(
      run_frgan({"train", "--help"}).out,
      HasSubstr(
          "\n  --gen-loss WORD\n      Generator loss; nonsaturating is the paper's loss with its sign error fixed"));
  EXPECT_THAT(run_frgan({"train", "--help", "--method", "supervised"}).out, testing::Not(HasSubstr("--gen-loss")));
  EXPECT_THAT(run_frgan({"train", "--help", "--preset=supervised"}).out, testing::Not(HasSubstr("--gen-loss")));
}

TEST_F(Program, PrintedConfigRoundTrips) {
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

TEST_F(Program, PrecedenceIsCommandLineConfigPresetDefault) {
  const std::string config = write("my.toml", "labels = 500\nseed = 7\n");
  const std::string all =
      run_frgan({"train", "--seed=8", "--config", config, "--preset=fr-gan-no-se", "--print-config"}).out;
  EXPECT_THAT(all, HasSubstr("\nseed = 8\n")) << "the command line overrides the config file";
  EXPECT_THAT(all, HasSubstr("\nlabels = 500\n")) << "the config file overrides the preset";
  EXPECT_THAT(all, HasSubstr("\nse-position = \"none\"\n")) << "from the preset";
  EXPECT_THAT(all, HasSubstr("\nsplit-seed = 1\n")) << "default";
  const std::string supervised =
      run_frgan({"train", "--config", write("s.toml", "method = \"supervised\"\n"), "--print-config"}).out;
  EXPECT_THAT(supervised, HasSubstr("method = \"supervised\"\n"));
  EXPECT_THAT(supervised, testing::Not(HasSubstr("gen-loss")));
}

TEST_F(Program, ConfigErrorsNameLineAndColumn) {
  const auto error_of = [&](std::string_view text) {
    const Outcome outcome = run_frgan({"train", "--config", write("my.toml", text), "--print-config"});
    EXPECT_EQ(outcome.code, 2) << text;
    EXPECT_EQ(outcome.out, "") << text;
    return outcome.err;
  };
  const std::string at = fmt::format("frgan: {}/my.toml", folder.string());
  EXPECT_EQ(error_of("seed = 1\nlables = 5\n"), at + ":2:1: unknown option 'lables'; did you mean labels?\n");
  EXPECT_EQ(error_of("  labels = 2.5\n"), at + ":1:3: invalid labels 2.5: must be a whole number, 0 to 1000000000\n");
  EXPECT_EQ(error_of("width = inf\n"), at + ":1:1: invalid width inf: must be a finite number, 0.015625 to 8\n");
  EXPECT_EQ(error_of("method = \"supervised\"\ngen-loss = \"saturating\"\n"),
            at + ":2:1: option 'gen-loss' belongs to --method fr-gan, which this run does not use; remove it, or "
                 "change --method\n");
  EXPECT_EQ(error_of("resume = \"runs/1\"\n"),
            at + ":1:1: option 'resume' is allowed on the command line only, as --resume\n");
  EXPECT_EQ(error_of("method = 3\n"), at + ":1:1: invalid method 3: must be a text\n");
  EXPECT_THAT(error_of("labels = 010\n"), StartsWith(at + ":1:"));
  EXPECT_THAT(error_of("[fr-gan]\nlabels = 1\n"), StartsWith(at + ":1:2: a [heading]"));
}

TEST_F(Program, UnreadableFilesExitWithCode1) {
  for (const std::string& file : {(folder / "missing.toml").string(), folder.string()}) {
    const Outcome outcome = run_frgan({"train", "--config", file});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.err, StartsWith("frgan: " + file));
    EXPECT_THAT(outcome.err, testing::EndsWith("\n"));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1);
  }
}

TEST_F(Program, ReportsFailedOutput) {
  // Writing to /dev/full always fails with ENOSPC.
  const std::string command = fmt::format("{} methods > /dev/full 2> {}/err", FRGAN_PROGRAM, folder.string());
  const int status = std::system(command.c_str());
  EXPECT_EQ(WEXITSTATUS(status), 1);
  std::stringstream err;
  err << std::ifstream(folder / "err").rdbuf();
  EXPECT_EQ(err.str(), "frgan: cannot write the output to stdout: No space left on device\n");
}

// The exit code of a shell command that begins with the program.
int code_of(const std::string& rest) {
  const int status = std::system(fmt::format("'{}' {}", FRGAN_PROGRAM, rest).c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST_F(Program, WorksWithoutStderr) {
  for (const char* stderr_text : {"2>&-", "2> /dev/full", "<&- 2>&-"}) {
    EXPECT_EQ(code_of(fmt::format("nonsense {}", stderr_text)), 2) << stderr_text;
    EXPECT_EQ(code_of(fmt::format("report {}/missing {}", folder.string(), stderr_text)), 1) << stderr_text;
    EXPECT_EQ(code_of(fmt::format("methods > /dev/null {}", stderr_text)), 0) << stderr_text;
  }
}

TEST_F(Program, OutOfMemoryNamesTheOptionsOfTheCommand) {
  const std::string errors = (folder / "errors").string();
  const std::string limited = "ulimit -v 8000000; ";  // KiB; the images alone would take nearly four times as much
  const int status = std::system(
      fmt::format("{}'{}' bench --threads 1 --images 10000000 2> '{}'", limited, FRGAN_PROGRAM, errors).c_str());
  EXPECT_EQ(WEXITSTATUS(status), 1);
  EXPECT_THAT(text_of(errors), StartsWith("frgan: out of memory: reduce --batch-size, --width or --images: "));
}

TEST_F(Program, ClosedStdoutIsAnErrorExceptForUnattendedCommands) {
  const std::string quietly = fmt::format(" 2> {}/err", folder.string());
  for (const char* stdout_text : {">&-", "> /dev/full"}) {
    EXPECT_EQ(code_of("methods " + (stdout_text + quietly)), 1) << stdout_text;
    EXPECT_EQ(code_of("reproduce table1 --dry-run " + (stdout_text + quietly)), 1) << stdout_text;
    EXPECT_EQ(code_of(fmt::format("reproduce table1 --output {}/tables {}", folder.string(), stdout_text)), 0);
  }
  EXPECT_TRUE(fs::exists(folder / "tables/table1.md"));
}

TEST_F(Program, DataInfoAgreesWithConvertedFile) {
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
  EXPECT_THAT(info.out, testing::HasSubstr("        3         2  total\n"));

  const std::string file = (folder / "one.safetensors").string();
  EXPECT_EQ(run_frgan({"data", "convert", "--data=mnist", file}, here).code, 0);
  const Outcome converted = run_frgan({"data", "info", "--data", file}, here);
  EXPECT_EQ(converted.code, 0) << converted.err;
  const auto counts = [](const std::string& text) { return text.substr(text.find("\nimages")); };
  EXPECT_EQ(counts(converted.out), counts(info.out));
  EXPECT_THAT(run_frgan({"data", "convert", "--data=mnist", file}, here).err, testing::HasSubstr("already exists"));
  EXPECT_THAT(run_frgan({"data", "--help"}).out, testing::HasSubstr("fashion-mnist"));

  const std::string grid = (folder / "grid.png").string();
  const Outcome shown = run_frgan({"data", "show", "--data", file, "--views=4", "-o", grid}, here);
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_EQ(shown.out, grid + "\n");
  EXPECT_GT(fs::file_size(grid), 100U);
}

TEST_F(Program, VersionShowsBuildAndHardware) {
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
  for (const char* name : {"fr-gan", "supervised", "mean-teacher", "fixmatch", "conv-large", "wrn-28-2", "mlp",
                           "fr-gan-no-se", "fr-gan-no-consistency", "gan", "fr-gan-fm"}) {
    EXPECT_THAT(out, HasSubstr(fmt::format("\n  {} ", name)));
  }
}

TEST_F(Program, OptionsPageIsUpToDate) {
  std::stringstream page;
  page << std::ifstream(FRGAN_SOURCE_DIR "/docs/options.md").rdbuf();
  EXPECT_TRUE(run_frgan({"options"}).out == page.str())
      << "docs/options.md is out of date; run: build/release/bin/frgan options > docs/options.md";
}

}  // namespace
}  // namespace frgan
