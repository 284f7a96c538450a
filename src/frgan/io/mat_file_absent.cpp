#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/io/mat_file.h"

namespace frgan {

MatImages read_mat_images(const std::filesystem::path& path) {
  throw Error(fmt::format(
      "{}: cannot read .mat files: this build has no libmatio; run `frgan data convert` on a machine that has it",
      path.string()));
}

}  // namespace frgan
