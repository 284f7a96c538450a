// Fuzzes the idx reader, with and without gzip.
#include "frgan/io/idx_file.h"
#include "only_errors.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  frgan::expect_only_errors([&] {
    const auto array = frgan::parse_idx({reinterpret_cast<const char*>(data), size}, "x.idx");
    int64_t count = 1;
    for (const int64_t dimension : array.shape) count *= dimension;
    if (count != static_cast<int64_t>(array.values.size())) std::abort();
  });
  return 0;
}
