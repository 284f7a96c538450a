#include "frgan/io/json_lines.h"

#include <cmath>
#include <string>
#include <string_view>

#include <gmock/gmock.h>

#include "file_size_limit.h"
#include "frgan/core/json.h"
#include "frgan/io/files.h"
#include "temporary_folder.h"

namespace frgan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kStep1 = "{\"step\":1,\"crc32c\":\"04e7de71\"}\n";
constexpr std::string_view kStep2 = "{\"step\":2,\"crc32c\":\"300076e8\"}\n";
constexpr std::string_view kStep3 = "{\"step\":3,\"crc32c\":\"23a2ee9f\"}\n";

TEST(JsonLines, WriteAndReadRoundTrip) {
  const TemporaryFolder folder;
  {
    JsonLinesWriter writer(folder / "a.jsonl");
    writer.write({{"step", 1}, {"loss", 0.1}});
    writer.write({{"text", "a\nb\xff"}, {"loss", std::nan("")}});
    writer.sync();
  }
  JsonLinesWriter(folder / "a.jsonl").write({{"step", 2}});
  EXPECT_EQ(read_file(folder / "a.jsonl"),
            "{\"step\":1,\"loss\":0.1,\"crc32c\":\"ce8b8054\"}\n"
            "{\"text\":\"a\\nb\xef\xbf\xbd\",\"loss\":null,\"crc32c\":\"c6b1698d\"}\n" +
                std::string(kStep2));
  const JsonLines lines = read_json_lines(folder / "a.jsonl");
  ASSERT_EQ(lines.objects.size(), 3U);
  EXPECT_EQ(lines.objects[0].dump(), "{\"step\":1,\"loss\":0.1}");
  EXPECT_EQ(lines.objects[2].at("step"), 2);
  EXPECT_THAT(lines.damaged, IsEmpty());
}

TEST(JsonLines, LineIsVisibleImmediately) {
  const TemporaryFolder folder;
  JsonLinesWriter writer(folder / "a.jsonl");
  writer.write({{"step", 1}});
  EXPECT_EQ(read_json_lines(folder / "a.jsonl").objects.size(), 1U);
}

TEST(JsonLines, TruncatedLastLineIsSkippedAndRemoved) {
  const TemporaryFolder folder;
  write_file_safely(folder / "a.jsonl", std::string(kStep1) + "{\"step\":2");
  EXPECT_EQ(read_json_lines(folder / "a.jsonl").objects.size(), 1U);
  JsonLinesWriter(folder / "a.jsonl").write({{"step", 3}});
  EXPECT_EQ(read_file(folder / "a.jsonl"), std::string(kStep1) + std::string(kStep3));
  write_file_safely(folder / "a.jsonl", std::string_view("{\"st"));
  EXPECT_THAT(read_json_lines(folder / "a.jsonl").objects, IsEmpty());
  JsonLinesWriter(folder / "a.jsonl").write({{"step", 3}});
  EXPECT_EQ(read_file(folder / "a.jsonl"), kStep3);
}

TEST(JsonLines, OlderFilesHaveNoChecksums) {
  const TemporaryFolder folder;
  write_file_safely(folder / "a.jsonl", std::string_view("{\"step\": 1}\n{\"step\"\n[1]\n\n{\"step\":2}\n"));
  const JsonLines lines = read_json_lines(folder / "a.jsonl");
  EXPECT_EQ(lines.objects.size(), 2U);
  EXPECT_THAT(lines.damaged, ElementsAre(2, 3, 4));
  // A run that continues such a file adds checksums, so that a later reader does not take these lines for damaged ones.
  const RepairedLines repaired = repair_json_lines(folder / "a.jsonl", 2);
  EXPECT_EQ(repaired.kept.size(), 2U);
  EXPECT_EQ(repaired.damaged, 3);
  EXPECT_EQ(read_file(folder / "a.jsonl"), std::string(kStep1) + std::string(kStep2));
  EXPECT_EQ(read_file(folder / "a.jsonl.damaged"), "{\"step\"\n[1]\n\n");
}

// Every change of one byte makes its line damaged and leaves the other lines intact. A changed line break joins or cuts
// lines.
TEST(JsonLines, FindsEveryChangedByte) {
  const TemporaryFolder folder;
  const std::string whole = std::string(kStep1) + std::string(kStep2) + std::string(kStep3);
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const char changed : {'\0', '\n', ' ', '9', static_cast<char>(whole[i] ^ 1)}) {
      std::string text = whole;
      text[i] = changed;
      if (text == whole) continue;
      write_file_safely(folder / "a.jsonl", text);
      const JsonLines lines = read_json_lines(folder / "a.jsonl");
      EXPECT_LE(lines.objects.size(), 2U) << text;
      EXPECT_GE(lines.objects.size(), 1U) << text;
      for (const Json& object : lines.objects) EXPECT_LE(object.at("step").get<int64_t>(), 3) << text;
    }
  }
}

TEST(JsonLines, ReportsUnusablePaths) {
  const TemporaryFolder folder;
  write_file_safely(folder / "a.jsonl", kStep1);
  EXPECT_THAT(error_of([&] { read_json_lines(folder / "none"); }), HasSubstr("none: cannot read"));
  EXPECT_THAT(error_of([&] { JsonLinesWriter writer(folder.path()); }), HasSubstr("cannot write: Is a directory"));
  EXPECT_THAT(error_of([&] { JsonLinesWriter writer(folder.path() / "a.jsonl" / "b"); }),
              HasSubstr("cannot write: Not a directory"));
}

TEST(JsonLines, RepairRemovesLinesAfterTheStep) {
  const TemporaryFolder folder;
  const std::string start = "{\"event\":\"start\",\"crc32c\":\"0fae4950\"}\n";
  const std::string kept = start + "{\"step\":10,\"crc32c\":\"20118748\"}\n";
  {
    JsonLinesWriter writer(folder / "a.jsonl");
    writer.write({{"event", "start"}});
    writer.write({{"step", 10}});
    writer.write({{"step", 11}});
  }
  EXPECT_EQ(repair_json_lines(folder / "a.jsonl", 10).kept.size(), 2U);
  EXPECT_EQ(read_file(folder / "a.jsonl"), kept);
  EXPECT_EQ(repair_json_lines(folder / "a.jsonl", 0).kept.size(), 1U);
  EXPECT_EQ(read_file(folder / "a.jsonl"), start);
  EXPECT_EQ(repair_json_lines(folder / "none.jsonl", 10).kept.size(), 0U);
  EXPECT_EQ(folder.count(), 1);
}

TEST(JsonLines, FullDiskLeavesNoPartialLine) {
  const TemporaryFolder folder;
  JsonLinesWriter writer(folder / "a.jsonl");
  writer.write({{"step", 1}});
  {
    const FileSizeLimit limit(40);
    EXPECT_THAT(error_of([&] {
                  writer.write({{"text", "longer than the limit"}});
                }),
                HasSubstr("a.jsonl: cannot write: No space left on device"));
  }
  EXPECT_EQ(read_file(folder / "a.jsonl"), kStep1);
  writer.write({{"step", 2}});
  EXPECT_EQ(read_json_lines(folder / "a.jsonl").objects.size(), 2U);
}

}  // namespace
}  // namespace frgan
