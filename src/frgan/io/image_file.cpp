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
#include "frgan/io/files.h"

namespace frgan {
namespace {

using Bytes = std::span<const std::byte>;

constexpr int64_t kPixelLimit = int64_t{1} << 27;
constexpr int64_t kSmall = int64_t{1} << 20;      // pixels that are harmless whatever the file
constexpr int64_t kPixelsPerByte = 1024;          // JPEG has at most 341, PNG of 8 bits 1032
constexpr int kScanLimit = 100;                   // of a JPEG; each costs as much as the whole image
constexpr int64_t kFileLimit = int64_t{1} << 30;  // bytes

// What a file's own structure says, without decoding: OpenCV would take memory for any size that a header claims, and
// takes a JPEG that was cut short for a whole one.
struct Structure {
  int64_t height = 0;
  int64_t width = 0;
  bool whole = false;
  int scans = 0;  // of a JPEG
  int turn = 1;   // EXIF orientation that OpenCV does not apply: that of WebP
};

bool begins_with(Bytes bytes, std::string_view text) {
  return bytes.size() >= text.size() &&
         std::equal(text.begin(), text.end(), bytes.begin(), [](char a, std::byte b) { return std::byte(a) == b; });
}

// The number in `count` bytes at `place`, which must be there.
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

// CRC-32 of ISO 3309, as PNG has it at the end of each chunk.
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

// Chunks of length, type, data and checksum, from IHDR (width and height first) to IEND.
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
    if (begins_with(chunk, "IEND")) structure.whole = true;
    place += length + 12;
    if (structure.whole) break;
  }
  return structure;
}

// Segments of 0xff, a marker and a length, the frame header (SOF) with height and width among them; after a scan header
// (SOS) come data up to the next marker; the last is the end (EOI).
Structure jpeg_structure(Bytes bytes) {
  constexpr uint32_t kEnd = 0xd9;
  constexpr uint32_t kScan = 0xda;
  Structure structure;
  size_t place = 2;
  while (true) {
    while (place < bytes.size() && bytes[place] != std::byte{0xff}) ++place;  // data of a scan
    while (place < bytes.size() && bytes[place] == std::byte{0xff}) ++place;  // may be repeated
    if (place >= bytes.size()) return structure;
    const auto marker = static_cast<uint32_t>(bytes[place++]);
    if (marker == kEnd) structure.whole = true;
    if (marker == kEnd) return structure;
    if (marker <= 1 || (marker >= 0xd0 && marker <= 0xd8)) continue;  // they have no length
    if (bytes.size() - place < 2) return structure;
    const size_t length = big_endian(bytes, place, 2);
    if (length < 2 || length > bytes.size() - place) return structure;
    if (marker == kScan) ++structure.scans;
    const bool is_frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (is_frame && length >= 7) {
      structure.height = big_endian(bytes, place + 3, 2);
      structure.width = big_endian(bytes, place + 5, 2);
    }
    place += length;
  }
}

// The orientation in a TIFF block: tag 0x112 of its first directory; 1 where there is none.
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

// Whether libwebp takes the beginning for an image, by the rules of its WebPGetFeatures. What it does not take OpenCV
// hands on to GDAL and GDCM, where these were built in, and they know no limits.
bool is_webp(Bytes bytes) {
  constexpr size_t kSeen = 32;  // bytes that OpenCV shows to libwebp
  constexpr uint32_t kRest = 12;
  if (bytes.size() < kSeen) return false;
  const uint32_t whole = little_endian(bytes, 4, 4);
  const Bytes type = bytes.subspan(12, 4);
  const uint32_t length = little_endian(bytes, 16, 4);
  const Bytes data = bytes.subspan(20);
  if (whole < kRest || whole > bytes.size() - 8) return false;
  if (begins_with(type, "VP8X")) return length == 10;
  if (length > whole - kRest) return false;
  if (begins_with(type, "VP8L")) return data[0] == std::byte{0x2f} && little_endian(data, 4, 1) >> 5 == 0;
  if (!begins_with(type, "VP8 ") || !begins_with(data.subspan(3), "\x9d\x01\x2a")) return false;
  // A shown key frame of a known profile, with a size and a first part that fits.
  const uint32_t frame = little_endian(data, 0, 3);
  return (frame & 1) == 0 && (frame >> 1 & 7) <= 3 && (frame >> 4 & 1) == 1 && frame >> 5 < length &&
         (little_endian(data, 6, 2) & 0x3fff) != 0 && (little_endian(data, 8, 2) & 0x3fff) != 0;
}

// RIFF chunks of type, length and data: VP8 or VP8L (image), before it VP8X (canvas), after it EXIF.
Structure webp_structure(Bytes bytes) {
  Structure structure;
  structure.whole = is_webp(bytes);
  if (!structure.whole) return structure;
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
      structure.turn = tiff_orientation(begins_with(data, std::string_view("Exif\0\0", 6)) ? data.subspan(6) : data);
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

// By EXIF's numbers: 2 to 4 mirrored or upside down, 5 to 8 besides with rows and columns changed.
void turn_image(cv::Mat& image, int turn) {
  if (turn >= 5 && turn <= 8) cv::transpose(image, image);
  constexpr int kColumns = 1;
  constexpr int kRows = 0;
  constexpr int kBoth = -1;
  if (turn == 2 || turn == 6) cv::flip(image, image, kColumns);
  if (turn == 3 || turn == 7) cv::flip(image, image, kBoth);
  if (turn == 4 || turn == 8) cv::flip(image, image, kRows);
}

// OpenCV's own exceptions and words end here.
template <class Action>
auto with_opencv(std::string_view name, std::string_view what, Action action) {
  [[maybe_unused]] static const auto once = cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  try {
    return action();
  } catch (const cv::Exception& error) {
    throw Error(fmt::format("{}: OpenCV cannot {} it: {}", name, what, error.err));
  } catch (const std::bad_alloc&) {
    throw Error(fmt::format("{}: memory is too short to {} it", name, what));
  }
}

}  // namespace

std::vector<uint8_t> decode_pixels(Bytes bytes, int64_t height, int64_t width, int64_t channels,
                                   std::string_view name) {
  const std::optional<Structure> structure = structure_of(bytes);
  if (!structure) throw Error(fmt::format("{}: is no PNG, JPEG or WebP image", name));
  if (static_cast<int64_t>(bytes.size()) > kFileLimit)
    throw Error(fmt::format("{}: has {} bytes, expected at most {}; make it smaller", name, bytes.size(), kFileLimit));
  if (structure->width > 0 && structure->height > kPixelLimit / structure->width)
    throw Error(fmt::format("{}: has {} x {} pixels, expected at most {} in all; make it smaller", name,
                            structure->width, structure->height, kPixelLimit));
  const int64_t count = structure->height * structure->width;
  if (count > kSmall && count / kPixelsPerByte > static_cast<int64_t>(bytes.size()))
    throw Error(fmt::format("{}: has {} x {} pixels in {} bytes; was it altered?", name, structure->width,
                            structure->height, bytes.size()));
  if (structure->scans > kScanLimit)
    throw Error(
        fmt::format("{}: has {} scans, expected at most {}; was it altered?", name, structure->scans, kScanLimit));
  if (!structure->whole) throw Error(fmt::format("{}: the image was cut short or altered", name));

  return with_opencv(name, "read", [&] {
    const cv::Mat input(1, static_cast<int>(bytes.size()), CV_8UC1, const_cast<std::byte*>(bytes.data()));
    cv::Mat image = cv::imdecode(input, channels == 1 ? cv::IMREAD_GRAYSCALE : cv::IMREAD_COLOR);
    if (image.empty()) throw Error(fmt::format("{}: the image cannot be decoded; was it altered?", name));
    turn_image(image, structure->turn);
    std::vector<uint8_t> pixels(static_cast<size_t>(height * width * channels));
    cv::Mat resized(static_cast<int>(height), static_cast<int>(width), image.type(), pixels.data());
    cv::resize(image, resized, resized.size(), 0, 0, cv::INTER_AREA);
    if (channels == 3) cv::cvtColor(resized, resized, cv::COLOR_BGR2RGB);
    return pixels;
  });
}

std::vector<uint8_t> decode_image(Bytes bytes, int64_t size, int64_t channels, std::string_view name) {
  return decode_pixels(bytes, size, size, channels, name);
}

std::vector<uint8_t> read_image(const std::filesystem::path& path, int64_t size, int64_t channels) {
  return decode_image(bytes_of(read_file(path, kFileLimit)), size, channels, path.string());
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
    throw Error(fmt::format("a PNG of {} x {} x {} was given {} numbers, expected 1 or 3 channels and as many numbers",
                            height, width, channels, pixels.size()));
  return with_opencv("PNG", "write", [&] {
    // OpenCV's type for reading, too, wants a pointer that may be written through.
    const cv::Mat image(static_cast<int>(height), static_cast<int>(width), CV_8UC(static_cast<int>(channels)),
                        const_cast<uint8_t*>(pixels.data()));
    cv::Mat blue_first;
    if (channels == 3) cv::cvtColor(image, blue_first, cv::COLOR_RGB2BGR);
    std::vector<uint8_t> bytes;
    if (!cv::imencode(".png", channels == 3 ? blue_first : image, bytes)) throw Error("PNG: OpenCV cannot write it");
    return std::string(bytes.begin(), bytes.end());
  });
}

void write_png(const std::filesystem::path& path, std::span<const uint8_t> pixels, int64_t height, int64_t width,
               int64_t channels) {
  write_file_safely(path, encode_png(pixels, height, width, channels));
}

}  // namespace frgan
