// The folder of files that frgan downloads once for all projects.
#pragma once

#include <cstdlib>
#include <filesystem>

namespace frgan {

// $FRGAN_CACHE, else $XDG_CACHE_HOME/frgan, else ~/.cache/frgan. Empty if none of these is set.
inline std::filesystem::path cache_folder() {
  const auto variable = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::filesystem::path(value == nullptr ? "" : value);
  };
  if (const auto own = variable("FRGAN_CACHE"); !own.empty()) return own;
  if (const auto user = variable("XDG_CACHE_HOME"); !user.empty()) return user / "frgan";
  const auto home = variable("HOME");
  return home.empty() ? std::filesystem::path() : home / ".cache" / "frgan";
}

}  // namespace frgan
