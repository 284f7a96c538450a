// Fuzzes the safetensors reader.
#include "frgan/io/safetensors.h"
#include "only_errors.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  frgan::expect_only_errors([&] {
    const auto file = frgan::parse_safetensors(std::as_bytes(std::span(data, size)), "x.safetensors");
    // Read every byte, so that the sanitizer reports views outside the buffer.
    volatile uint8_t sum = 0;
    for (const auto& [name, view] : file.tensors())
      for (const std::byte byte : view.bytes) sum = static_cast<uint8_t>(sum + static_cast<uint8_t>(byte));
  });
  return 0;
}
