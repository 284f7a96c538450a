// Digests with OpenSSL's libcrypto, which uses the CPU's SHA instructions.
#include <vector>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "frgan/core/error.h"
#include "frgan/io/digests.h"

namespace frgan {

struct Digest::State {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

Digest::Digest() : state_(std::make_unique<State>()) {
  if (EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) != 1) throw Error("OpenSSL has no SHA-256");
}

Digest::Digest(Digest&&) noexcept = default;
Digest::~Digest() = default;

void Digest::update(std::span<const std::byte> bytes) {
  EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size());
}

std::string Digest::hex() {
  std::vector<unsigned char> digest(EVP_MAX_MD_SIZE);
  unsigned int size = 0;
  EVP_DigestFinal_ex(state_->context.get(), digest.data(), &size);
  digest.resize(size);
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

}  // namespace frgan
