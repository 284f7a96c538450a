#include "app/command_line.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

// The arguments before a lone --.
std::span<const std::string> options_part(std::span<const std::string> arguments) {
  const auto end = std::find(arguments.begin(), arguments.end(), "--");
  return arguments.first(static_cast<size_t>(end - arguments.begin()));
}

// -o and -q, if the command has the option.
std::string long_name(const std::string& argument, const OptionSet& options) {
  if (argument == "-o" && options.contains("output")) return "--output";
  if (argument == "-q" && options.contains("quiet")) return "--quiet";
  return argument;
}

}  // namespace

bool typed(std::span<const std::string> arguments, std::string_view argument) {
  const auto options = options_part(arguments);
  return std::find(options.begin(), options.end(), argument) != options.end();
}

std::optional<std::string> typed_value(std::span<const std::string> arguments, std::string_view name) {
  const std::string separate = fmt::format("--{}", name), joined = separate + "=";
  const auto options = options_part(arguments);
  for (size_t i = 0; i < options.size(); ++i) {
    if (options[i].starts_with(joined)) return options[i].substr(joined.size());
    if (options[i] == separate && i + 1 < options.size()) return options[i + 1];
  }
  return std::nullopt;
}

std::vector<std::string> read_arguments(const Syntax& syntax, std::span<const std::string> arguments,
                                        OptionSet& options) {
  const std::string see = fmt::format("see frgan {} --help", syntax.command);
  std::vector<std::string> words;
  std::set<std::string> seen;
  const size_t end = options_part(arguments).size();
  for (size_t i = 0; i < end; ++i) {
    const std::string argument = long_name(arguments[i], options);
    if (!argument.starts_with("-") || argument == "-") {
      words.push_back(argument);
      continue;
    }
    if (!argument.starts_with("--")) {
      throw usage_error(fmt::format("unknown option '{}': options begin with --; {}", argument, see));
    }
    const size_t equals = argument.find('=');
    const std::string typed_name = argument.substr(0, equals);
    std::string name = typed_name.substr(2);
    const bool negated = !options.contains(name) && name.starts_with("no-") && options.contains(name.substr(3)) &&
                         options.find(name.substr(3), typed_name).is_flag();
    if (negated) name.erase(0, 3);
    Option& option = options.find(name, typed_name);
    if (!seen.insert(option.name).second) throw usage_error(fmt::format("option --{} is given twice", option.name));
    if (equals != std::string::npos && negated) {
      throw usage_error(fmt::format("{} takes no value; write --{}=true or --{}=false", typed_name, name, name));
    }
    if (equals != std::string::npos) {
      option.set_text(argument.substr(equals + 1), typed_name);
    } else if (option.is_flag()) {
      option.set(!negated, typed_name);
    } else if (i + 1 < end && !arguments[i + 1].starts_with("--")) {
      option.set_text(arguments[++i], typed_name);
    } else {
      throw usage_error(
          fmt::format("option {} needs a value; write {}=VALUE if the value begins with --", typed_name, typed_name));
    }
  }
  if (end < arguments.size()) {
    const auto rest = arguments.subspan(end + 1);
    words.insert(words.end(), rest.begin(), rest.end());
  }
  if (words.size() > syntax.most_words) {
    throw usage_error(fmt::format("unexpected argument '{}'; {}", words[syntax.most_words], see));
  }
  if (words.size() < syntax.least_words) {
    throw usage_error(fmt::format("missing argument; usage: frgan {} {}; {}", syntax.command, syntax.words, see));
  }
  return words;
}

void add_quiet(OptionSet& options, bool& quiet) {
  options.add("quiet", quiet, "Prints results, warnings and errors only: no progress, no notes.");
}

}  // namespace frgan
