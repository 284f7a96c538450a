#include "frgan/settings/presets.h"

#include <string>
#include <vector>

#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {

Suggestions preset_suggestions() {
  Suggestions names;
  for (const Preset& preset : all_presets()) names.words.emplace_back(preset.name);
  return names;
}

const Preset& find_preset(std::string_view name) {
  std::vector<std::string> names;
  for (const Preset& preset : all_presets()) {
    if (preset.name == name) return preset;
    names.emplace_back(preset.name);
  }
  throw usage_error(fmt::format("unknown preset '{}'{} (frgan methods lists them)", name, nearest_hint(name, names)));
}

}  // namespace frgan
