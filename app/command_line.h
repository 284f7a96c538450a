// Reads the arguments of `frgan COMMAND` into an OptionSet.
//
//   int run_evaluate(std::span<const std::string> arguments) {
//     EvaluateOptions evaluate;
//     OptionSet options;
//     describe(options, evaluate);
//     if (print_help(kSyntax, arguments, options)) return 0;  // app/help.h
//     const std::vector<std::string> words = read_arguments(kSyntax, arguments, options);
//     ...
//
// An option is --name VALUE or --name=VALUE; a flag is --name or --no-name. -o is short for --output, -q for --quiet.
// A value that begins with -- needs the '='. Everything after a lone -- is a word. Abbreviations and repeated options
// are errors.
#pragma once

#include <cstddef>
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
  std::string_view summary;  // what the command does, in one to three sentences
  size_t least_words = 0;    // number of words that are not options
  size_t most_words = 0;
  std::span<const std::string_view> important = {};    // at most ten options, shown first
  std::span<const std::string_view> examples = {};     // command lines, without "frgan "
  std::span<const std::string> word_suggestions = {};  // for shell completion: what the first word may be
};

// Sets the options and returns the words. Throws a usage error for anything else.
std::vector<std::string> read_arguments(const Syntax& syntax, std::span<const std::string> arguments,
                                        OptionSet& options);

// The value typed for one option, for options that decide which other options exist (--method, --preset).
std::optional<std::string> typed_value(std::span<const std::string> arguments, std::string_view name);
// Whether this argument was typed before a lone --.
bool typed(std::span<const std::string> arguments, std::string_view argument);

// Declares --quiet.
void add_quiet(OptionSet& options, bool& quiet);

}  // namespace frgan
