#include "app/config_file.h"

#include <algorithm>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "frgan/core/error.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

using nlohmann::json;

std::string place(const std::string& name, const toml::source_region& region) {
  return fmt::format("{}:{}:{}", name, region.begin.line, region.begin.column);
}

json value_of(const toml::node& node, const std::string& where) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* whole = node.as_integer()) return whole->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* array = node.as_array()) {
    json values = json::array();
    for (const toml::node& part : *array) values.push_back(value_of(part, where));
    return values;
  }
  throw usage_error(where + (node.is_table() ? ": a [heading] or {table} is no option; write NAME = VALUE lines"
                                             : ": a date or time is no option's value; put a text in quotes"));
}

}  // namespace

std::vector<Setting> read_config(std::string_view text, const std::string& name) {
  toml::table table;
  try {
    table = toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    throw usage_error(fmt::format("{}: {}", place(name, error.source()), error.description()));
  }
  std::vector<std::pair<toml::source_position, Setting>> settings;
  for (const auto& [key, node] : table) {
    const std::string where = place(name, key.source());
    settings.push_back({key.source().begin, {std::string(key.str()), value_of(node, where), where}});
  }
  std::sort(settings.begin(), settings.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Setting> in_order;
  in_order.reserve(settings.size());
  for (auto& [position, setting] : settings) in_order.push_back(std::move(setting));
  return in_order;
}

std::vector<Setting> read_config_file(const std::filesystem::path& path) {
  constexpr int64_t kLimit = int64_t{1} << 20;  // bytes; whatever is larger is no config file
  return read_config(read_file(path, kLimit), path.string());
}

std::string config_text(const OptionSet& options) {
  std::string text;
  for (const auto& [group, members] : options.groups()) {
    std::string lines;
    for (const Option* option : members) {
      // Texts have no control characters (Option::set), so JSON writes them as TOML does; and numbers, and lists.
      if (option->saved) lines += fmt::format("{} = {}\n", option->name, option->value().dump());
    }
    if (!lines.empty()) text += fmt::format("{}# {}\n{}", text.empty() ? "" : "\n", group, lines);
  }
  return text;
}

}  // namespace frgan
