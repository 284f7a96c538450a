#include "frgan/io/image_file.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <exception>
#include <optional>

#include <fmt/format.h>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "frgan/core/error.h"
#include "frgan/io/area_resize.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

using Bytes = std::span<const std::byte>;

constexpr int64_t kPixelLimit = int64_t{1} << 27;
constexpr int64_t kSmallImage = int64_t{1} << 20;  // pixels; up to this size, kPixelsPerByte is not checked
constexpr int64_t kPixelsPerByte = 1024;           // JPEG reaches at most 341, 8-bit PNG 1032
constexpr int kScanLimit = 100;                    // of a JPEG; decoding time is proportional to the number of scans

// Properties of an image file, parsed before decoding. OpenCV would allocate memory for any size in a header, and would
// accept a truncated JPEG.
struct Structure {
  int64_t height = 0;
  int64_t width = 0;
  bool complete = false;
  int scans = 0;        // of a JPEG
  int orientation = 1;  // EXIF orientation of a WebP; OpenCV applies those of PNG and JPEG
};

bool begins_with(Bytes bytes, std::string_view text) {
  return bytes.size() >= text.size() &&
         std::equal(text.begin(), text.end(), bytes.begin(), [](char a, std::byte b) { return std::byte(a) == b; });
}

// The number in the `count` bytes at `place`; the bytes must exist.
uint32_t big_endian(Bytes bytes, size_t place, size_t count) {
  uint32_t number = 0;
  for (size_t i = 0; i < count; ++i) number = number << 8 | static_cast<uint32_t>(bytes[place + i]);
  return number;
}

uint32_t little_endian(Bytes bytes, size_t place, size_t count) {
  uint32_t number = 0;
  for (size_t i = count; i-- > 0;) number = number << 8 | static_cast<uint32_t>(bytes[place + i]);
  return number;
}

// CRC-32 (ISO 3309), the checksum at the end of each PNG chunk.
uint32_t crc32(Bytes bytes) {
  static constexpr auto kTable = [] {
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < table.size(); ++i) {
      table[i] = i;
      for (int bit = 0; bit < 8; ++bit) table[i] = (table[i] & 1) != 0 ? 0xedb88320 ^ (table[i] >> 1) : table[i] >> 1;
    }
    return table;
  }();
  uint32_t crc = ~uint32_t{0};
  for (const std::byte byte : bytes) crc = kTable[(crc ^ static_cast<uint32_t>(byte)) & 0xff] ^ (crc >> 8);
  return ~crc;
}

// A PNG consists of chunks: length, type, data, checksum. The first is IHDR (begins with width and height), the last
// IEND.
Structure png_structure(Bytes bytes) {
  Structure structure;
  size_t place = 8;
  while (bytes.size() - place >= 12) {
    const size_t length = big_endian(bytes, place, 4);
    if (length > bytes.size() - place - 12) break;
    const Bytes chunk = bytes.subspan(place + 4, length + 4);
    if (crc32(chunk) != big_endian(bytes, place + 8 + length, 4)) break;
    if (place == 8 && begins_with(chunk, "IHDR") && length >= 8) {
      structure.width = big_endian(chunk, 4, 4);
      structure.height = big_endian(chunk, 8, 4);
    }
    if (begins_with(chunk, "IEND")) structure.complete = true;
    place += length + 12;
    if (structure.complete) break;
  }
  return structure;
}

// A JPEG consists of segments: 0xff, a marker, a length. The frame header (SOF) has height and width. A scan header
// (SOS) is followed by data up to the next marker. The last marker is the end (EOI).
Structure jpeg_structure(Bytes bytes) {
  constexpr uint32_t kEnd = 0xd9;
  constexpr uint32_t kScan = 0xda;
  Structure structure;
  size_t place = 2;
  while (true) {
    while (place < bytes.size() && bytes[place] != std::byte{0xff}) ++place;  // scan data
    while (place < bytes.size() && bytes[place] == std::byte{0xff}) ++place;  // fill bytes
    if (place >= bytes.size()) return structure;
    const auto marker = static_cast<uint32_t>(bytes[place++]);
    if (marker == kEnd) structure.complete = true;
    if (marker == kEnd) return structure;
    if (marker <= 1 || (marker >= 0xd0 && marker <= 0xd8)) continue;  // markers without a length
    if (bytes.size() - place < 2) return structure;
    const size_t length = big_endian(bytes, place, 2);
    if (length < 2 || length > bytes.size() - place) return structure;
    if (marker == kScan) ++structure.scans;
    const bool is_frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (is_frame && length >= 7) {  // libjpeg allocates memory for the first frame before it rejects a second one
      structure.height = std::max<int64_t>(structure.height, big_endian(bytes, place + 3, 2));
      structure.width = std::max<int64_t>(structure.width, big_endian(bytes, place + 5, 2));
    }
    place += length;
  }
}

// The orientation in a TIFF block (EXIF): tag 0x112 of the first directory, or 1 without one.
int tiff_orientation(Bytes bytes) {
  const bool little = begins_with(bytes, "II");
  if (bytes.size() < 8 || (!little && !begins_with(bytes, "MM"))) return 1;
  const auto number = [&](size_t place, size_t count) {
    return little ? little_endian(bytes, place, count) : big_endian(bytes, place, count);
  };
  const size_t directory = number(4, 4);
  if (directory > bytes.size() - 2) return 1;
  const size_t count = number(directory, 2);
  for (size_t i = 0; i < count; ++i) {
    const size_t entry = directory + 2 + 12 * i;
    if (entry + 12 > bytes.size()) return 1;
    if (number(entry, 2) == 0x112) return static_cast<int>(number(entry + 8, 2));
  }
  return 1;
}

// Whether libwebp accepts the first bytes as an image, by the rules of its WebPGetFeatures. OpenCV passes rejected
// bytes on to GDAL and GDCM if these are built in, and they have no size limits.
bool is_webp(Bytes bytes) {
  constexpr size_t kInspected = 32;  // bytes that OpenCV passes to libwebp
  constexpr uint32_t kRest = 12;
  if (bytes.size() < kInspected) return false;
  const uint32_t whole = little_endian(bytes, 4, 4);
  const Bytes type = bytes.subspan(12, 4);
  const uint32_t length = little_endian(bytes, 16, 4);
  const Bytes data = bytes.subspan(20);
  if (whole < kRest || whole > bytes.size() - 8) return false;
  if (begins_with(type, "VP8X")) return length == 10;
  if (length > whole - kRest) return false;
  if (begins_with(type, "VP8L")) return data[0] == std::byte{0x2f} && little_endian(data, 4, 1) >> 5 == 0;
  if (!begins_with(type, "VP8 ") || !begins_with(data.subspan(3), "\x9d\x01\x2a")) return false;
  // A visible key frame with a known profile, a nonzero size, and a first partition that fits.
  const uint32_t frame = little_endian(data, 0, 3);
  return (frame & 1) == 0 && (frame >> 1 & 7) <= 3 && (frame >> 4 & 1) == 1 && frame >> 5 < length &&
         (little_endian(data, 6, 2) & 0x3fff) != 0 && (little_endian(data, 8, 2) & 0x3fff) != 0;
}

// A WebP consists of RIFF chunks: type, length, data. VP8 or VP8L is the image, VP8X before it the canvas; EXIF
// follows.
Structure webp_structure(Bytes bytes) {
  Structure structure;
  structure.complete = is_webp(bytes);
  if (!structure.complete) return structure;
  const size_t end = size_t{little_endian(bytes, 4, 4)} + 8;
  size_t place = 12;
  while (place + 8 <= end) {
    const size_t length = little_endian(bytes, place + 4, 4);
    const Bytes type = bytes.subspan(place, 4);
    const Bytes data = bytes.subspan(place + 8, std::min(length, bytes.size() - place - 8));
    int64_t height = 0;
    int64_t width = 0;
    if (begins_with(type, "VP8X") && data.size() >= 10) {
      width = little_endian(data, 4, 3) + 1;
      height = little_endian(data, 7, 3) + 1;
    } else if (begins_with(type, "VP8L") && data.size() >= 5) {
      width = (little_endian(data, 1, 4) & 0x3fff) + 1;
      height = (little_endian(data, 1, 4) >> 14 & 0x3fff) + 1;
    } else if (begins_with(type, "VP8 ") && data.size() >= 10) {
      width = little_endian(data, 6, 2) & 0x3fff;
      height = little_endian(data, 8, 2) & 0x3fff;
    } else if (begins_with(type, "EXIF")) {
      structure.orientation =
          tiff_orientation(begins_with(data, std::string_view("Exif\0\0", 6)) ? data.subspan(6) : data);
    }
    structure.height = std::max(structure.height, height);
    structure.width = std::max(structure.width, width);
    place += 8 + length + length % 2;
  }
  return structure;
}

std::optional<Structure> structure_of(Bytes bytes) {
  if (begins_with(bytes, "\x89PNG\r\n\x1a\n")) return png_structure(bytes);
  if (begins_with(bytes, "\xff\xd8\xff")) return jpeg_structure(bytes);
  if (begins_with(bytes, "RIFF") && bytes.size() >= 12 && begins_with(bytes.subspan(8), "WEBP"))
    return webp_structure(bytes);
  return std::nullopt;
}

// Applies an EXIF orientation: 2 to 4 flip the image; 5 to 8 transpose it first.
void apply_orientation(cv::Mat& image, int orientation) {
  if (orientation >= 5 && orientation <= 8) cv::transpose(image, image);
  constexpr int kColumns = 1;
  constexpr int kRows = 0;
  constexpr int kBoth = -1;
  if (orientation == 2 || orientation == 6) cv::flip(image, image, kColumns);
  if (orientation == 3 || orientation == 7) cv::flip(image, image, kBoth);
  if (orientation == 4 || orientation == 8) cv::flip(image, image, kRows);
}

// Calls `action` with OpenCV's log turned off, and converts OpenCV's exceptions to Errors. `what` is "read" or "write".
template <class Action>
auto with_opencv(std::string_view name, std::string_view what, Action action) {
  [[maybe_unused]] static const auto once = cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  try {
    return action();
  } catch (const cv::Exception& error) {
    throw Error(fmt::format("{}: OpenCV cannot {} the image: {}", name, what, error.err));
  } catch (const std::bad_alloc&) {
    throw Error(fmt::format("{}: out of memory: cannot {} the image", name, what));
  }
}

// Decodes an image with the given flags of cv::imdecode, after checks that make this safe for untrusted bytes.
cv::Mat decoded_image(Bytes bytes, int flags, std::string_view name) {
  const std::optional<Structure> structure = structure_of(bytes);
  if (!structure) throw Error(fmt::format("{}: not a PNG, JPEG or WebP image", name));
  if (static_cast<int64_t>(bytes.size()) > kLargestImageFile)
    throw Error(fmt::format("{}: too large: {} bytes; at most {} are allowed; shrink the file", name, bytes.size(),
                            kLargestImageFile));
  if (structure->width > 0 && structure->height > kPixelLimit / structure->width)
    throw Error(fmt::format("{}: too large: {} x {} pixels; at most {} in total are allowed; shrink the image", name,
                            structure->width, structure->height, kPixelLimit));
  const int64_t count = structure->height * structure->width;
  if (count > kSmallImage && count / kPixelsPerByte > static_cast<int64_t>(bytes.size()))
    throw Error(fmt::format("{}: implausible size: {} x {} pixels in {} bytes; the file may be corrupt", name,
                            structure->width, structure->height, bytes.size()));
  if (structure->scans > kScanLimit)
    throw Error(fmt::format("{}: too many JPEG scans: {}; at most {} are allowed", name, structure->scans, kScanLimit));
  if (!structure->complete) throw Error(fmt::format("{}: truncated or corrupt image", name));

  return with_opencv(name, "read", [&] {
    const cv::Mat input(1, static_cast<int>(bytes.size()), CV_8UC1, const_cast<std::byte*>(bytes.data()));
    cv::Mat image = cv::imdecode(input, flags);
    if (image.empty()) throw Error(fmt::format("{}: cannot decode the image; the file may be corrupt", name));
    apply_orientation(image, structure->orientation);
    return image;
  });
}

// ResizeRule::kArea. Gray images have one channel, others three; so the values of a gray image of the same size do not
// change.
std::vector<float> decode_by_area(Bytes bytes, PixelSize size, int64_t channels, std::string_view name) {
  cv::Mat image = decoded_image(bytes, channels == 1 ? cv::IMREAD_ANYCOLOR : cv::IMREAD_COLOR, name);
  return with_opencv(name, "read", [&] {
    if (image.channels() == 3) cv::cvtColor(image, image, cv::COLOR_BGR2RGB);
    if (!image.isContinuous()) image = image.clone();
    const std::span<const uint8_t> pixels(image.data, image.total() * image.elemSize());
    std::vector<float> values = area_resized(pixels, {image.rows, image.cols}, image.channels(), size);
    return image.channels() == 3 && channels == 1 ? gray_of(values) : values;
  });
}

// ResizeRule::kOpenCvArea.
std::vector<uint8_t> decode_by_opencv(Bytes bytes, PixelSize size, int64_t channels, std::string_view name) {
  const cv::Mat image = decoded_image(bytes, channels == 1 ? cv::IMREAD_GRAYSCALE : cv::IMREAD_COLOR, name);
  return with_opencv(name, "read", [&] {
    std::vector<uint8_t> pixels(static_cast<size_t>(size.height * size.width * channels));
    cv::Mat resized(static_cast<int>(size.height), static_cast<int>(size.width), image.type(), pixels.data());
    cv::resize(image, resized, resized.size(), 0, 0, cv::INTER_AREA);
    if (channels == 3) cv::cvtColor(resized, resized, cv::COLOR_BGR2RGB);
    return pixels;
  });
}

}  // namespace

std::vector<uint8_t> decode_pixels(Bytes bytes, int64_t height, int64_t width, int64_t channels, std::string_view name,
                                   ResizeRule rule) {
  if (rule == ResizeRule::kOpenCvArea) return decode_by_opencv(bytes, {height, width}, channels, name);
  return rounded_bytes(decode_by_area(bytes, {height, width}, channels, name));
}

std::vector<uint8_t> decode_image(Bytes bytes, int64_t size, int64_t channels, std::string_view name, ResizeRule rule) {
  return decode_pixels(bytes, size, size, channels, name, rule);
}

std::vector<uint8_t> read_image(const std::filesystem::path& path, int64_t size, int64_t channels, ResizeRule rule) {
  return decode_image(bytes_of(read_file(path, kLargestImageFile)), size, channels, path.string(), rule);
}

std::vector<float> read_unrounded_image(const std::filesystem::path& path, int64_t size, int64_t channels,
                                        ResizeRule rule) {
  const std::string file = read_file(path, kLargestImageFile);
  if (rule == ResizeRule::kArea) return decode_by_area(bytes_of(file), {size, size}, channels, path.string());
  const std::vector<uint8_t> pixels = decode_by_opencv(bytes_of(file), {size, size}, channels, path.string());
  return {pixels.begin(), pixels.end()};
}

bool is_image_name(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  constexpr std::array<std::string_view, 4> kExtensions = {".png", ".jpg", ".jpeg", ".webp"};
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

std::string encode_png(std::span<const uint8_t> pixels, int64_t height, int64_t width, int64_t channels) {
  if (height * width * channels != static_cast<int64_t>(pixels.size()) || (channels != 1 && channels != 3))
    throw Error(fmt::format(
        "invalid PNG of {} x {} x {} with {} values; must have 1 or 3 channels and height x width x channels values",
        height, width, channels, pixels.size()));
  return with_opencv("PNG", "write", [&] {
    // cv::Mat needs a non-const pointer, even for reading only.
    const cv::Mat image(static_cast<int>(height), static_cast<int>(width), CV_8UC(static_cast<int>(channels)),
                        const_cast<uint8_t*>(pixels.data()));
    cv::Mat bgr;
    if (channels == 3) cv::cvtColor(image, bgr, cv::COLOR_RGB2BGR);
    std::vector<uint8_t> bytes;
    if (!cv::imencode(".png", channels == 3 ? bgr : image, bytes)) throw Error("PNG: OpenCV cannot write the image");
    return std::string(bytes.begin(), bytes.end());
  });
}

void write_png(const std::filesystem::path& path, std::span<const uint8_t> pixels, int64_t height, int64_t width,
               int64_t channels) {
  write_file_safely(path, encode_png(pixels, height, width, channels));
}

}  // namespace frgan
