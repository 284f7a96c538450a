// Where datasets are looked for.
#pragma once

#include <cstdlib>
#include <filesystem>

namespace frgan {

// $FRGAN_DATA, or data/ in the folder where the program was started.
inline std::filesystem::path data_root() {
  const char* root = std::getenv("FRGAN_DATA");
  return root != nullptr && *root != '\0' ? root : "data";
}

}  // namespace frgan
