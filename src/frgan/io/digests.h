// Checksums of bytes and files, as lower-case hexadecimal text.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace frgan {

// SHA-256 for what we write; MD5 only for what others published with one (SVHN).
enum class DigestKind { kSha256, kMd5 };

// A checksum that is fed piece by piece.
//
//   Digest digest(DigestKind::kSha256);
//   digest.update(images);
//   digest.update(labels);
//   const std::string text = digest.hex();  // 64 digits
class Digest {
 public:
  explicit Digest(DigestKind kind);
  Digest(Digest&&) noexcept;
  ~Digest();

  void update(std::span<const std::byte> bytes);
  // Ends it: call once.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256(std::span<const std::byte> bytes);

// Throws when the file cannot be read. Reads piece by piece: the file may be larger than memory.
std::string file_digest(const std::filesystem::path& path, DigestKind kind);

}  // namespace frgan
