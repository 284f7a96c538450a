#include "frgan/io/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/json.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

constexpr int64_t kHeaderLimit = 100'000'000;  // bytes; the limit of the reference implementation
constexpr size_t kRankLimit = 64;              // dimensions of a tensor; LibTorch has the same limit
constexpr int64_t kAlignment = 16;
constexpr std::string_view kMetadataKey = "__metadata__";

struct DTypeInfo {
  std::string_view name;
  int64_t size;
};
// Indexed by DType.
constexpr std::array<DTypeInfo, 8> kDTypes = {
    {{"F64", 8}, {"F32", 4}, {"BF16", 2}, {"F16", 2}, {"I64", 8}, {"I32", 4}, {"U8", 1}, {"BOOL", 1}}};

// Byte range of a tensor in the data part of a file.
struct Extent {
  int64_t begin = 0;
  int64_t end = 0;
};

struct Header {
  std::map<std::string, std::pair<TensorView, Extent>> tensors;
  TensorMetadata metadata;
};

// Quotes, escapes and shortens a name from a file, for a message of one line.
std::string shown(std::string_view text) {
  return fmt::format("{:?}", text.substr(0, 80));
}

[[noreturn]] void refuse_safetensors(std::string_view file, std::string_view what) {
  throw Error(fmt::format("{}: {}; is it a complete safetensors file?", file, what));
}

// Size in bytes of a tensor of this shape; no value if a dimension is negative or the size overflows.
std::optional<int64_t> byte_count(DType dtype, const std::vector<int64_t>& shape) {
  int64_t count = item_size(dtype), strides = count;  // strides must not overflow either, even if a size is 0
  for (const int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(count, size, &count)) return std::nullopt;
    if (__builtin_mul_overflow(strides, std::max<int64_t>(size, 1), &strides)) return std::nullopt;
  }
  return count;
}

Json parse_header_json(std::string_view text, std::string_view file) {
  try {
    return parse_json(text, "header", OldNames::kKeep);
  } catch (const JsonError& error) {
    refuse_safetensors(file, error.what());
  }
}

// The non-negative integers of a list in the header. `tensor` is the tensor's name, escaped for messages.
std::vector<int64_t> sizes_of(const Json& entry, const char* key, std::string_view tensor, std::string_view file) {
  const Json* const found = entry.find(key);
  if (found == nullptr || !found->is_array())
    refuse_safetensors(file, fmt::format("tensor {} has no list '{}'", tensor, key));
  if (found->size() > kRankLimit)
    refuse_safetensors(file, fmt::format("tensor {} has more than {} numbers in '{}'", tensor, kRankLimit, key));
  std::vector<int64_t> sizes;
  for (const Json& number : *found) {
    if (!number.is_count())
      refuse_safetensors(file, fmt::format("tensor {} has invalid {}: {}", tensor, key, shown(found->dump())));
    sizes.push_back(number.get<int64_t>());
  }
  return sizes;
}

DType dtype_of(const Json& entry, std::string_view tensor, std::string_view file) {
  const Json* const found = entry.find("dtype");
  if (found == nullptr || !found->is_string()) refuse_safetensors(file, fmt::format("tensor {} has no dtype", tensor));
  const std::string& name = found->text();
  const auto* known = std::find_if(kDTypes.begin(), kDTypes.end(), [&](const auto& info) { return info.name == name; });
  if (known == kDTypes.end())
    throw Error(fmt::format("{}: tensor {} has unsupported dtype {}; must be F64, F32, BF16, F16, I64, I32, U8 or BOOL",
                            file, tensor, shown(name)));
  return static_cast<DType>(known - kDTypes.begin());
}

std::pair<TensorView, Extent> parse_entry(const Json& entry, std::string_view tensor, std::string_view file) {
  if (!entry.is_object()) refuse_safetensors(file, fmt::format("the entry of tensor {} is not an object", tensor));
  const TensorView view{dtype_of(entry, tensor, file), sizes_of(entry, "shape", tensor, file), {}};
  const std::vector<int64_t> offsets = sizes_of(entry, "data_offsets", tensor, file);
  if (offsets.size() != 2 || offsets[0] > offsets[1])
    refuse_safetensors(file, fmt::format("tensor {} has invalid data_offsets: [{}]", tensor, fmt::join(offsets, ", ")));
  const Extent extent{offsets[0], offsets[1]};
  if (byte_count(view.dtype, view.shape) != extent.end - extent.begin)
    refuse_safetensors(file,
                       fmt::format("tensor {} of type {} and shape [{}] has {} bytes", tensor, dtype_name(view.dtype),
                                   fmt::join(view.shape, ", "), extent.end - extent.begin));
  return {view, extent};
}

Header parse_header(std::string_view text, std::string_view file) {
  if (text.empty() || text.front() != '{') refuse_safetensors(file, "the header does not begin with {");
  const Json json = parse_header_json(text, file);
  Header header;
  for (const auto& [name, entry] : json.items()) {
    if (name != kMetadataKey) {
      header.tensors.emplace(name, parse_entry(entry, shown(name), file));
      continue;
    }
    if (!entry.is_object()) refuse_safetensors(file, "the metadata is not an object");
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) refuse_safetensors(file, fmt::format("metadata {:?} is not a string", key));
      header.metadata.emplace(key, value.get<std::string>());
    }
  }
  return header;
}

// The names of the tensors in the order of their bytes. The byte ranges must cover the data without gaps or overlaps.
std::vector<std::string> names_by_offset(const Header& header, int64_t data_size, std::string_view file) {
  std::vector<std::tuple<int64_t, int64_t, std::string>> tensors;  // begin, end, name
  for (const auto& [name, entry] : header.tensors) tensors.emplace_back(entry.second.begin, entry.second.end, name);
  std::ranges::sort(tensors);
  std::vector<std::string> names;
  int64_t position = 0;
  for (auto& [begin, end, name] : tensors) {
    if (begin != position)
      refuse_safetensors(
          file, fmt::format("tensor {} begins at byte {} of the data; expected {}", shown(name), begin, position));
    position = end;
    names.push_back(std::move(name));
  }
  if (position != data_size)
    refuse_safetensors(file, fmt::format("{} bytes of data; expected {}", data_size, position));
  return names;
}

int64_t aligned(int64_t size) {
  return (size + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

int64_t item_size(DType dtype) {
  return kDTypes[static_cast<size_t>(dtype)].size;
}

std::string_view dtype_name(DType dtype) {
  return kDTypes[static_cast<size_t>(dtype)].name;
}

void write_safetensors(const std::filesystem::path& path, const TensorViews& tensors, const TensorMetadata& metadata) {
  // Largest item size first, as in the reference implementation. This aligns every tensor to its type.
  std::vector<std::string> names;
  for (const auto& [name, view] : tensors) names.push_back(name);
  std::stable_sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    return item_size(tensors.at(a).dtype) > item_size(tensors.at(b).dtype);
  });

  std::vector<std::string> keys;
  std::vector<Json> entries;
  if (!metadata.empty()) {
    keys.emplace_back(kMetadataKey);
    entries.emplace_back(metadata);
  }
  int64_t position = 0;
  for (const std::string& name : names) {
    const TensorView& view = tensors.at(name);
    const auto size = static_cast<int64_t>(view.bytes.size());
    if (name == kMetadataKey) throw Error(fmt::format("{}: reserved tensor name {}", path.string(), name));
    if (byte_count(view.dtype, view.shape) != size)
      throw Error(fmt::format("{}: wrong size of tensor {} of type {} and shape [{}]: {} bytes", path.string(),
                              shown(name), dtype_name(view.dtype), fmt::join(view.shape, ", "), size));
    keys.push_back(name);
    entries.push_back({{"dtype", dtype_name(view.dtype)},
                       {"shape", view.shape},
                       {"data_offsets", Json::array({position, position + size})}});
    position += size;
  }

  const auto readable = [](const auto& pair) { return is_utf8(pair.first); };
  const auto readable_value = [](const auto& pair) { return is_utf8(pair.second); };
  if (!std::ranges::all_of(tensors, readable) || !std::ranges::all_of(metadata, readable) ||
      !std::ranges::all_of(metadata, readable_value))
    throw Error(fmt::format("{}: a tensor name or the metadata is not valid UTF-8", path.string()));
  std::string text = Json::object_of(std::move(keys), std::move(entries)).dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t header_size = text.size();

  SafeFile file(path);
  file.write(std::as_bytes(std::span(&header_size, 1)));
  file.write(bytes_of(text));
  for (const std::string& name : names) file.write(tensors.at(name).bytes);
  file.commit();
}

SafetensorsFile SafetensorsFile::load(std::string name, int64_t size,
                                      const std::function<void(std::span<std::byte>)>& read) {
  uint64_t header_size = 0;
  constexpr int64_t kPrefix = sizeof(header_size);
  if (size < kPrefix)
    refuse_safetensors(name, fmt::format("too small: {} bytes; at least {} are needed", size, kPrefix));
  read(std::as_writable_bytes(std::span(&header_size, 1)));
  if (header_size > static_cast<uint64_t>(std::min(kHeaderLimit, size - kPrefix)))
    refuse_safetensors(name, fmt::format("declares a header of {} bytes, but the file has {}", header_size, size));
  std::string text(header_size, '\0');
  read(std::as_writable_bytes(std::span(text)));

  SafetensorsFile file;
  file.name_ = std::move(name);
  Header header = parse_header(text, file.name_);
  const std::vector<std::string> names =
      names_by_offset(header, size - kPrefix - static_cast<int64_t>(header_size), file.name_);
  int64_t total = 0;
  for (const std::string& tensor : names) {
    const Extent extent = header.tensors.at(tensor).second;
    total += aligned(extent.end - extent.begin);
  }
  file.buffer_ = std::make_unique_for_overwrite<std::byte[]>(static_cast<size_t>(total));
  std::byte* place = file.buffer_.get();
  for (const std::string& tensor : names) {
    auto& [view, extent] = header.tensors.at(tensor);
    const std::span<std::byte> bytes(place, static_cast<size_t>(extent.end - extent.begin));
    read(bytes);
    if (view.dtype == DType::kBool &&
        std::any_of(bytes.begin(), bytes.end(), [](std::byte b) { return b > std::byte{1}; }))
      refuse_safetensors(file.name_, fmt::format("tensor {} of type BOOL has bytes other than 0 and 1", shown(tensor)));
    view.bytes = bytes;
    place += aligned(extent.end - extent.begin);
    file.tensors_.emplace(tensor, std::move(view));
  }
  file.metadata_ = std::move(header.metadata);
  return file;
}

const TensorView& SafetensorsFile::tensor(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end())
    throw Error(
        fmt::format("{}: missing tensor {}; was the file written by another program or version?", name_, shown(name)));
  return found->second;
}

const std::string& SafetensorsFile::metadata(const std::string& key) const {
  const auto found = metadata_.find(key);
  if (found == metadata_.end())
    throw Error(
        fmt::format("{}: missing metadata {}; was the file written by another program or version?", name_, shown(key)));
  return found->second;
}

SafetensorsFile read_safetensors(const std::filesystem::path& path) {
  InputFile file(path);
  return SafetensorsFile::load(path.string(), file.size(), [&](std::span<std::byte> bytes) { file.read(bytes); });
}

SafetensorsFile parse_safetensors(std::span<const std::byte> bytes, std::string_view name) {
  return SafetensorsFile::load(std::string(name), static_cast<int64_t>(bytes.size()), [&](std::span<std::byte> piece) {
    std::copy_n(bytes.begin(), piece.size(), piece.begin());
    bytes = bytes.subspan(piece.size());
  });
}

}  // namespace frgan
