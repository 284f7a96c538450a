// What a person types after `frgan COMMAND`: read into an OptionSet, and explained by --help.
//
//   int run_evaluate(std::span<const std::string> arguments) {
//     EvaluateOptions evaluate;
//     OptionSet options;
//     describe(options, evaluate);
//     if (print_help(kSyntax, arguments, options)) return 0;
//     const std::vector<std::string> words = read_arguments(kSyntax, arguments, options);
//     ...
//
// Options are --name VALUE or --name=VALUE; a flag is --name or --no-name. Where there is an --output, -o is it. A
// value that begins with -- needs the '='. Everything after a lone -- is a word. There are no abbreviations, and no
// option counts twice.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frgan/core/options.h"

namespace frgan {

// How a command is called.
struct Syntax {
  std::string_view command;  // "evaluate"
  std::string_view words;    // for the usage line: "CHECKPOINT", "CHECKPOINT IMAGE..."
  std::string_view summary;  // what the command does, in a sentence or two
  size_t least_words = 0;    // words that are not options
  size_t most_words = 0;
};

// Where --help or -h was typed, prints the help to stdout and returns true. (--help-markdown, which is not listed, is
// how docs/options.md is made.)
bool print_help(const Syntax& syntax, std::span<const std::string> arguments, const OptionSet& options);

// Sets the options and returns the words. Throws a usage error on anything that is not as described.
std::vector<std::string> read_arguments(const Syntax& syntax, std::span<const std::string> arguments,
                                        OptionSet& options);

// The text typed for one option, which is asked for before all options are known: which there are depends on it.
std::optional<std::string> typed_value(std::span<const std::string> arguments, std::string_view name);
// Whether this argument is among the options, before a lone --.
bool typed(std::span<const std::string> arguments, std::string_view argument);

// --help without its usage line, by groups: each option with its default and what is allowed.
std::string help_text(const OptionSet& options);
// The same as tables of Markdown, under headings of the given level; only what is wanted.
std::string markdown_text(
    const OptionSet& options, int level,
    const std::function<bool(const Option&)>& wanted = [](const Option&) { return true; });

}  // namespace frgan
