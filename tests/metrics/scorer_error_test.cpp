#include "frgan/metrics/scorer_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

using testing::HasSubstr;

// The warnings and notes about a scorer.
std::string judgment_of(const std::filesystem::path& scorer) {
  std::string text;
  Messages messages;
  messages.warning = [&](const std::string& line) { text += "warning: " + line; };
  messages.note = [&](const std::string& line) { text += "note: " + line; };
  judge_scorer(scorer, messages);
  return text;
}

TEST(ScorerError, IsThatOfTheRun) {
  const TemporaryFolder folder;
  const std::filesystem::path run = folder.path(), checkpoint = run / "checkpoints/step-00000002";
  ensure_directory(checkpoint);
  write_file_safely(checkpoint / "state.json", "{}");
  EXPECT_THAT(judgment_of(run), HasSubstr("note: scorer " + run.string() + ": its test error is unknown"));
  write_file_safely(run / "summary.json", R"({"test": {"step": 2, "test_error": 0.54, "images": 10}})");
  EXPECT_EQ(scorer_test_error(run), 0.54);
  EXPECT_EQ(scorer_test_error(checkpoint), 0.54);
  EXPECT_EQ(scorer_test_error(checkpoint / ""), 0.54);
  EXPECT_THAT(judgment_of(run),
              HasSubstr("warning: scorer " + run.string() + " has a test error of 54 %; scores are "));
  write_file_safely(run / "summary.json", R"({"test": {"step": 2, "test_error": 0.2, "images": 10}})");
  EXPECT_EQ(judgment_of(run), "");
}

TEST(ScorerError, IsUnknownWithoutTestImages) {
  const TemporaryFolder folder;
  write_file_safely(folder / "summary.json", R"({"test": null})");
  EXPECT_FALSE(scorer_test_error(folder.path()).has_value());
  write_file_safely(folder / "summary.json", "damaged");
  EXPECT_FALSE(scorer_test_error(folder.path()).has_value());
  EXPECT_FALSE(scorer_test_error(folder / "scorer.pt").has_value());
}

}  // namespace
}  // namespace frgan
