#include "frgan/io/checkpoint_files.h"

#include <chrono>
#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file_size_limit.h"
#include "frgan/io/files.h"
#include "temporary_folder.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

CheckpointPart part(const std::string& name, std::string text) {
  return {name, [text = std::move(text)](const fs::path& path) { write_file_safely(path, text); }};
}

// Writes the checkpoint of `step` with two files; the second has `size` bytes.
void write_step(const fs::path& folder, int64_t step, size_t size = 10) {
  write_checkpoint(folder / checkpoint_name(step),
                   {part("state.json", fmt::format("{{\"step\":{}}}", step)), part("weights", std::string(size, 'w'))});
}

std::string newest_name(const fs::path& folder) {
  const auto newest = newest_whole_checkpoint(folder).newest;
  return newest ? newest->filename().string() : "";
}

TEST(CheckpointFiles, ConvertsBetweenNamesAndSteps) {
  EXPECT_EQ(checkpoint_name(12000), "step-00012000");
  EXPECT_EQ(checkpoint_name(1'234'567'890), "step-1234567890");
  EXPECT_EQ(checkpoint_step("run/checkpoints/step-00012000"), 12000);
  EXPECT_EQ(checkpoint_step("step-1234567890"), 1'234'567'890);
  for (const char* name : {"step-12000", "step-00012000.partial", "step-", "step--0000001", "latest", "step-0x000001",
                           "step-99999999999999999999"})
    EXPECT_EQ(checkpoint_step(name), std::nullopt) << name;
}

TEST(CheckpointFiles, WrittenCheckpointVerifies) {
  const TemporaryFolder folder;
  write_step(folder.path(), 7);
  const fs::path checkpoint = folder / "step-00000007";
  verify_checkpoint(checkpoint);
  EXPECT_EQ(read_file(checkpoint / "state.json"), "{\"step\":7}");
  EXPECT_EQ(parse_manifest(read_file(checkpoint / "MANIFEST.json"), "m").at("weights").size, 10);
  EXPECT_EQ(folder.count(), 1);
}

TEST(CheckpointFiles, VerifyNamesTheDamagedFile) {
  const TemporaryFolder folder;
  const fs::path checkpoint = folder / "step-00000001";
  const auto message_after = [&](const auto& damage) {
    write_step(folder.path(), 1);
    damage();
    return error_of([&] { verify_checkpoint(checkpoint); });
  };
  EXPECT_THAT(message_after([&] { fs::resize_file(checkpoint / "weights", 9); }),
              HasSubstr("step-00000001/weights: wrong size: 9 bytes; expected 10; the checkpoint is corrupt"));
  EXPECT_THAT(message_after([&] { write_file_safely(checkpoint / "weights", std::string_view("wwwwwwwwwv")); }),
              HasSubstr("weights: SHA-256 differs from the manifest"));
  EXPECT_THAT(message_after([&] { fs::remove(checkpoint / "state.json"); }), HasSubstr("state.json: file is missing"));
  EXPECT_THAT(message_after([&] {
                fs::remove(checkpoint / "weights");
                fs::create_directory(checkpoint / "weights");
              }),
              HasSubstr("weights: cannot read: is a folder"));
  EXPECT_THAT(message_after([&] { fs::remove(checkpoint / "MANIFEST.json"); }),
              HasSubstr("MANIFEST.json: file is missing"));
  EXPECT_THAT(message_after([&] { fs::resize_file(checkpoint / "MANIFEST.json", 20); }),
              HasSubstr("MANIFEST.json: not JSON, or truncated"));
  EXPECT_THAT(message_after([&] { fs::remove_all(checkpoint); }), HasSubstr("not a checkpoint"));
}

TEST(CheckpointFiles, OnlyNamedFilesMustBeValid) {
  const TemporaryFolder folder;
  const fs::path checkpoint = folder / "step-00000001";
  write_step(folder.path(), 1);
  fs::remove(checkpoint / "weights");
  verify_checkpoint(checkpoint, {"state.json"});
  EXPECT_EQ(newest_whole_checkpoint(folder.path(), {"state.json"}).newest, checkpoint);
  EXPECT_EQ(newest_whole_checkpoint(folder.path(), {"state.json", "weights"}).newest, std::nullopt);
  EXPECT_EQ(newest_whole_checkpoint(folder.path()).newest, std::nullopt);
  EXPECT_THAT(error_of([&] {
                verify_checkpoint(checkpoint, {"state.json", "moments"});
              }),
              HasSubstr("MANIFEST.json: no entry for moments; the checkpoint is corrupt"));
  // Copied without the manifest: the named files must exist.
  fs::remove(checkpoint / "MANIFEST.json");
  verify_checkpoint(checkpoint, {"state.json"});
  EXPECT_THAT(error_of([&] {
                verify_checkpoint(checkpoint, {"state.json", "weights"});
              }),
              HasSubstr("weights: file is missing"));
}

TEST(CheckpointFiles, FindsTheNewestValidOneAndReportsCorruptOnes) {
  const TemporaryFolder folder;
  EXPECT_EQ(newest_whole_checkpoint(folder / "none").newest, std::nullopt);
  EXPECT_EQ(newest_name(folder.path()), "");
  for (const int64_t step : {9, 10, 100}) write_step(folder.path(), step);
  fs::create_directory(folder / "step-00000999.partial");
  fs::create_directory(folder / "other");
  EXPECT_EQ(newest_name(folder.path()), "step-00000100");
  fs::resize_file(folder.path() / "step-00000100" / "weights", 0);
  fs::remove(folder.path() / "step-00000010" / "MANIFEST.json");
  const CheckpointSearch search = newest_whole_checkpoint(folder.path());
  EXPECT_EQ(search.newest, folder / "step-00000009");
  EXPECT_THAT(search.refused, ElementsAre(HasSubstr("step-00000100/weights: wrong size: 0 bytes"),
                                          HasSubstr("step-00000010/MANIFEST.json: file is missing")));
}

TEST(CheckpointFiles, PruneKeepsTheLast) {
  const TemporaryFolder folder;
  for (const int64_t step : {1, 2, 3, 20}) write_step(folder.path(), step);
  fs::create_directory(folder / "step-00000004.partial");
  prune_checkpoints(folder.path(), 2);
  EXPECT_EQ(folder.count(), 2);
  verify_checkpoint(folder / "step-00000003");
  verify_checkpoint(folder / "step-00000020");
  prune_checkpoints(folder / "none", 2);
}

TEST(CheckpointFiles, ReplacesACheckpointOfTheSameName) {
  const TemporaryFolder folder;
  write_step(folder.path(), 1, 10);
  write_step(folder.path(), 1, 20);
  verify_checkpoint(folder / "step-00000001");
  EXPECT_EQ(read_file(folder.path() / "step-00000001" / "weights").size(), 20U);
  EXPECT_EQ(folder.count(), 1);
}

TEST(CheckpointFiles, FailedWriteLeavesNothing) {
  const TemporaryFolder folder;
  write_step(folder.path(), 1);
  const auto write_second = [&](const CheckpointPart& second) {
    return error_of([&] { write_checkpoint(folder / "step-00000002", {part("first", "1"), second}); });
  };
  EXPECT_EQ(write_second({"second", [](const fs::path&) { throw Error("weights are not finite"); }}),
            "weights are not finite");
  EXPECT_THAT(write_second({"second", [](const fs::path&) {}}), HasSubstr("second: cannot open: No such file"));
  for (const char* name : {"", ".", "..", "a/b", "/a", "MANIFEST.json"})
    EXPECT_THAT(write_second(part(name, "x")), HasSubstr("invalid name of a checkpoint file")) << name;
  EXPECT_EQ(folder.count(), 1);

  write_file_safely(folder / "file", std::string_view("x"));
  EXPECT_THAT(error_of([&] { write_step(folder / "file", 1); }), HasSubstr("file: cannot create the folder"));
  EXPECT_THAT(error_of([&] { write_checkpoint(folder / "file", {part("first", "1")}); }),
              HasSubstr("file: cannot write: Not a directory"));
  EXPECT_EQ(read_file(folder / "file"), "x");
}

TEST(CheckpointFiles, FullDiskKeepsTheOlderOne) {
  const TemporaryFolder folder;
  write_step(folder.path(), 1);
  {
    const FileSizeLimit limit(1000);
    EXPECT_THAT(error_of([&] { write_step(folder.path(), 2, 2000); }),
                HasSubstr("weights: cannot write: File too large"));
  }
  EXPECT_EQ(newest_name(folder.path()), "step-00000001");
  EXPECT_EQ(folder.count(), 1);
}

// In each round, a child process writes checkpoints in a loop, keeps two, and is killed after a random delay. The first
// checkpoint of a child replaces the last one of the previous child.
TEST(CheckpointFiles, SigkillAtAnyTimeLeavesAValidOne) {
  const TemporaryFolder folder;
  constexpr size_t kSize = 50'000;
  write_step(folder.path(), 1, kSize);
  const auto start = std::chrono::steady_clock::now();
  write_step(folder.path(), 1, kSize);
  const std::chrono::microseconds once =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);

  std::mt19937 random(1);
  std::uniform_int_distribution<useconds_t> delay(0, static_cast<useconds_t>(5 * once.count()));
  int64_t last = 1;
  // On a busy machine, more rounds are needed until the children have written enough.
  for (int round = 0; round < 25 || (last <= 6 && round < 500); ++round) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      for (int64_t step = last;; ++step) {
        write_step(folder.path(), step, kSize);
        prune_checkpoints(folder.path(), 2);
      }
    }
    ::usleep(delay(random));
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);

    const CheckpointSearch search = newest_whole_checkpoint(folder.path());
    ASSERT_TRUE(search.newest) << "round " << round;
    EXPECT_THAT(search.refused, IsEmpty());
    const int64_t step = *checkpoint_step(*search.newest);
    EXPECT_GE(step, last);
    last = step;
  }
  EXPECT_GT(last, 6) << "the children were killed before they could write, so nothing was tested";
  write_step(folder.path(), last + 1);
  prune_checkpoints(folder.path(), 2);
  EXPECT_EQ(folder.count(), 2);
}

TEST(CheckpointFiles, RejectsHostileManifests) {
  const std::string digest(64, 'a');
  const auto manifest = [&](std::string_view files) {
    return fmt::format(R"({{"format":"frgan checkpoint 1","files":{}}})", files);
  };
  const auto entry = [&](std::string_view name, std::string_view size, std::string_view sum) {
    return manifest(fmt::format(R"({{"{}":{{"size":{},"sha256":"{}"}}}})", name, size, sum));
  };
  EXPECT_EQ(parse_manifest(entry("a", "5", digest), "m").at("a").sha256, digest);
  const auto refusal = [](const std::string& text) { return error_of([&] { parse_manifest(text, "m"); }); };
  EXPECT_THAT(refusal(""), HasSubstr("m: not JSON, or truncated"));
  EXPECT_THAT(refusal("[]"), HasSubstr("not a manifest"));
  EXPECT_THAT(refusal(R"({"format":"frgan checkpoint 2","files":{}})"), HasSubstr("not a manifest"));
  EXPECT_THAT(refusal(R"({"format":"frgan checkpoint 1"})"), HasSubstr("no list of files"));
  EXPECT_THAT(refusal(manifest("{}")), HasSubstr("no list of files"));
  EXPECT_THAT(refusal(manifest("[1]")), HasSubstr("no list of files"));
  EXPECT_THAT(refusal(manifest(R"({"a":1})")), HasSubstr("invalid entry \"a\""));
  EXPECT_THAT(refusal(entry("../a", "5", digest)), HasSubstr("invalid entry \"../a\""));
  EXPECT_THAT(refusal(entry("..", "5", digest)), HasSubstr("invalid entry"));
  EXPECT_THAT(refusal(entry("", "5", digest)), HasSubstr("invalid entry"));
  EXPECT_THAT(refusal(entry("a\\u0000", "5", digest)), HasSubstr("invalid entry"));
  EXPECT_THAT(refusal(entry("a", "-5", digest)), HasSubstr("invalid entry"));
  EXPECT_THAT(refusal(entry("a", "18446744073709551615", digest)), HasSubstr("invalid entry"));
  EXPECT_THAT(refusal(entry("a", "5.0", digest)), HasSubstr("invalid entry"));
  EXPECT_THAT(refusal(entry("a", "5", "ABC")), HasSubstr("invalid entry"));
  EXPECT_THAT(refusal(manifest(std::string(100'000, '['))), HasSubstr("nested more than 64 levels deep"));
}

}  // namespace
}  // namespace frgan
