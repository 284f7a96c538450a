#include "frgan/io/json_lines.h"

#include <cmath>

#include <gmock/gmock.h>

#include "file_size_limit.h"
#include "frgan/core/json.h"
#include "frgan/io/files.h"
#include "temporary_folder.h"

namespace frgan {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(JsonLines, WriteAndReadRoundTrip) {
  const TemporaryFolder folder;
  {
    JsonLinesWriter writer(folder / "a.jsonl");
    writer.write({{"step", 1}, {"loss", 0.1}});
    writer.write({{"text", "a\nb\xff"}, {"loss", std::nan("")}});
  }
  JsonLinesWriter(folder / "a.jsonl").write({{"step", 2}});
  EXPECT_EQ(read_file(folder / "a.jsonl"),
            "{\"step\":1,\"loss\":0.1}\n{\"text\":\"a\\nb\xef\xbf\xbd\",\"loss\":null}\n{\"step\":2}\n");
  const auto lines = read_json_lines(folder / "a.jsonl");
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].at("loss"), 0.1);
  EXPECT_EQ(lines[2].at("step"), 2);
}

TEST(JsonLines, LineIsVisibleImmediately) {
  const TemporaryFolder folder;
  JsonLinesWriter writer(folder / "a.jsonl");
  writer.write({{"step", 1}});
  EXPECT_EQ(read_json_lines(folder / "a.jsonl").size(), 1U);
}

TEST(JsonLines, TruncatedLastLineIsSkippedAndRemoved) {
  const TemporaryFolder folder;
  write_file_safely(folder / "a.jsonl", std::string_view("{\"step\":1}\n{\"step\":2"));
  EXPECT_EQ(read_json_lines(folder / "a.jsonl").size(), 1U);
  JsonLinesWriter(folder / "a.jsonl").write({{"step", 3}});
  EXPECT_EQ(read_file(folder / "a.jsonl"), "{\"step\":1}\n{\"step\":3}\n");
  write_file_safely(folder / "a.jsonl", std::string_view("{\"st"));
  EXPECT_THAT(read_json_lines(folder / "a.jsonl"), IsEmpty());
  JsonLinesWriter(folder / "a.jsonl").write({{"step", 3}});
  EXPECT_EQ(read_file(folder / "a.jsonl"), "{\"step\":3}\n");
}

TEST(JsonLines, ReportsInvalidLines) {
  const TemporaryFolder folder;
  const auto refusal = [&](std::string_view text) {
    write_file_safely(folder / "a.jsonl", text);
    return error_of([&] { read_json_lines(folder / "a.jsonl"); });
  };
  EXPECT_THAT(refusal("{}\n{\"step\"\n{}\n"), HasSubstr("a.jsonl: line 2 is not a JSON object: \"{\\\"step\\\"\""));
  EXPECT_THAT(refusal("\n"), HasSubstr("line 1 is not a JSON object"));
  EXPECT_THAT(refusal("[1]\n"), HasSubstr("line 1 is not a JSON object"));
  EXPECT_THAT(error_of([&] { read_json_lines(folder / "none"); }), HasSubstr("none: cannot read"));
  EXPECT_THAT(error_of([&] { JsonLinesWriter writer(folder.path()); }), HasSubstr("cannot write: Is a directory"));
  EXPECT_THAT(error_of([&] { JsonLinesWriter writer(folder.path() / "a.jsonl" / "b"); }),
              HasSubstr("cannot write: Not a directory"));
}

TEST(JsonLines, TruncateRemovesLinesAfterTheStep) {
  const TemporaryFolder folder;
  const std::string kept = "{\"event\":\"start\"}\n{\"step\":5,\"x\":1.50}\n{\"step\":10}\n";
  write_file_safely(folder / "a.jsonl", kept + "{\"step\":11}\n{\"step\":1000}\n{\"st");
  truncate_json_lines(folder / "a.jsonl", 10);
  EXPECT_EQ(read_file(folder / "a.jsonl"), kept);
  truncate_json_lines(folder / "a.jsonl", 0);
  EXPECT_EQ(read_file(folder / "a.jsonl"), "{\"event\":\"start\"}\n");
  truncate_json_lines(folder / "none.jsonl", 10);
  EXPECT_EQ(folder.count(), 1);
}

TEST(JsonLines, FullDiskLeavesNoPartialLine) {
  const TemporaryFolder folder;
  JsonLinesWriter writer(folder / "a.jsonl");
  writer.write({{"step", 1}});
  {
    const FileSizeLimit limit(20);
    EXPECT_THAT(error_of([&] {
                  writer.write({{"text", "longer than the limit"}});
                }),
                HasSubstr("a.jsonl: cannot write: No space left on device"));
  }
  EXPECT_EQ(read_file(folder / "a.jsonl"), "{\"step\":1}\n");
  writer.write({{"step", 2}});
  EXPECT_EQ(read_json_lines(folder / "a.jsonl").size(), 2U);
}

}  // namespace
}  // namespace frgan
