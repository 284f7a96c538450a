#include "frgan/io/png_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "frgan/io/files.h"
#include "temporary_folder.h"

namespace frgan {
namespace {

using testing::HasSubstr;

std::string header_of(uint8_t width, uint8_t height, uint8_t color_type) {
  std::string text(
      "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0w\0\0\0h\x08"
      "c\0\0\0",
      29);
  text[19] = static_cast<char>(width);
  text[23] = static_cast<char>(height);
  text[25] = static_cast<char>(color_type);
  return text;
}

TEST(PngHeader, ReadsSizeAndChannels) {
  const PngHeader header = read_png_header(bytes_of(header_of(10, 20, 2)), "a.png");
  EXPECT_EQ(header.width, 10);
  EXPECT_EQ(header.height, 20);
  EXPECT_EQ(header.channels, 3);
  EXPECT_EQ(read_png_header(bytes_of(header_of(10, 20, 0)), "a.png").channels, 1);
}

TEST(PngHeader, RejectsOtherFiles) {
  const std::string good = header_of(10, 20, 2);
  for (const std::string& wrong : {std::string(), good.substr(0, 28), "X" + good}) {
    EXPECT_THAT(error_of([&] { read_png_header(bytes_of(wrong), "a.png"); }), HasSubstr("a.png: not a PNG file"));
  }
  EXPECT_THAT(error_of([&] { read_png_header(bytes_of(header_of(0, 20, 2)), "a.png"); }),
              HasSubstr("invalid PNG size 0 x 20"));
}

}  // namespace
}  // namespace frgan
