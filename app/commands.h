// The commands of the program: what main.cpp dispatches to. Each is one file, app/NAME.cpp.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace frgan {

// A command prints its results to stdout and everything else to stderr, and returns the exit code (0, or 130 and 143
// after a signal). It throws frgan::Error; `main` prints that and exits with 2 or 1. `arguments` are those after the
// command's name, to be read with `read_arguments`.
int run_train(std::span<const std::string> arguments);
int run_evaluate(std::span<const std::string> arguments);
int run_predict(std::span<const std::string> arguments);
int run_generate(std::span<const std::string> arguments);
int run_score(std::span<const std::string> arguments);
int run_reproduce(std::span<const std::string> arguments);
int run_sweep(std::span<const std::string> arguments);
int run_report(std::span<const std::string> arguments);
int run_bench(std::span<const std::string> arguments);
int run_data(std::span<const std::string> arguments);
int run_methods(std::span<const std::string> arguments);
int run_version(std::span<const std::string> arguments);
int run_options(std::span<const std::string> arguments);  // hidden: writes docs/options.md

struct Command {
  std::string_view name;
  std::string_view summary;  // one line for `frgan --help`; empty: not listed
  int (*run)(std::span<const std::string> arguments);
};

// In the order of `frgan --help`.
std::span<const Command> all_commands();

}  // namespace frgan
