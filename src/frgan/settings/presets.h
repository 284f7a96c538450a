// Presets: option values from configs/*.toml, compiled into the program.
#pragma once

#include <span>
#include <string_view>

#include "frgan/core/options.h"

namespace frgan {

struct Preset {
  std::string_view name;     // file name without extension: "fr-gan-no-se"
  std::string_view summary;  // the comment in the first line, without "# "; shown by `frgan methods`
  std::string_view text;     // TOML
};

// Sorted by name.
std::span<const Preset> all_presets();

// What shell completion offers for --preset.
Suggestions preset_suggestions();

// Throws a usage error with the nearest name if there is no such preset.
const Preset& find_preset(std::string_view name);

}  // namespace frgan
