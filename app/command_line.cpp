#include "app/command_line.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

constexpr std::string_view kOutput = "-o";  // as every program has it

// The arguments before a lone --.
std::span<const std::string> options_part(std::span<const std::string> arguments) {
  const auto end = std::find(arguments.begin(), arguments.end(), "--");
  return arguments.first(static_cast<size_t>(end - arguments.begin()));
}

bool is_flag(const Option& option) {
  return std::holds_alternative<bool*>(option.field);
}

// What stands for the value in the help: "--labels N".
std::string_view placeholder(const Option& option) {
  constexpr std::string_view kPlaceholders[] = {"", " N", " X", " TEXT", " A,B,..."};  // in the order of Option::Field
  return option.choices.empty() ? kPlaceholders[option.field.index()] : " WORD";
}

// The default as one would type it.
std::string default_text(const Option& option) {
  if (option.initial.is_string()) return option.initial.get<std::string>();
  if (option.initial.is_array())
    return fmt::format("{}", fmt::join(option.initial.get<std::vector<std::string>>(), ","));
  if (option.initial.is_number_float()) return fmt::format("{}", option.initial.get<double>());  // 5, not 5.0
  return option.initial.dump();
}

std::string markdown_cell(std::string text) {
  for (size_t i = 0; (i = text.find('|', i)) != std::string::npos; i += 2) text.insert(i, "\\");
  return text;
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
    const bool is_output = arguments[i] == kOutput && options.contains("output");
    const std::string argument = is_output ? "--output" : arguments[i];
    if (!argument.starts_with("-") || argument == "-") {
      words.push_back(argument);
      continue;
    }
    if (!argument.starts_with("--")) {
      throw usage_error(fmt::format("'{}' is no option: options begin with --; {}", argument, see));
    }
    const size_t equals = argument.find('=');
    const std::string typed_name = argument.substr(0, equals);
    std::string name = typed_name.substr(2);
    const bool negated = !options.contains(name) && name.starts_with("no-") && options.contains(name.substr(3)) &&
                         is_flag(options.find(name.substr(3), typed_name));
    if (negated) name.erase(0, 3);
    Option& option = options.find(name, typed_name);
    if (!seen.insert(option.name).second) throw usage_error(fmt::format("--{} is given twice", name));
    if (equals != std::string::npos && negated) {
      throw usage_error(fmt::format("{} takes no value; write --{}=true or --{}=false", typed_name, name, name));
    }
    if (equals != std::string::npos) {
      option.set_text(argument.substr(equals + 1), typed_name);
    } else if (is_flag(option)) {
      option.set(!negated, typed_name);
    } else if (i + 1 < end && !arguments[i + 1].starts_with("--")) {
      option.set_text(arguments[++i], typed_name);
    } else {
      throw usage_error(
          fmt::format("{} needs a value; one that begins with -- is written {}=VALUE", typed_name, typed_name));
    }
  }
  if (end < arguments.size()) {
    const auto rest = arguments.subspan(end + 1);
    words.insert(words.end(), rest.begin(), rest.end());
  }
  if (words.size() > syntax.most_words) {
    throw usage_error(fmt::format("unexpected '{}'; {}", words[syntax.most_words], see));
  }
  if (words.size() < syntax.least_words) {
    throw usage_error(fmt::format("frgan {} needs {}; {}", syntax.command, syntax.words, see));
  }
  return words;
}

bool print_help(const Syntax& syntax, std::span<const std::string> arguments, const OptionSet& options) {
  if (typed(arguments, "--help-markdown")) {
    fmt::print("\n## frgan {}\n\n{}\n{}", syntax.command, syntax.summary, markdown_text(options, 3));
    return true;
  }
  if (!typed(arguments, "--help") && !typed(arguments, "-h")) return false;
  fmt::print("Usage: frgan {}{}{} [OPTIONS]\n\n{}\n{}", syntax.command, syntax.words.empty() ? "" : " ", syntax.words,
             syntax.summary, help_text(options));
  return true;
}

std::string help_text(const OptionSet& options) {
  std::string text;
  for (const auto& [group, members] : options.groups()) {
    text += fmt::format("\n{}:\n", group);
    for (const Option* option : members) {
      const std::string initial = default_text(*option), allowed = is_flag(*option) ? "" : option->allowed();
      text += fmt::format("  {}--{}{}{}\n      {}", option->name == "output" ? "-o, " : "",
                          is_flag(*option) ? "[no-]" : "", option->name, placeholder(*option), option->help);
      if (!initial.empty()) text += fmt::format(" Default: {}{}", initial, allowed.empty() ? "." : ";");
      if (!allowed.empty()) text += fmt::format(" {}llowed: {}.", initial.empty() ? 'A' : 'a', allowed);
      text += "\n";
    }
  }
  return text + "\n  --help\n      This text.\n";
}

std::string markdown_text(const OptionSet& options, int level, const std::function<bool(const Option&)>& wanted) {
  std::string text;
  for (const auto& [group, members] : options.groups()) {
    std::string rows;
    for (const Option* option : members) {
      if (!wanted(*option)) continue;
      const std::string initial = default_text(*option);
      rows += fmt::format("| `--{}` | {} | {} | {} |\n", option->name, initial.empty() ? "" : "`" + initial + "`",
                          markdown_cell(option->allowed()), markdown_cell(option->help));
    }
    if (rows.empty()) continue;
    text += fmt::format("\n{:#<{}} {}\n\n| option | default | allowed | meaning |\n|---|---|---|---|\n{}", "", level,
                        group, rows);
  }
  return text;
}

}  // namespace frgan
