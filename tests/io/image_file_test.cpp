#include "frgan/io/image_file.h"

#include <algorithm>
#include <map>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include "frgan/io/files.h"
#include "temporary_folder.h"

namespace frgan {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::filesystem::path golden(const std::string& name) {
  return FRGAN_SOURCE_DIR "/tests/io/golden/" + name;
}

// The colors of a 2 x 2 RGB image, row by row: R, G, B, W (each channel within 8), or ? for others.
std::string color_letters(const std::vector<uint8_t>& pixels) {
  const std::map<char, std::vector<int>> known = {
      {'R', {255, 0, 0}}, {'G', {0, 255, 0}}, {'B', {0, 0, 255}}, {'W', {255, 255, 255}}};
  std::string names;
  for (size_t place = 0; place < pixels.size(); place += 3) {
    char found = '?';
    for (const auto& [letter, color] : known)
      if (std::equal(color.begin(), color.end(), pixels.begin() + static_cast<std::ptrdiff_t>(place),
                     [](int a, uint8_t b) { return std::abs(a - b) <= 8; }))
        found = letter;
    names += found;
  }
  return names;
}

std::string image_refusal(std::string_view bytes) {
  return error_of([&] { decode_image(bytes_of(bytes), 8, 3, "x"); });
}

std::string replaced(std::string text, size_t place, std::string_view by) {
  return text.replace(place, by.size(), by);
}

// What a call writes to stderr.
template <class Action>
std::string stderr_of(Action action) {
  ::testing::internal::CaptureStderr();
  action();
  return ::testing::internal::GetCapturedStderr();
}

TEST(ImageFile, WriteAndReadRoundTrip) {
  const TemporaryFolder folder;
  std::vector<uint8_t> pixels(4 * 4 * 3);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(5 * i);
  write_png(folder / "a.png", pixels, 4, 4, 3);
  EXPECT_EQ(read_image(folder / "a.png", 4, 3), pixels);
  pixels.resize(4 * 4);
  write_png(folder / "a.png", pixels, 4, 4, 1);
  EXPECT_EQ(read_image(folder / "a.png", 4, 1), pixels);
  EXPECT_EQ(folder.count(), 1);
}

TEST(ImageFile, ResizesByAreaAveraging) {
  const std::vector<uint8_t> pixels = {0, 10, 20, 30,  //
                                       0, 10, 20, 30};
  const std::string png = encode_png(pixels, 2, 4, 1);
  EXPECT_THAT(decode_image(bytes_of(png), 2, 1, "x"), ElementsAre(5, 25, 5, 25));
  EXPECT_THAT(decode_image(bytes_of(png), 1, 1, "x"), ElementsAre(15));
  EXPECT_THAT(decode_image(bytes_of(png), 4, 1, "x"),
              ElementsAre(0, 10, 20, 30, 0, 10, 20, 30, 0, 10, 20, 30, 0, 10, 20, 30));
  EXPECT_EQ(decode_pixels(bytes_of(png), 2, 4, 1, "x"), pixels);
}

TEST(ImageFile, ReadsWithoutRounding) {
  const TemporaryFolder folder;
  const std::vector<uint8_t> pixels = {0, 11, 20, 30};
  write_png(folder / "a.png", pixels, 2, 2, 1);
  EXPECT_THAT(read_unrounded_image(folder / "a.png", 1, 1), ElementsAre(15.25F));
  EXPECT_THAT(read_image(folder / "a.png", 1, 1), ElementsAre(15));
  EXPECT_THAT(read_unrounded_image(folder / "a.png", 2, 3), ElementsAre(0, 0, 0, 11, 11, 11, 20, 20, 20, 30, 30, 30));
  EXPECT_THAT(read_unrounded_image(folder / "a.png", 1, 1, ResizeRule::kOpenCvArea), ElementsAre(15));
}

// Checkpoints without a rule have that of OpenCV. In reductions, it differs by rounding only; enlargements differ.
TEST(ImageFile, KeepsTheRuleOfOldCheckpoints) {
  std::vector<uint8_t> pixels(int64_t{50} * 70 * 3);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * i * 7919 >> 5);
  const std::string png = encode_png(pixels, 50, 70, 3);
  const auto by_rule = [&](int64_t size, int64_t channels, ResizeRule rule) {
    return decode_image(bytes_of(png), size, channels, "x", rule);
  };
  for (const int64_t channels : {1, 3}) {
    const auto by_area = by_rule(24, channels, ResizeRule::kArea),
               by_opencv = by_rule(24, channels, ResizeRule::kOpenCvArea);
    for (size_t i = 0; i < by_area.size(); ++i) EXPECT_NEAR(by_area[i], by_opencv[i], channels == 3 ? 1 : 2) << i;
  }
  const auto larger = by_rule(96, 3, ResizeRule::kArea), by_opencv = by_rule(96, 3, ResizeRule::kOpenCvArea);
  EXPECT_NE(larger, by_opencv);
  EXPECT_EQ(decode_pixels(bytes_of(png), 50, 70, 3, "x"),
            decode_pixels(bytes_of(png), 50, 70, 3, "x", ResizeRule::kOpenCvArea));
}

TEST(ImageFile, ConvertsBetweenGrayAndRgb) {
  const std::vector<uint8_t> gray = {7};
  EXPECT_THAT(decode_image(bytes_of(encode_png(gray, 1, 1, 1)), 1, 3, "x"), ElementsAre(7, 7, 7));
  const std::vector<uint8_t> red = {255, 0, 0};  // weight 0.299 (Rec. 601)
  const auto seen = decode_image(bytes_of(encode_png(red, 1, 1, 3)), 1, 1, "x");
  EXPECT_NEAR(seen.at(0), 76, 1);
}

TEST(ImageFile, AppliesTheExifOrientation) {
  EXPECT_EQ(color_letters(read_image(golden("turned.png"), 2, 3)), "GRWB");
  EXPECT_EQ(color_letters(read_image(golden("turned.jpg"), 2, 3)), "GRWB");
  const char* expected[] = {"RBGW", "BRWG", "WGBR", "GWRB", "RGBW", "GRWB", "WBGR", "BWRG"};
  for (int i = 1; i <= 8; ++i)
    EXPECT_EQ(color_letters(read_image(golden(fmt::format("turned{}.webp", i)), 2, 3)), expected[i - 1]) << i;
}

TEST(ImageFile, DropsAlpha) {
  EXPECT_EQ(color_letters(read_image(golden("alpha.png"), 2, 3)), "RBGW");
  EXPECT_EQ(color_letters(read_image(golden("alpha.webp"), 2, 3)), "RBGW");
}

TEST(ImageFile, ReducesSixteenBitsToEight) {
  const auto pixels = read_image(golden("16bit.png"), 1, 1);
  EXPECT_EQ(pixels.at(0), (0 + 0 + 1 + 255 + 128 + 1 + 3) / 6);  // rounded
}

TEST(ImageFile, RecognizesImageNames) {
  for (const char* name : {"a.png", "a.PNG", "b/a.jpg", "a.JPeg", "a.b.webp"}) EXPECT_TRUE(is_image_name(name)) << name;
  for (const char* name : {"a", "png", ".png", "a.gif", "a.png.txt", "jpg/a", ""})
    EXPECT_FALSE(is_image_name(name)) << name;
}

TEST(ImageFile, RejectsOtherFiles) {
  EXPECT_THAT(error_of([] { read_image("none.png", 8, 3); }), HasSubstr("none.png: cannot read: No such file"));
  EXPECT_THAT(image_refusal(""), HasSubstr("x: not a PNG, JPEG or WebP image"));
  EXPECT_THAT(image_refusal("GIF89a..."), HasSubstr("not a PNG, JPEG or WebP"));
  EXPECT_THAT(image_refusal("RIFF\4\0\0\0WAVE"), HasSubstr("not a PNG, JPEG or WebP"));
}

TEST(ImageFile, RejectsTruncatedFilesSilently) {
  for (const char* name : {"turned.png", "turned.jpg", "turned6.webp", "alpha.webp"}) {
    const std::string whole = read_file(golden(name));
    const std::string output = stderr_of([&] {
      for (size_t size = 12; size < whole.size(); ++size)
        EXPECT_THAT(image_refusal(std::string_view(whole).substr(0, size)), HasSubstr("x: truncated or corrupt image"))
            << name << " " << size;
    });
    EXPECT_THAT(output, IsEmpty());
  }
}

TEST(ImageFile, RejectsCorruptPngsSilently) {
  const std::string whole = read_file(golden("turned.png"));
  const std::string output = stderr_of([&] {
    for (size_t place = 0; place < whole.size(); ++place)
      EXPECT_THAT(image_refusal(replaced(whole, place, std::string(1, static_cast<char>(whole[place] ^ 1)))),
                  StartsWith("x: "));
  });
  EXPECT_THAT(output, IsEmpty());
}

TEST(ImageFile, RejectsOrReadsCorruptWebpSilently) {
  const std::string whole = read_file(golden("turned6.webp"));
  const std::string output = stderr_of([&] {
    for (size_t place = 0; place < whole.size(); ++place) {
      try {
        decode_image(bytes_of(replaced(whole, place, "\x55")), 2, 3, "x");
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), StartsWith("x: "));
      }
    }
  });
  EXPECT_THAT(output, IsEmpty());
}

TEST(ImageFile, RejectsDecompressionBombs) {
  // The checksums are correct, so only the size can be the reason for the rejection.
  const std::string png = encode_png(std::vector<uint8_t>(1), 1, 1, 1);
  const auto resized = [&](std::string_view sizes, std::string_view checksum) {
    return image_refusal(replaced(replaced(png, 16, sizes), 29, checksum));
  };
  EXPECT_THAT(resized(std::string_view("\0\0\xff\xff\0\0\xff\xff", 8), "\x93\x6e\x86\x8c"),
              HasSubstr("x: too large: 65535 x 65535 pixels; at most 134217728 in total are allowed"));
  EXPECT_THAT(resized("\xff\xff\xff\xff\xff\xff\xff\xff", "\xf7\x9d\x71\xe2"),
              HasSubstr("too large: 4294967295 x 4294967295 pixels"));
  EXPECT_THAT(
      resized(std::string_view("\0\0\x10\0\0\0\x10\0", 8), "\xd7\xc8\x7b\xcb"),
      HasSubstr(fmt::format("implausible size: 4096 x 4096 pixels in {} bytes; the file may be corrupt", png.size())));
  const std::string jpeg = read_file(golden("turned.jpg"));
  EXPECT_THAT(image_refusal(replaced(jpeg, jpeg.find("\xff\xc0") + 5, "\xff\xff\xff\xff")),
              HasSubstr("too large: 65535 x 65535 pixels"));
  // A second, small frame after the scan does not hide the first one.
  const size_t frame = jpeg.find("\xff\xc0"), scan = jpeg.find("\xff\xda"), end = jpeg.size() - 2;
  const std::string two_frames = jpeg.substr(0, end) + jpeg.substr(frame, scan - frame) + jpeg.substr(end);
  EXPECT_THAT(image_refusal(replaced(two_frames, frame + 5, "\xff\xff\xff\xff")),
              HasSubstr("too large: 65535 x 65535 pixels"));
  const std::string webp = read_file(golden("turned6.webp"));
  EXPECT_THAT(image_refusal(replaced(webp, 24, "\xff\xff\xff\xff\xff\xff")),
              HasSubstr("too large: 16777216 x 16777216 pixels"));
}

TEST(ImageFile, RejectsJpegsWithTooManyScans) {
  std::string jpeg = read_file(golden("turned.jpg"));
  const size_t scan = jpeg.find("\xff\xda");
  for (int i = 0; i < 100; ++i) jpeg.insert(scan, std::string("\xff\xda\0\x2", 4));
  EXPECT_THAT(image_refusal(jpeg), HasSubstr("too many JPEG scans: 101; at most 100 are allowed"));
}

// OpenCV would pass such a file to GDAL and GDCM if these are built in.
TEST(ImageFile, RejectsInvalidWebpDataSilently) {
  std::string file = "RIFF" + std::string("\x3c\0\0\0", 4) + "WEBP" + std::string(56, 's');
  const std::string output = stderr_of([&] {
    EXPECT_THAT(image_refusal(file), HasSubstr("x: truncated or corrupt image"));
    for (const char* type : {"VP8 ", "VP8L", "VP8X"})
      EXPECT_THAT(image_refusal(replaced(file, 12, type)), HasSubstr("x: truncated or corrupt image"));
  });
  EXPECT_THAT(output, IsEmpty());
}

TEST(ImageFile, RejectsWritingInvalidPixels) {
  const TemporaryFolder folder;
  const std::vector<uint8_t> pixels(12);
  EXPECT_THAT(error_of([&] { write_png(folder / "a.png", pixels, 2, 3, 3); }), HasSubstr("2 x 3 x 3 with 12 values"));
  EXPECT_THAT(error_of([&] { write_png(folder / "a.png", pixels, 2, 3, 2); }), HasSubstr("must have 1 or 3 channels"));
  EXPECT_THAT(error_of([&] { write_png(folder / "a.png", {}, 0, 0, 1); }), HasSubstr("PNG"));
  EXPECT_THAT(error_of([&] { write_png(folder.path() / "no" / "a.png", pixels, 2, 2, 3); }),
              HasSubstr("cannot write: No such file"));
  EXPECT_EQ(folder.count(), 0);
}

TEST(ImageFile, ReadIsThreadSafe) {
  const auto expected = read_image(golden("turned.jpg"), 8, 3);
  std::vector<std::vector<uint8_t>> seen(4);
  std::vector<std::thread> threads;
  for (auto& pixels : seen) threads.emplace_back([&pixels] { pixels = read_image(golden("turned.jpg"), 8, 3); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(seen, Each(expected));
}

}  // namespace
}  // namespace frgan
