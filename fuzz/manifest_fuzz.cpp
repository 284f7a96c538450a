// Fuzzes the reader of checkpoint manifests.
#include "frgan/io/checkpoint_files.h"
#include "only_errors.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  frgan::expect_only_errors([&] {
    for (const auto& [name, entry] :
         frgan::parse_manifest({reinterpret_cast<const char*>(data), size}, "MANIFEST.json"))
      if (entry.size < 0 || name.find('/') != std::string::npos) std::abort();
  });
  return 0;
}
