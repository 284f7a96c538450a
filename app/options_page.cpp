// frgan options: docs/options.md, the man page and shell completion, from the declarations of the options.
#include <fmt/format.h>

#include "app/commands.h"
#include "app/console.h"
#include "app/help.h"
#include "frgan/core/old_names.h"
#include "frgan/core/version.h"

namespace frgan {
namespace {

constexpr std::string_view kHelpSummary = "Prints the help of a command";

std::string command_names() {
  std::string names = "help";
  for (const Command& command : all_commands()) {
    if (!command.summary.empty()) names += fmt::format(" {}", command.name);
  }
  return names;
}

// In zsh, a colon separates a name from its description.
std::string zsh_description(std::string_view text) {
  std::string escaped;
  for (const char c : text) escaped += c == ':' ? std::string("\\:") : std::string(1, c);
  return escaped;
}

std::string man_page_begin() {
  std::string text = fmt::format(
      ".TH FRGAN 1 \"\" \"frgan {}\" \"User Commands\"\n.SH NAME\nfrgan \\- semi\\-supervised image classification "
      "with "
      "GANs\n.SH SYNOPSIS\n\\fBfrgan\\fR COMMAND [WORDS] [OPTIONS]\n.SH DESCRIPTION\nTrains an image classifier from a "
      "few labeled and many unlabeled images, and evaluates and applies it.\n.SH COMMANDS\n",
      version());
  for (const Command& command : all_commands()) {
    if (command.summary.empty()) continue;
    text += fmt::format(".TP\n\\fB{}\\fR\n{}\n", command.name, roff(std::string(command.summary)));
  }
  return text + fmt::format(".TP\n\\fBhelp\\fR\n{}\n.SH OPTIONS\n", kHelpSummary);
}

std::string man_page_end() {
  return ".SH ENVIRONMENT\n.TP\n\\fBFRGAN_DATA\\fR\nFolder of the datasets. Default: data in the current folder.\n"
         ".SH EXIT STATUS\n0: success. 1: the work failed. 2: the command line was wrong. 129, 130, 143, 152: stopped "
         "by SIGHUP, SIGINT, SIGTERM or SIGXCPU.\n";
}

std::string bash_completion_begin() {
  return fmt::format(R"(# Completion of frgan for bash; written by `frgan options --format bash`.
_frgan() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} command=${{COMP_WORDS[1]}}
  local words= names= first=2
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '{0}' -- "$current"))
    return
  fi
  if [[ $command == data && $COMP_CWORD -gt 2 ]]; then
    command="data ${{COMP_WORDS[2]}}" first=3
  fi
  case $command in
    help) names='{0}' ;;
    data) names='info fetch convert' ;;
)",
                     command_names());
}

std::string bash_completion_end() {
  return R"(  esac
  if [[ $current == -* || ( $previous == --* && $words != *--* ) ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  elif ((COMP_CWORD == first)); then
    COMPREPLY=($(compgen -W "$names" -- "$current"))
  fi
  if [[ ${#COMPREPLY[@]} == 0 && $current != -* ]]; then
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -F _frgan frgan
)";
}

std::string zsh_completion_begin() {
  std::string text =
      "#compdef frgan\n# Completion of frgan for zsh; written by `frgan options --format zsh`.\n_frgan() {\n" +
      fmt::format("  local -a commands=(\n    'help:{}'\n", kHelpSummary);
  for (const Command& command : all_commands()) {
    if (!command.summary.empty()) {
      text += fmt::format("    '{}:{}'\n", command.name, zsh_description(command.summary));
    }
  }
  return text +
         "  )\n  if ((CURRENT == 2)) || [[ $words[2] == help && CURRENT -eq 3 ]]; then\n    _describe command "
         "commands\n    return\n  fi\n"
         "  local command=$words[2]\n  if [[ $command == data ]]; then\n    if ((CURRENT == 3)); then\n"
         "      _values action info fetch convert\n      return\n    fi\n    command=\"data $words[3]\"\n    shift "
         "words\n    ((CURRENT--))\n  fi\n  shift words\n  ((CURRENT--))\n  case $command in\n";
}

std::string zsh_completion_end() {
  return "  esac\n}\n_frgan \"$@\"\n";
}

constexpr std::string_view kMarkdownBegin = R"(# Options

`frgan options --format markdown` writes this page; a test fails if it is stale.

On the command line, an option is `--name VALUE` or `--name=VALUE`, and a flag is `--name` or `--no-name`. In a config
file (`--config FILE`, TOML), it is `name = VALUE`. Precedence, from high to low: command line, config file, preset
(`--preset NAME`), default. Labels such as A13 refer to the readings of the paper in [docs/paper.md](paper.md).
)";

std::string old_names_table() {
  std::string text =
      "\n## Old names\n\nThese options and keys were renamed. Command lines, config files, plans, checkpoints and "
      "records with the old names still work.\n\n| old name | name |\n|---|---|\n";
  for (const OldName& renamed : kOldNames) text += fmt::format("| `{}` | `{}` |\n", renamed.old_name, renamed.name);
  return text;
}

// The begin and the end of the file, around the pages of the commands.
std::string begin_of(const std::string& format) {
  if (format == "man") return man_page_begin();
  if (format == "bash") return bash_completion_begin();
  if (format == "zsh") return zsh_completion_begin();
  return std::string(kMarkdownBegin);
}

std::string end_of(const std::string& format) {
  if (format == "man") return man_page_end();
  if (format == "bash") return bash_completion_end();
  if (format == "zsh") return zsh_completion_end();
  return old_names_table();
}

}  // namespace

int run_options(std::span<const std::string> arguments) {
  constexpr Syntax kSyntax = {"options", "", "Writes the options of all commands to stdout."};
  std::string format = "markdown";
  OptionSet options;
  options.group("Output", /*saved=*/false);
  options.add("format", format, "docs/options.md, the man page, or completion for a shell.",
              Choices{"markdown", "man", "bash", "zsh"});
  if (print_help(kSyntax, arguments, options)) return 0;
  read_arguments(kSyntax, arguments, options);
  const std::string request = "--help-format=" + format;
  print_output("{}", begin_of(format));
  for (const Command& command : all_commands()) {
    if (!command.summary.empty()) command.run({&request, 1});
  }
  print_output("{}", end_of(format));
  return 0;
}

}  // namespace frgan
