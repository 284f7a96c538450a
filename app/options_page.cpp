// frgan options --markdown: docs/options.md, made from the declarations themselves.
#include <fmt/format.h>

#include "app/command_line.h"
#include "app/commands.h"
#include "frgan/core/error.h"

namespace frgan {

int run_options(std::span<const std::string> arguments) {
  constexpr Syntax kSyntax = {"options", "", "Writes docs/options.md to stdout."};
  bool markdown = false;
  OptionSet options;
  options.group("Output");
  options.add("markdown", markdown, "As Markdown, which is the only form.");
  if (print_help(kSyntax, arguments, options)) return 0;
  read_arguments(kSyntax, arguments, options);
  if (!markdown) throw usage_error("frgan options needs --markdown; frgan COMMAND --help shows one command's options");
  fmt::print(
      "# Options\n\n"
      "Written by `frgan options --markdown`; a test fails when this page is stale.\n\n"
      "On the command line an option is `--name VALUE` or `--name=VALUE`, and a flag `--name` or `--no-name`. In a "
      "config\n"
      "file (`--config FILE`, TOML) it is `name = VALUE`. A preset (`--preset NAME`) counts more than the defaults, a\n"
      "config file more than a preset, and the command line more than both. A13 and the like are readings of the "
      "paper\n"
      "where it is not clear: docs/paper.md.\n");
  const std::string request = "--help-markdown";
  for (const Command& command : all_commands()) {
    if (!command.summary.empty()) command.run({&request, 1});
  }
  return 0;
}

}  // namespace frgan
