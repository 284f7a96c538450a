// Fuzzes the decoder of PNG, JPEG and WebP.
#include "frgan/io/image_file.h"
#include "only_errors.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  for (const int64_t channels : {int64_t{1}, int64_t{3}})
    frgan::expect_only_errors([&] {
      const auto pixels = frgan::decode_image(std::as_bytes(std::span(data, size)), 8, channels, "x.png");
      if (static_cast<int64_t>(pixels.size()) != 64 * channels) std::abort();
    });
  return 0;
}
