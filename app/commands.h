// The commands of the program, which main.cpp dispatches to. Each is one file, app/NAME.cpp.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace frgan {

// A command prints its results to stdout and everything else to stderr. It returns the exit code: 0, 1 if a part of the
// work failed, 130 or 143 after a signal. It throws frgan::Error, which `main` prints; the exit code is then 2 or 1.
// `arguments` are those after the command's name, for `read_arguments`.
int run_train(std::span<const std::string> arguments);
int run_evaluate(std::span<const std::string> arguments);
int run_predict(std::span<const std::string> arguments);
int run_export(std::span<const std::string> arguments);
int run_generate(std::span<const std::string> arguments);
int run_score(std::span<const std::string> arguments);
int run_reproduce(std::span<const std::string> arguments);
int run_sweep(std::span<const std::string> arguments);
int run_report(std::span<const std::string> arguments);
int run_bench(std::span<const std::string> arguments);
int run_data(std::span<const std::string> arguments);
int run_methods(std::span<const std::string> arguments);
int run_version(std::span<const std::string> arguments);
int run_options(std::span<const std::string> arguments);  // hidden: writes docs/options.md and the installed help files

struct Command {
  std::string_view name;
  std::string_view summary;  // one line for `frgan help`; empty: not listed
  int (*run)(std::span<const std::string> arguments);
};

// In the order of `frgan help`.
std::span<const Command> all_commands();

}  // namespace frgan
