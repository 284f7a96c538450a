// A fixture with two tiny runs, for tests of commands that use a trained network.
#pragma once

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../io/temporary_folder.h"
#include "frgan/io/files.h"
#include "frgan/io/image_file.h"
#include "program.h"

namespace frgan {

constexpr int64_t kSide = 16;

// Draws an image of one color with a pattern that depends on `number`.
inline void draw(const std::filesystem::path& path, int red, int green, int number) {
  std::filesystem::create_directories(path.parent_path());
  std::vector<uint8_t> pixels;
  for (int i = 0; i < kSide * kSide; ++i) {
    const int shade = i * (number + 3) * 7 % 64;
    for (const int channel : {red, green, 100}) pixels.push_back(static_cast<uint8_t>(channel - shade));
  }
  write_png(path, pixels, kSide, kSide, 3);
}

// Trains an fr-gan run and a supervised run on 16 x 16 images of two classes, once per suite. The program runs in the
// folder that contains them: "fr-gan", "supervised", and the images in "data".
class TinyRuns : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder = std::make_unique<TemporaryFolder>();
    before = std::filesystem::current_path();
    std::filesystem::current_path(folder->path());  // the program is given relative paths
    for (int i = 0; i < 8; ++i) {
      draw(*folder / fmt::format("data/train/ant/{}.png", i), 230, 90, i);
      draw(*folder / fmt::format("data/train/bee/{}.png", i), 90, 230, i);
    }
    for (int i = 0; i < 5; ++i) {
      draw(*folder / fmt::format("data/test/ant/{}.png", i), 230, 90, i + 20);
      draw(*folder / fmt::format("data/test/bee/{}.png", i), 90, 230, i + 20);
    }
    train("fr-gan", {"--gen-width", "8"});
    train("supervised", {});
  }
  static void TearDownTestSuite() {
    std::filesystem::current_path(before);
    folder.reset();
  }

  static void train(const std::string& method, const std::vector<std::string>& more) { train(method, method, more); }
  static void train(const std::string& name, const std::string& method, const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"train", "--method",        method,   "--run",        name,   "--data",
                                       "data",  "--width",         "0.0625", "--steps",      "2",    "--threads",
                                       "1",     "--image-size",    "16",     "--batch-size", "4",    "--seed",
                                       "3",     "--init-images",   "8",      "--precision",  "fp32", "--dev-images",
                                       "4",     "--learning-rate", "0.01"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run(arguments);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }
  static Outcome run(const std::vector<std::string>& arguments) { return run_frgan(arguments, {"OMP_NUM_THREADS=1"}); }
  static nlohmann::json json_of(const std::vector<std::string>& arguments) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return nlohmann::json::parse(outcome.out);
  }
  static std::string text_of(const std::string& name) { return read_file(*folder / name); }
  // Expects exit code `code`, one line on stderr and nothing on stdout. Returns the line.
  static std::string refusal(const std::vector<std::string>& arguments, int code) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    return outcome.err;
  }

  static inline std::unique_ptr<TemporaryFolder> folder;
  static inline std::filesystem::path before;
};

}  // namespace frgan
