// Settings in TOML: config files, presets, and what --print-config writes. Keys are the names of options; there are no
// [headings].
//
//   method = "fr-gan"
//   batch-size = 50          # as on the command line, without the --
//   branch-aug = ["translate:2", "noise:0.15"]
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "frgan/core/options.h"

namespace frgan {

struct Setting {
  std::string name;
  nlohmann::json value;
  std::string source;  // for messages: "my.toml:12:1", the line and column of the key
};

// A value as a person would type it: 500, wrong.
std::string setting_text(const nlohmann::json& value);

// The settings in the order of the text. `name` is the file's, for messages. Throws a usage error with line and column
// where the text is no TOML, or a value is nothing that an option can have.
std::vector<Setting> read_config(std::string_view text, const std::string& name);
std::vector<Setting> read_config_file(const std::filesystem::path& path);

// A whole TOML text, tables within tables, as JSON. Throws as read_config does.
nlohmann::json read_toml(std::string_view text, const std::string& name);

// All saved options as TOML that `read_config` takes back, with a comment above each group.
std::string config_text(const OptionSet& options);

}  // namespace frgan
