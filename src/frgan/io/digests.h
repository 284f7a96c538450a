// SHA-256 digests of bytes and files as lower-case hexadecimal text.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace frgan {

// The SHA-256 of data that arrives in pieces.
//
//   Digest digest;
//   digest.update(images);
//   digest.update(labels);
//   const std::string text = digest.hex();  // 64 digits
class Digest {
 public:
  Digest();
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

// SHA-256 of a file, read in pieces, so it may be larger than memory. Throws an Error if the file cannot be read.
std::string file_digest(const std::filesystem::path& path);

}  // namespace frgan
