#include "frgan/io/json_file.h"

#include <gmock/gmock.h>

#include "frgan/io/files.h"
#include "temporary_folder.h"

namespace frgan {
namespace {

using ::testing::HasSubstr;

TEST(JsonFile, ReadsAnObject) {
  const TemporaryFolder folder;
  write_file_safely(folder / "a.json", std::string_view(R"({"images": 3})"));
  EXPECT_EQ(read_json_object(folder / "a.json").at("images"), 3);
}

TEST(JsonFile, ChecksumFindsEveryChange) {
  const TemporaryFolder folder;
  const std::string text = with_checksum({{"a", 0.1}, {"list", {1, 2, "x"}}}).dump(1);
  write_file_safely(folder / "a.json", text);
  EXPECT_EQ(read_json_object(folder / "a.json"), (Json{{"a", 0.1}, {"list", {1, 2, "x"}}}));
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ' || text[i] == '\n') continue;  // between values
    std::string changed = text;
    changed[i] = changed[i] == '1' ? '2' : '1';
    write_file_safely(folder / "a.json", changed);
    // A changed key of the checksum leaves an object without one.
    if (i >= text.rfind("crc32c") && i < text.rfind("crc32c") + 6) continue;
    EXPECT_THROW(read_json_object(folder / "a.json"), Error) << changed;
  }
}

TEST(JsonFile, NamesADamagedFile) {
  const TemporaryFolder folder;
  write_file_safely(folder / "a.json", std::string_view(R"({"images": 3, "crc32c": "00000000"})"));
  EXPECT_THAT(error_of([&] { read_json_object(folder / "a.json"); }),
              HasSubstr("a.json: checksum mismatch; the file is damaged or was edited"));
}

TEST(JsonFile, RejectsHostileFiles) {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& text) {
    write_file_safely(folder / "a.json", text);
    return error_of([&] { read_json_object(folder / "a.json"); });
  };
  EXPECT_THAT(refusal("[]"), HasSubstr("a.json: not a JSON object"));
  EXPECT_THAT(refusal(std::string(200'000, '[')), HasSubstr("a.json: not JSON, or truncated: nested more than 64"));
  std::filesystem::resize_file(folder / "a.json", uintmax_t{64} << 30);  // sparse
  EXPECT_THAT(error_of([&] { read_json_object(folder / "a.json"); }),
              HasSubstr("a.json: too large: 68719476736 bytes; at most 134217728 are allowed"));
}

}  // namespace
}  // namespace frgan
