// The folder in which datasets are searched.
#pragma once

#include <cstdlib>
#include <filesystem>

namespace frgan {

// $FRGAN_DATA, else data/ in the current folder.
inline std::filesystem::path data_root() {
  const char* root = std::getenv("FRGAN_DATA");
  return root != nullptr && *root != '\0' ? root : "data";
}

}  // namespace frgan
