// The safetensors format: named arrays with a JSON header, readable by PyTorch, JAX and others without running code.
// https://github.com/huggingface/safetensors describes it; little-endian, row-major.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace frgan {

enum class DType { kF64, kF32, kBF16, kF16, kI64, kI32, kU8, kBool };

// Bytes of one number: 8, 4, 2, 2, 8, 4, 1, 1.
int64_t item_size(DType dtype);
// As the format writes it: "F64", "F32", "BF16", "F16", "I64", "I32", "U8", "BOOL".
std::string_view dtype_name(DType dtype);

// A look at somebody's numbers: row-major, item_size(dtype) * product(shape) bytes.
struct TensorView {
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;  // empty for a single number
  std::span<const std::byte> bytes;
};

using TensorViews = std::map<std::string, TensorView>;
using TensorMetadata = std::map<std::string, std::string>;

// Writes the file safely (see SafeFile), straight from the spans. Throws an Error when a tensor's bytes do not fit its
// shape, a name is "__metadata__" or no UTF-8, or the file cannot be written.
//
//   write_safetensors("model.safetensors", {{"bias", {DType::kF32, {3}, std::as_bytes(std::span(bias))}}},
//                     {{"format", "pt"}});
void write_safetensors(const std::filesystem::path& path, const TensorViews& tensors,
                       const TensorMetadata& metadata = {});

// A file that was read, and owns its bytes in one buffer: the views are good as long as it (or what it was moved to)
// lives. Every view's bytes begin at a multiple of 16, whatever their place in the file.
class SafetensorsFile {
 public:
  SafetensorsFile(SafetensorsFile&&) noexcept = default;
  SafetensorsFile& operator=(SafetensorsFile&&) noexcept = default;

  const TensorViews& tensors() const { return tensors_; }
  const TensorMetadata& metadata() const { return metadata_; }
  // Throws an Error that names the file and the missing tensor (or metadata key).
  const TensorView& tensor(const std::string& name) const;
  const std::string& metadata(const std::string& key) const;

 private:
  friend SafetensorsFile read_safetensors(const std::filesystem::path& path);
  friend SafetensorsFile parse_safetensors(std::span<const std::byte> bytes, std::string_view name);
  SafetensorsFile() = default;
  // `read` fills its argument with the next bytes of the file.
  static SafetensorsFile load(std::string name, int64_t size, const std::function<void(std::span<std::byte>)>& read);

  std::string name_;
  std::unique_ptr<std::byte[]> buffer_;
  TensorViews tensors_;
  TensorMetadata metadata_;
};

// Reads and checks a file that anybody may have made: throws an Error that names the file and what is wrong with it
// when it is missing, cut short, altered in its header, has unknown number types, overlapping or missing parts,
// duplicate names, or more bytes than it says.
SafetensorsFile read_safetensors(const std::filesystem::path& path);
// The same from memory; `name` stands for the file in messages. The bytes are copied.
SafetensorsFile parse_safetensors(std::span<const std::byte> bytes, std::string_view name);

}  // namespace frgan
