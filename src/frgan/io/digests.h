// Digests of bytes and files as lower-case hexadecimal text.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace frgan {

// SHA-256 for all files that frgan writes. MD5 only for downloads whose publisher gives an MD5 (SVHN).
enum class DigestKind { kSha256, kMd5 };

// A digest of data that arrives in pieces. The constructor throws an Error if the build has no MD5.
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
  // Finishes the digest. Call it only once.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256(std::span<const std::byte> bytes);

// Digest of a file, read in pieces, so it may be larger than memory. Throws an Error if the file cannot be read.
std::string file_digest(const std::filesystem::path& path, DigestKind kind);

}  // namespace frgan
