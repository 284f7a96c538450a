// The program: a table of commands, and the one place that catches what they throw.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "app/command_line.h"
#include "app/commands.h"
#include "frgan/core/error.h"

namespace frgan {
namespace {

constexpr Command kCommands[] = {
    {"train", "trains a classifier from few labels", run_train},
    {"evaluate", "prints the error of a trained network, by class, and compares two", run_evaluate},
    {"predict", "says what is on image files", run_predict},
    {"generate", "makes new images", run_generate},
    {"score", "scores generated images: Inception Score, distances, precision", run_score},
    {"reproduce", "does a table or figure of the paper", run_reproduce},
    {"sweep", "does a comparison of your own, a plan in a file", run_sweep},
    {"report", "shows runs as one HTML page: errors, curves, mistakes, images", run_report},
    {"bench", "measures the training step on this machine", run_bench},
    {"data", "looks into a dataset, fetches or converts it", run_data},
    {"methods", "lists the methods and presets", run_methods},
    {"version", "says which frgan this is, and what it finds on this machine", run_version},
    {"options", "", run_options},
};

std::string overview() {
  std::string text = "Usage: frgan COMMAND [WORDS] [OPTIONS]\n\nImage classifiers from few labels.\n\nCommands:\n";
  for (const Command& command : kCommands) {
    if (!command.summary.empty()) text += fmt::format("  {:<10} {}\n", command.name, command.summary);
  }
  return text + "\nfrgan COMMAND --help says more.\n";
}

int run(std::span<const std::string> arguments) {
  if (arguments.empty()) {
    fmt::print(stderr, "{}", overview());
    return 2;
  }
  const std::string& name = arguments.front();
  if (name == "--help" || name == "-h") {
    fmt::print("{}", overview());
    return 0;
  }
  if (name == "--version") return run_version({});
  std::vector<std::string> names;
  for (const Command& command : kCommands) {
    if (command.name == name) return command.run(arguments.subspan(1));
    names.emplace_back(command.name);
  }
  throw usage_error(fmt::format("'{}' is no command{} (frgan --help lists them)", name, nearest_hint(name, names)));
}

// LibTorch's messages go on with a trace of the stack, which is of no use to the person at the terminal.
std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

std::span<const Command> all_commands() {
  return kCommands;
}

}  // namespace frgan

int main(int argc, char** argv) {
  // A file-size limit then is an error of write(), with a message.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    const int code = frgan::run(arguments);
    if (std::fflush(stdout) != 0) throw frgan::Error("the output could not be written; is the disk full?");
    return code;
  } catch (const frgan::Error& error) {
    fmt::print(stderr, "frgan: {}\n", error.what());
    return error.kind() == frgan::ErrorKind::kUsage ? 2 : 1;
  } catch (const std::filesystem::filesystem_error& error) {
    fmt::print(stderr, "frgan: {}: {}\n", frgan::one_line(error.path1().string()), error.code().message());
    return 1;
  } catch (const std::system_error& error) {  // of stdout
    fmt::print(stderr, "frgan: {}\n", error.what());
    return 1;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "frgan: out of memory\n");
    return 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "frgan: unexpected error, please report it: {}\n", frgan::first_line(error.what()));
    return 1;
  }
}
