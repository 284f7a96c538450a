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
