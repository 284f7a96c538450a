// TOML reader for config files and presets; config_text in core/options.h writes them. Keys are option names without
// the leading "--".
//
//   method = "fr-gan"
//   batch-size = 50
//   augmentation = ["translate:2", "noise:0.15"]
//
// The only heading is [policies], augmentation policies by name. It is read as the option "policies":
//
//   [policies]
//   mine = ["translate:4", "randaugment:3"]            # policies = ["mine=translate:4+randaugment:3"]
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "frgan/core/json.h"
#include "frgan/core/options.h"

namespace frgan {

struct Setting {
  std::string name;
  Json value;
  std::string source;  // location of the key for error messages: "my.toml:12:1" (line, column)
};

// The value as typed on the command line, strings without quotes: 500, wrong.
std::string setting_text(const Json& value);

// Whether a text contains line breaks, escape sequences for terminals, or other control characters of ASCII.
bool has_control_characters(std::string_view text);

// Returns the settings in file order. `name` is the file name used in error messages. Throws a usage error with line
// and column for invalid TOML, and for other tables, dates and times, which are not option values. Safe for untrusted
// text: more than 16 nested levels are an error too.
std::vector<Setting> read_config(std::string_view text, const std::string& name);
// The same for a file of at most 1 MiB. Throws an Error if it cannot be read.
std::vector<Setting> read_config_file(const std::filesystem::path& path);

// Converts a TOML document with nested tables to JSON. Throws usage errors like read_config, but accepts tables.
Json read_toml(std::string_view text, const std::string& name);

}  // namespace frgan
