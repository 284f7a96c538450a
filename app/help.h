// Help in all its forms, from the declarations of the options: terminal text, Markdown, man page, shell completion.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/command_line.h"
#include "frgan/core/options.h"

namespace frgan {

// What --help-format=NAME prints; --help and -h are kText. The others build docs/options.md and the installed files.
enum class HelpFormat { kText, kMarkdown, kMan, kBash, kZsh };

// The form of help that was asked for; empty if none was.
std::optional<HelpFormat> requested_help(std::span<const std::string> arguments);

// The help of one command. For kText, the most important options come first (Syntax::important).
std::string help_page(HelpFormat format, const Syntax& syntax, const std::vector<OptionGroup>& groups);

// If help was asked for, prints it to stdout and returns true.
bool print_help(const Syntax& syntax, std::span<const std::string> arguments, const OptionSet& options);

// The text with roff's special characters escaped.
std::string roff(const std::string& text);

}  // namespace frgan
