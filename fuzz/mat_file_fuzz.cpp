// Fuzzes the reader of MATLAB files.
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "frgan/io/mat_file.h"
#include "only_errors.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int file = ::memfd_create("x.mat", MFD_CLOEXEC);
  if (file < 0 || ::write(file, data, size) != static_cast<ssize_t>(size)) std::abort();
  frgan::expect_only_errors([&] {
    const auto set = frgan::read_mat_images("/proc/self/fd/" + std::to_string(file));
    if (set.labels.size() != static_cast<size_t>(set.count)) std::abort();
    if (static_cast<int64_t>(set.images.size()) != set.count * set.height * set.width * set.channels) std::abort();
  });
  ::close(file);
  return 0;
}
