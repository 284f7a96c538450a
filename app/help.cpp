#include "app/help.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include "app/console.h"

namespace frgan {
namespace {

constexpr size_t kColumns = 92;  // of terminal help

// The placeholder of the value in the usage: "--labels N".
std::string_view placeholder(const Option& option) {
  constexpr std::string_view kPlaceholders[] = {"", "N", "X", "TEXT", "A,B,...", "WORD"};  // as Option::Field
  return option.choices.empty() || option.is_flag() ? kPlaceholders[option.field.index()] : "WORD";
}

// The default as typed on a command line.
std::string default_text(const Option& option) {
  if (option.initial.is_string()) return option.initial.get<std::string>();
  if (option.initial.is_array())
    return fmt::format("{}", fmt::join(option.initial.get<std::vector<std::string>>(), ","));
  if (option.initial.is_number_float()) return fmt::format("{}", option.initial.get<double>());  // 5, not 5.0
  return option.initial.dump();
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (size_t i = 0; (i = text.find(what, i)) != std::string::npos; i += by.size()) text.replace(i, what.size(), by);
  return text;
}

// "--labels N", "--[no-]tensorboard", "-o, --output TEXT".
std::string usage_of(const Option& option) {
  const std::string_view short_name = option.name == "output" ? "-o, " : option.name == "quiet" ? "-q, " : "";
  if (option.is_flag()) return fmt::format("{}--[no-]{}", short_name, option.name);
  return fmt::format("{}--{} {}", short_name, option.name, placeholder(option));
}

// "1 to 100 images"
std::string range_of(const Option& option) {
  const std::string allowed = option.is_flag() || !option.choices.empty() ? "" : option.allowed();
  return allowed.empty() || option.unit().empty() ? allowed : fmt::format("{} {}", allowed, option.unit());
}

// " Default: 1. Range: 1 to 100 images."
std::string limits_text(const Option& option) {
  std::string text;
  if (const std::string initial = default_text(option); !initial.empty()) text += fmt::format(" Default: {}.", initial);
  if (const std::string range = range_of(option); !range.empty()) text += fmt::format(" Range: {}.", range);
  if (!option.choices.empty()) text += fmt::format(" Choices: {}.", fmt::join(option.choices, ", "));
  return text;
}

std::string wrapped(std::string_view text, std::string_view indent) {
  std::string lines, line(indent);
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (line.size() > indent.size() && line.size() + 1 + word.size() > kColumns) {
      lines += std::exchange(line, std::string(indent)) + "\n";
    }
    if (line.size() > indent.size()) line += ' ';
    line += word;
  }
  return lines + line + "\n";
}

std::string entry_text(const Option& option) {
  return fmt::format("  {}\n{}", usage_of(option), wrapped(option.help + limits_text(option), "      "));
}

bool is_important(const Syntax& syntax, const Option& option) {
  return std::ranges::find(syntax.important, option.name) != syntax.important.end();
}

const Option* find_option(const std::vector<OptionGroup>& groups, std::string_view name) {
  for (const OptionGroup& group : groups) {
    for (const Option* option : group.options) {
      if (option->name == name) return option;
    }
  }
  return nullptr;
}

// Whether a help text refers to a reading of the paper, such as "(A28: schedules as shares)".
bool mentions_readings(const std::string& text) {
  for (size_t at = 0; (at = text.find("(A", at)) != std::string::npos; at += 2) {
    if (at + 2 < text.size() && text[at + 2] >= '0' && text[at + 2] <= '9') return true;
  }
  return false;
}

std::string text_page(const Syntax& syntax, const std::vector<OptionGroup>& groups) {
  std::string text =
      fmt::format("Usage: frgan {}{}{} [OPTIONS]\n\n", syntax.command, syntax.words.empty() ? "" : " ", syntax.words);
  std::string_view summary = syntax.summary;  // its line breaks stay
  for (size_t end = 0; end != std::string_view::npos; summary.remove_prefix(std::min(end + 1, summary.size()))) {
    end = summary.find('\n');
    const std::string_view line = summary.substr(0, end);
    text += line.starts_with(' ') ? std::string(line) + "\n" : wrapped(line, "");
    if (end == std::string_view::npos) break;
  }
  if (!syntax.important.empty()) text += "\nMost important options:\n";
  for (const std::string_view name : syntax.important) {
    if (const Option* option = find_option(groups, name)) text += entry_text(*option);
  }
  for (const OptionGroup& group : groups) {
    std::string entries;
    for (const Option* option : group.options) {
      if (!is_important(syntax, *option)) entries += entry_text(*option);
    }
    if (!entries.empty()) text += fmt::format("\n{}:\n{}", group.name, entries);
  }
  text += "\n  -h, --help\n      Prints this help.\n";
  if (mentions_readings(text)) text += "\nLabels such as A28 refer to the readings of the paper in docs/paper.md.\n";
  if (!syntax.examples.empty()) text += "\nExamples:\n";
  for (const std::string_view example : syntax.examples) text += fmt::format("  frgan {}\n", example);
  return text;
}

std::string markdown_cell(const std::string& text) {
  return replaced(text, "|", "\\|");
}

std::string markdown_page(const Syntax& syntax, const std::vector<OptionGroup>& groups) {
  std::string summary(syntax.summary);  // indented lines become a code block
  for (size_t i = 0; (i = summary.find("\n  ", i)) != std::string::npos; i += 5) summary.insert(i + 1, "  ");
  std::string text = fmt::format("\n## frgan {}\n\n{}\n", syntax.command, summary);
  for (const OptionGroup& group : groups) {
    text += fmt::format("\n### {}\n\n| option | default | allowed | meaning |\n|---|---|---|---|\n", group.name);
    for (const Option* option : group.options) {
      const std::string initial = default_text(*option);
      const std::string allowed = option->choices.empty() ? range_of(*option) : option->allowed();
      text += fmt::format("| `--{}` | {} | {} | {} |\n", option->name, initial.empty() ? "" : "`" + initial + "`",
                          markdown_cell(option->is_flag() ? "true, false" : allowed), markdown_cell(option->help));
    }
  }
  return text;
}

std::string man_section(const Syntax& syntax, const std::vector<OptionGroup>& groups) {
  std::string text =
      fmt::format(".SS frgan {}{}{} [OPTIONS]\n{}\n", roff(std::string(syntax.command)),
                  syntax.words.empty() ? "" : " ", roff(std::string(syntax.words)), roff(std::string(syntax.summary)));
  for (const OptionGroup& group : groups) {
    text += fmt::format(".PP\n{}:\n", roff(group.name));
    for (const Option* option : group.options) {
      text += fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(usage_of(*option)), roff(option->help + limits_text(*option)));
    }
  }
  if (!syntax.examples.empty()) text += ".PP\nExamples:\n";
  for (const std::string_view example : syntax.examples) {
    text += fmt::format(".PP\n.nf\nfrgan {}\n.fi\n", roff(std::string(example)));
  }
  return text;
}

// The values that completion offers.
const std::vector<std::string>& offered_values(const Option& option) {
  return option.choices.empty() ? option.suggestions : option.choices;
}

// A case of the completion function: the words that may follow `previous`, and the names that may be the first word.
std::string bash_case(const Syntax& syntax, const std::vector<OptionGroup>& groups) {
  std::string values, names;
  for (const OptionGroup& group : groups) {
    for (const Option* option : group.options) {
      names += fmt::format(" --{}", option->name);
      if (option->is_flag()) {
        names += fmt::format(" --no-{}", option->name);
      } else {
        values += fmt::format("        --{}) words='{}' ;;\n", option->name, fmt::join(offered_values(*option), " "));
      }
    }
  }
  return fmt::format(
      "    '{}')\n      names='{}'\n      case $previous in\n{}        *) words='{} --help' ;;\n      esac ;;\n",
      syntax.command, fmt::join(syntax.word_suggestions, " "), values, names.substr(std::min<size_t>(1, names.size())));
}

// Within single quotes, where '[', ']' and ':' separate the parts of a specification.
std::string zsh_text(std::string text) {
  for (const auto& [what, by] : std::array<std::pair<std::string_view, std::string_view>, 4>{
           {{"'", "'\\''"}, {"[", "\\["}, {"]", "\\]"}, {":", "\\:"}}}) {
    text = replaced(text, what, by);
  }
  return text;
}

std::string first_sentence(const std::string& text) {
  const size_t end = std::min(text.find(". "), text.find("; "));
  const std::string sentence = text.substr(0, end);
  return sentence.ends_with('.') ? sentence.substr(0, sentence.size() - 1) : sentence;
}

// The action that completes one of the values, or a file.
std::string zsh_suggestions(std::span<const std::string> values) {
  return values.empty() ? "_files" : fmt::format("{{ compadd -- {}; _files }}", fmt::join(values, " "));
}

std::string zsh_case(const Syntax& syntax, const std::vector<OptionGroup>& groups) {
  std::string text = fmt::format("    '{}')\n      _arguments \\\n", syntax.command);
  for (const OptionGroup& group : groups) {
    for (const Option* option : group.options) {
      const std::string help = zsh_text(first_sentence(option->help));
      if (option->is_flag()) {
        text += fmt::format("        '--{0}[{1}]' '--no-{0}[Turns this off\\: {1}]' \\\n", option->name, help);
      } else {
        const std::string values = option->choices.empty() ? zsh_suggestions(option->suggestions)
                                                           : fmt::format("({})", fmt::join(option->choices, " "));
        text += fmt::format("        '--{}=[{}]:{}:{}' \\\n", option->name, help, placeholder(*option), values);
      }
    }
  }
  const std::string names =
      syntax.word_suggestions.empty()
          ? ""
          : fmt::format(" '1:{}:{}'", zsh_text(std::string(syntax.words)), zsh_suggestions(syntax.word_suggestions));
  return fmt::format("{}        '--help[Prints help]'{} '*:file:_files' ;;\n", text, names);
}

}  // namespace

// In roff, a backslash is an escape, and a line must not begin with a control character.
std::string roff(const std::string& text) {
  std::string escaped = replaced(replaced(text, "\\", "\\e"), "-", "\\-");
  if (escaped.starts_with('.') || escaped.starts_with('\'')) escaped.insert(0, "\\&");
  escaped = replaced(escaped, "\n\n", "\n");
  return replaced(escaped, "\n  ", "\n.br\n");
}

std::optional<HelpFormat> requested_help(std::span<const std::string> arguments) {
  constexpr std::pair<std::string_view, HelpFormat> kArguments[] = {{"--help", HelpFormat::kText},
                                                                    {"-h", HelpFormat::kText},
                                                                    {"--help-format=markdown", HelpFormat::kMarkdown},
                                                                    {"--help-format=man", HelpFormat::kMan},
                                                                    {"--help-format=bash", HelpFormat::kBash},
                                                                    {"--help-format=zsh", HelpFormat::kZsh}};
  for (const auto& [argument, format] : kArguments) {
    if (typed(arguments, argument)) return format;
  }
  return std::nullopt;
}

std::string help_page(HelpFormat format, const Syntax& syntax, const std::vector<OptionGroup>& groups) {
  switch (format) {
    case HelpFormat::kMarkdown:
      return markdown_page(syntax, groups);
    case HelpFormat::kMan:
      return man_section(syntax, groups);
    case HelpFormat::kBash:
      return bash_case(syntax, groups);
    case HelpFormat::kZsh:
      return zsh_case(syntax, groups);
    case HelpFormat::kText:
      break;
  }
  return text_page(syntax, groups);
}

bool print_help(const Syntax& syntax, std::span<const std::string> arguments, const OptionSet& options) {
  const std::optional<HelpFormat> format = requested_help(arguments);
  if (format) print_output("{}", help_page(*format, syntax, options.groups()));
  return format.has_value();
}

}  // namespace frgan
