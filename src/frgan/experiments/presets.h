// The settings of published rows, from configs/*.toml, compiled into the program.
#pragma once

#include <span>
#include <string_view>

namespace frgan {

struct Preset {
  std::string_view name;     // of the file: "fr-gan-no-se"
  std::string_view summary;  // its first line, a comment: which published row it is
  std::string_view text;     // TOML
};

// In the order of their names.
std::span<const Preset> all_presets();

// Throws a usage error that names the nearest preset.
const Preset& find_preset(std::string_view name);

}  // namespace frgan
