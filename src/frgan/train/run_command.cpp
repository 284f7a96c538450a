#include "frgan/train/run_command.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

namespace frgan {
namespace {

// The word as a shell reads it.
std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

}  // namespace

std::string argument_of(const std::string& option, const Json& value) {
  if (value.is_boolean()) return fmt::format("--{}{}", value.get<bool>() ? "" : "no-", option);
  if (value.is_string()) return fmt::format("--{}={}", option, value.get<std::string>());
  if (value.is_array()) {
    auto parts = value.get<std::vector<std::string>>();
    for (std::string& part : parts) {
      for (size_t i = 0; (i = part.find(',', i)) != std::string::npos; i += 2) part.insert(i, "\\");
    }
    return fmt::format("--{}={}", option, fmt::join(parts, ","));
  }
  return fmt::format("--{}={}", option, value.dump());
}

std::vector<std::string> changed_arguments(const OptionSet& options) {
  std::vector<std::string> arguments;
  for (const Option& option : options.all()) {
    const Json value = option.value();
    if (option.saved && (option.name == "method" || value != option.initial))
      arguments.push_back(argument_of(option.name, value));
  }
  return arguments;
}

std::string train_command(std::span<const std::string> arguments, const std::vector<std::string>& length) {
  constexpr std::array<std::string_view, 5> kDropped{"--time-budget", "--steps", "--epochs", "--plan", "--run"};
  std::string command = "frgan train";
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string name = arguments[i].substr(0, arguments[i].find('='));
    if (std::find(kDropped.begin(), kDropped.end(), name) != kDropped.end()) {
      if (name == arguments[i]) ++i;
      continue;
    }
    command += " " + shell_word(arguments[i]);
  }
  for (const std::string& word : length) command += " " + shell_word(word);
  return command;
}

}  // namespace frgan
