#include "frgan/io/mat_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <matio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "frgan/core/error.h"
#include "frgan/io/files.h"
#include "frgan/io/gzip.h"

// libmatio trusts the sizes in a file. Therefore this code checks the structure first. libmatio only reads uncompressed
// files whose variables are plain numeric arrays with sizes that fit the file.
//
// Format (MathWorks, "MAT-File Format"): a header of 128 bytes, then elements of type, length and data. A variable is
// an element of type miMATRIX, which contains elements for flags, dimensions, name and numbers. An element of type
// miCOMPRESSED is such a variable, compressed with zlib.
namespace frgan {
namespace {

constexpr int64_t kFileHeader = 128;
constexpr int64_t kTag = 8;
constexpr size_t kVariableHeader = 256;  // enough for the tags, flags, four dimensions and a name
// Limits of memory. SVHN's largest file, extra_32x32.mat, has half a million images of 32 x 32 pixels.
constexpr size_t kMostVariables = 100;
constexpr int64_t kMostImages = int64_t{1} << 24;
constexpr int64_t kLargestSide = 1024;  // pixels
constexpr std::string_view kHint = "is this SVHN's train_32x32.mat or test_32x32.mat (cropped digits)?";

struct Variable {
  std::string name;
  uint32_t type = 0;  // matio_classes
  std::vector<int64_t> shape;
  int64_t count = 0;  // product of shape
};

// Position of a variable in the file.
struct Element {
  int64_t begin = 0;  // after its tag
  int64_t length = 0;
  bool compressed = false;
};

[[noreturn]] void refuse_mat_file(std::string_view file, std::string_view what) {
  throw Error(fmt::format("{}: {}; {}", file, what, kHint));
}

[[noreturn]] void refuse_corrupt(std::string_view file, std::string_view what) {
  throw Error(fmt::format("{}: {}; the file is truncated or corrupt; download it again", file, what));
}

// Reads consecutive numbers and texts from a copy of some bytes of the file.
class ByteReader {
 public:
  ByteReader(std::string bytes, std::string_view file) : bytes_(std::move(bytes)), file_(file) {}

  std::string_view text(size_t size) {
    if (size > bytes_.size() - place_) refuse_corrupt(file_, "incomplete header of a variable");
    place_ += size;
    return std::string_view(bytes_).substr(place_ - size, size);
  }
  uint32_t number() {
    uint32_t value = 0;
    std::memcpy(&value, text(sizeof(value)).data(), sizeof(value));
    return value;
  }
  int64_t place() const { return static_cast<int64_t>(place_); }

 private:
  std::string bytes_;
  std::string_view file_;
  size_t place_ = 0;
};

// Decompresses an element in pieces. Throws an Error if it is corrupt; its end has a checksum (Adler-32).
class Decompressor {
 public:
  Decompressor(const std::filesystem::path& path, const Element& element)
      : file_(path), name_(path.string()), left_(element.length) {
    file_.seek(element.begin);
    if (inflateInit(&stream_) != Z_OK) throw Error(fmt::format("{}: cannot initialize zlib", name_));
  }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor() { inflateEnd(&stream_); }

  // Fills `bytes` with the next bytes; fewer only at the end. Returns their number.
  int64_t read(std::span<char> bytes) {
    stream_.next_out = reinterpret_cast<Bytef*>(bytes.data());
    stream_.avail_out = static_cast<uInt>(bytes.size());
    while (stream_.avail_out > 0 && !ended_) {
      if (stream_.avail_in == 0) fill();
      const int status = inflate(&stream_, Z_NO_FLUSH);
      ended_ = status == Z_STREAM_END;
      if (status != Z_OK && !ended_) refuse_corrupt(name_, "corrupt compressed data");
    }
    return static_cast<int64_t>(bytes.size()) - stream_.avail_out;
  }

 private:
  void fill() {
    const size_t size = std::min(buffer_.size(), static_cast<size_t>(left_));
    if (size == 0) refuse_corrupt(name_, "incomplete compressed data");
    file_.read(std::as_writable_bytes(std::span(buffer_).first(size)));
    left_ -= static_cast<int64_t>(size);
    stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
    stream_.avail_in = static_cast<uInt>(size);
  }

  InputFile file_;
  std::string name_;
  int64_t left_;  // compressed bytes still to read
  bool ended_ = false;
  z_stream stream_{};
  std::array<char, size_t{1} << 16> buffer_{};
};

// The elements of a file. Their lengths must add up to the size of the file.
std::vector<Element> elements_of(const std::filesystem::path& path) {
  const std::string name = path.string();
  InputFile file(path);
  if (file.size() < kFileHeader)
    refuse_mat_file(name, fmt::format("too small: {} bytes; a MATLAB header has {}", file.size(), kFileHeader));
  std::string header(kFileHeader, '\0');
  file.read(std::as_writable_bytes(std::span(header)));
  const std::string_view version = std::string_view(header).substr(124);
  if (version == std::string_view("\0\2IM", 4))
    throw Error(
        fmt::format("{}: unsupported format: MATLAB 7.3; must be 5.0; save the file with save(..., '-v7')", name));
  if (version != std::string_view("\0\1IM", 4)) refuse_mat_file(name, "not a MATLAB 5.0 file");

  std::vector<Element> elements;
  for (int64_t place = kFileHeader; place < file.size();) {
    std::array<uint32_t, 2> tag{};
    if (file.size() - place < kTag) refuse_corrupt(name, fmt::format("{} extra bytes at the end", file.size() - place));
    file.seek(place);
    file.read(std::as_writable_bytes(std::span(tag)));
    const auto [type, length] = tag;
    if (type != MAT_T_MATRIX && type != MAT_T_COMPRESSED)
      refuse_corrupt(name, fmt::format("element of type {}; expected a variable", type));
    if (length > file.size() - place - kTag)
      refuse_corrupt(
          name, fmt::format("variable of {} bytes at byte {}, but the file has {} bytes", length, place, file.size()));
    if (elements.size() == kMostVariables)
      refuse_mat_file(name, fmt::format("more than {} variables; expected X and y", kMostVariables));
    elements.push_back({place + kTag, length, type == MAT_T_COMPRESSED});
    place += kTag + length;
  }
  return elements;
}

// Parses the header of a variable of `length` bytes and checks the sizes in it. `bytes` are the first bytes.
Variable parse_variable(std::string bytes, int64_t length, std::string_view file) {
  ByteReader reader(std::move(bytes), file);
  Variable variable;
  if (reader.number() != MAT_T_UINT32 || reader.number() != 8) refuse_corrupt(file, "variable without flags");
  const uint32_t flags = reader.number();
  constexpr uint32_t kComplex = 0x800;
  reader.number();
  variable.type = flags & 0xff;
  const bool numeric = variable.type >= MAT_C_DOUBLE && variable.type <= MAT_C_UINT64 && (flags & kComplex) == 0;

  if (reader.number() != MAT_T_INT32) refuse_corrupt(file, "variable without dimensions");
  const uint32_t rank_bytes = reader.number();
  const uint32_t rank = rank_bytes / 4;
  if (!numeric || rank < 2 || rank > 4 || rank_bytes % 4 != 0)
    refuse_mat_file(file, "a variable is not a plain numeric array");
  variable.count = 1;
  for (uint32_t i = 0; i < rank; ++i) {
    variable.shape.push_back(static_cast<int32_t>(reader.number()));
    if (variable.shape.back() < 0 || __builtin_mul_overflow(variable.count, variable.shape.back(), &variable.count))
      refuse_corrupt(file, fmt::format("invalid shape of a variable: {}", fmt::join(variable.shape, " x ")));
  }
  if (rank % 2 != 0) reader.number();

  // A small element stores its length in the upper half of the type, and up to 4 bytes of data in place of the length.
  const auto tag = [&] {
    const uint32_t type = reader.number();
    return type >> 16 != 0 ? std::array{type & 0xffff, type >> 16, 1U} : std::array{type, reader.number(), 0U};
  };
  const auto [name_type, name_length, name_is_small] = tag();
  if (name_type != MAT_T_INT8 || name_length > (name_is_small != 0 ? 4 : 63))
    refuse_corrupt(file, "variable without a name");
  variable.name = reader.text(name_is_small != 0 ? 4 : (name_length + 7) / 8 * 8).substr(0, name_length);

  const auto [data_type, data_length, data_is_small] = tag();
  const auto item =
      static_cast<int64_t>(data_type < MAT_T_MATRIX ? Mat_SizeOf(static_cast<matio_types>(data_type)) : 0);
  const int64_t room = data_is_small != 0 ? 4 : length - reader.place();
  if (item == 0 || data_length > room || data_length % item != 0 || data_length / item != variable.count)
    refuse_corrupt(file, fmt::format("variable {:?} of shape {} declares {} bytes of data; {} are available",
                                     variable.name, fmt::join(variable.shape, " x "), data_length, room));
  const int64_t extra = length - reader.place() - (data_is_small != 0 ? 4 : data_length);
  if (extra >= kTag) refuse_corrupt(file, fmt::format("{} extra bytes in variable {:?}", extra, variable.name));
  return variable;
}

Variable read_variable(const std::filesystem::path& path, const Element& element) {
  const std::string name = path.string();
  std::string bytes(kVariableHeader, '\0');
  if (!element.compressed) {
    InputFile file(path);
    file.seek(element.begin);
    bytes.resize(std::min(bytes.size(), static_cast<size_t>(element.length)));
    file.read(std::as_writable_bytes(std::span(bytes)));
    return parse_variable(std::move(bytes), element.length, name);
  }
  bytes.resize(static_cast<size_t>(Decompressor(path, element).read(bytes)));
  ByteReader tag(bytes, name);
  const bool is_matrix = tag.number() == MAT_T_MATRIX;
  const int64_t length = tag.number();
  if (!is_matrix || length > element.length * kDeflateRatio)
    refuse_corrupt(name, "a compressed element is not a variable");
  return parse_variable(bytes.substr(kTag), length, name);
}

// An anonymous file in memory.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(::memfd_create("mat", MFD_CLOEXEC)) {
    if (descriptor_ < 0) throw file_error("in-memory file", "open", errno);
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(descriptor_); }

  std::string path() const { return fmt::format("/proc/self/fd/{}", descriptor_); }
  void write(std::span<const char> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0) throw file_error("in-memory file", "write", errno);
      bytes = bytes.subspan(static_cast<size_t>(written));
    }
  }

 private:
  int descriptor_;
};

// Writes an uncompressed copy of the file. Each element is decompressed to its end, which has the checksum. libmatio
// stops before the checksum and would accept corrupt images.
void decompress(const std::filesystem::path& path, const std::vector<Element>& elements, MemoryFile& decompressed) {
  std::vector<char> block(size_t{1} << 18);
  InputFile file(path);
  const auto copy = [&](int64_t place, int64_t length) {
    file.seek(place);
    for (int64_t left = length; left > 0;) {
      const auto piece = std::span(block).first(std::min(block.size(), static_cast<size_t>(left)));
      file.read(std::as_writable_bytes(piece));
      decompressed.write(piece);
      left -= static_cast<int64_t>(piece.size());
    }
  };
  copy(0, kFileHeader);
  for (const Element& element : elements) {
    if (!element.compressed) {
      copy(element.begin - kTag, element.length + kTag);
      continue;
    }
    Decompressor decompressor(path, element);
    int64_t total = 0;
    uint32_t length = 0;
    while (const int64_t size = decompressor.read(block)) {
      if (total == 0) std::memcpy(&length, block.data() + 4, sizeof(length));
      total += size;
      if (total > length + kTag) break;
      decompressed.write(std::span(block).first(static_cast<size_t>(size)));
    }
    if (total != length + kTag)
      refuse_corrupt(path.string(), fmt::format("a variable of {} bytes decompresses to {}", length + kTag, total));
  }
}

using MatFile = std::unique_ptr<mat_t, decltype(&Mat_Close)>;
using MatVariable = std::unique_ptr<matvar_t, decltype(&Mat_VarFree)>;

// All numbers of a variable, in the order and the type of the file.
template <class Number>
std::vector<Number> read_numbers(const MatFile& mat, const Variable& variable, std::string_view file) {
  std::vector<Number> numbers(static_cast<size_t>(variable.count));
  const MatVariable handle(Mat_VarReadInfo(mat.get(), variable.name.c_str()), &Mat_VarFree);
  if (handle == nullptr || handle->class_type != variable.type ||
      Mat_VarReadDataLinear(mat.get(), handle.get(), numbers.data(), 0, 1, static_cast<int>(variable.count)) != 0)
    refuse_corrupt(file, fmt::format("libmatio cannot read variable {}", variable.name));
  return numbers;
}

// The file's labels are 1 to 10, of any numeric type (MATLAB's default is double); 10 is the digit 0.
std::vector<int64_t> read_labels(const MatFile& mat, const Variable& variable, std::string_view file) {
  const auto read = [&](auto zero) {
    std::vector<int64_t> labels;
    for (const auto label : read_numbers<decltype(zero)>(mat, variable, file)) {
      const auto value = static_cast<double>(label);
      if (!(value >= 1 && value <= 10 && value == std::floor(value)))
        throw Error(fmt::format("{}: label {} of image {} is out of range; must be 1 to 10 (10 is the digit 0)", file,
                                value, labels.size() + 1));
      labels.push_back(static_cast<int64_t>(value) % 10);
    }
    return labels;
  };
  switch (variable.type) {
    case MAT_C_DOUBLE:
      return read(double{});
    case MAT_C_SINGLE:
      return read(float{});
    case MAT_C_INT8:
      return read(int8_t{});
    case MAT_C_UINT8:
      return read(uint8_t{});
    case MAT_C_INT16:
      return read(int16_t{});
    case MAT_C_UINT16:
      return read(uint16_t{});
    case MAT_C_INT32:
      return read(int32_t{});
    case MAT_C_UINT32:
      return read(uint32_t{});
    case MAT_C_INT64:
      return read(int64_t{});
    default:
      return read(uint64_t{});
  }
}

// Transposes each image from height-fastest order (then width, channels) to channels-fastest order (then width,
// height). Works image by image, since one image fits into the L1 cache.
void make_channels_fastest(MatImages& set) {
  const auto [height, width, channels] = std::array{set.height, set.width, set.channels};
  const int64_t size = height * width * channels;
  std::vector<uint8_t> columns(static_cast<size_t>(size));
  for (int64_t n = 0; n < set.count; ++n) {
    uint8_t* image = set.images.data() + n * size;
    std::copy_n(image, size, columns.begin());
    for (int64_t row = 0; row < height; ++row)
      for (int64_t column = 0; column < width; ++column)
        for (int64_t channel = 0; channel < channels; ++channel)
          *image++ = columns[static_cast<size_t>((channel * width + column) * height + row)];
  }
}

}  // namespace

MatImages read_mat_images(const std::filesystem::path& path) {
  const std::string file = path.string();
  const std::vector<Element> elements = elements_of(path);
  std::vector<Variable> variables;
  std::vector<std::string> names;
  for (const Element& element : elements) {
    variables.push_back(read_variable(path, element));
    names.push_back(fmt::format("{:?}", variables.back().name));
  }
  const auto find = [&](std::string_view name) {
    const auto found = std::find_if(variables.begin(), variables.end(), [&](const auto& v) { return v.name == name; });
    if (found == variables.end() || variables.size() != 2)
      refuse_mat_file(file, fmt::format("wrong variables: {}; expected X and y",
                                        names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
    return *found;
  };
  const Variable images = find("X");
  const Variable labels = find("y");

  if (images.type != MAT_C_UINT8) refuse_mat_file(file, "X is not a uint8 array");
  if (images.shape.size() != 4 || images.count == 0 || (images.shape[2] != 1 && images.shape[2] != 3))
    refuse_mat_file(file,
                    fmt::format("wrong shape of X: {}; expected 32 x 32 x 3 x N", fmt::join(images.shape, " x ")));
  if (images.shape[0] > kLargestSide || images.shape[1] > kLargestSide || images.shape[3] > kMostImages)
    refuse_mat_file(file, fmt::format("X is too large: {}; at most {} x {} pixels and {} images are allowed",
                                      fmt::join(images.shape, " x "), kLargestSide, kLargestSide, kMostImages));
  MatImages set;
  set.height = images.shape[0];
  set.width = images.shape[1];
  set.channels = images.shape[2];
  set.count = images.shape[3];
  if (labels.count != set.count || labels.shape.size() != 2)
    refuse_mat_file(file, fmt::format("wrong shape of y: {}; expected {} x 1, one label per image",
                                      fmt::join(labels.shape, " x "), set.count));
  if (images.count > INT_MAX)
    throw Error(fmt::format("{}: X is too large: {} values; at most {} are allowed", file, images.count, INT_MAX));

  MemoryFile decompressed;
  const bool compressed = std::any_of(elements.begin(), elements.end(), [](const Element& e) { return e.compressed; });
  if (compressed) decompress(path, elements, decompressed);
  [[maybe_unused]] static const int silent = Mat_LogInitFunc("frgan", [](int /*level*/, char* /*message*/) {});
  const MatFile mat(Mat_Open((compressed ? decompressed.path() : file).c_str(), MAT_ACC_RDONLY), &Mat_Close);
  if (mat == nullptr) refuse_mat_file(file, "libmatio cannot open the file");
  set.images = read_numbers<uint8_t>(mat, images, file);
  make_channels_fastest(set);
  set.labels = read_labels(mat, labels, file);
  return set;
}

}  // namespace frgan
