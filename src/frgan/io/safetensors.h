// The safetensors format: named arrays (little-endian, row-major) with a JSON header. PyTorch, JAX and others can read
// it without executing code. Specification: https://github.com/huggingface/safetensors
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

// Bytes per number, in the order of DType: 8, 4, 2, 2, 8, 4, 1, 1.
int64_t item_size(DType dtype);
// Name of the type in the format: "F64", "F32", "BF16", "F16", "I64", "I32", "U8", "BOOL".
std::string_view dtype_name(DType dtype);

// A non-owning view of numbers: row-major, item_size(dtype) * product(shape) bytes.
struct TensorView {
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;  // empty for a scalar
  std::span<const std::byte> bytes;
};

using TensorViews = std::map<std::string, TensorView>;
using TensorMetadata = std::map<std::string, std::string>;

// Writes the file atomically (see SafeFile), without copying the tensors. Throws an Error if a tensor's bytes do not
// match its shape, a name is "__metadata__" or not UTF-8, or the file cannot be written.
//
//   write_safetensors("model.safetensors", {{"bias", {DType::kF32, {3}, std::as_bytes(std::span(bias))}}},
//                     {{"format", "pt"}});
void write_safetensors(const std::filesystem::path& path, const TensorViews& tensors,
                       const TensorMetadata& metadata = {});

// A file in memory. It owns the bytes in one buffer. The views are valid as long as this object, or the object that it
// was moved to, exists. The bytes of every view are aligned to 16 bytes, even if they are not in the file.
class SafetensorsFile {
 public:
  SafetensorsFile(SafetensorsFile&&) noexcept = default;
  SafetensorsFile& operator=(SafetensorsFile&&) noexcept = default;

  const TensorViews& tensors() const { return tensors_; }
  const TensorMetadata& metadata() const { return metadata_; }
  // Throws an Error that names the file and the missing tensor or metadata key.
  const TensorView& tensor(const std::string& name) const;
  const std::string& metadata(const std::string& key) const;

 private:
  friend SafetensorsFile read_safetensors(const std::filesystem::path& path);
  friend SafetensorsFile parse_safetensors(std::span<const std::byte> bytes, std::string_view name);
  SafetensorsFile() = default;
  // `size` is the size of the file; `read` fills its argument with the file's next bytes.
  static SafetensorsFile load(std::string name, int64_t size, const std::function<void(std::span<std::byte>)>& read);

  std::string name_;
  std::unique_ptr<std::byte[]> buffer_;
  TensorViews tensors_;
  TensorMetadata metadata_;
};

// Reads and checks an untrusted file. Throws an Error that names the file and the problem: missing or truncated file,
// invalid header, unknown dtype, gaps or overlaps in the data, duplicate names, or extra bytes.
SafetensorsFile read_safetensors(const std::filesystem::path& path);
// The same from bytes in memory, which are copied; `name` is the file's name in messages.
SafetensorsFile parse_safetensors(std::span<const std::byte> bytes, std::string_view name);

}  // namespace frgan
