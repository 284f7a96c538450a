#include "frgan/io/digests.h"

#include <algorithm>
#include <vector>

#include "frgan/io/files.h"

namespace frgan {

std::string sha256(std::span<const std::byte> bytes) {
  Digest digest;
  digest.update(bytes);
  return digest.hex();
}

std::string file_digest(const std::filesystem::path& path) {
  InputFile file(path);
  Digest digest;
  std::vector<std::byte> block(size_t{1} << 20);
  for (int64_t left = file.size(); left > 0; left -= static_cast<int64_t>(block.size())) {
    block.resize(std::min(block.size(), static_cast<size_t>(left)));
    file.read(block);
    digest.update(block);
  }
  return digest.hex();
}

}  // namespace frgan
