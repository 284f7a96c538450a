// The program: a table of commands, and the only place that catches exceptions.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/stop_signal.h"
#include "frgan/core/error.h"

namespace frgan {
namespace {

constexpr Command kCommands[] = {
    {"train", "Trains a classifier from few labeled and many unlabeled images", run_train},
    {"evaluate", "Measures the error of a trained classifier, by class, and compares two classifiers", run_evaluate},
    {"predict", "Classifies image files", run_predict},
    {"export", "Writes a trained classifier for other programs: ONNX, safetensors, model card", run_export},
    {"generate", "Generates images", run_generate},
    {"score", "Scores generated images: Inception Score, distances, precision and recall", run_score},
    {"reproduce", "Reproduces a table or figure of the paper", run_reproduce},
    {"sweep", "Runs a comparison of methods, options and seeds that a plan file describes", run_sweep},
    {"report", "Writes an HTML page about runs: errors, curves, mistakes, generated images", run_report},
    {"bench", "Times and profiles the training step on this machine", run_bench},
    {"data", "Inspects, downloads or converts a dataset", run_data},
    {"methods", "Lists the methods and presets", run_methods},
    {"version", "Prints the version, the LibTorch build and the available devices", run_version},
    {"options", "", run_options},
};

std::string overview() {
  std::string text =
      "Usage: frgan COMMAND [WORDS] [OPTIONS]\n\n"
      "Semi-supervised learning of image classifiers: few labels, many unlabeled images.\n\nCommands:\n";
  for (const Command& command : kCommands) {
    if (!command.summary.empty()) text += fmt::format("  {:<10} {}\n", command.name, command.summary);
  }
  return text +
         "  help       Prints the help of a command\n\n"
         "Examples:\n"
         "  frgan train --data my-images --preset demo --labels 0 --time-budget 30m --run my-run\n"
         "  frgan evaluate my-run\n"
         "  frgan predict my-run new/*.jpg\n\n"
         "Run 'frgan COMMAND --help' for the options of a command.\n";
}

const Command& find_command(const std::string& name) {
  std::vector<std::string> names;
  for (const Command& command : kCommands) {
    if (command.name == name) return command;
    if (!command.summary.empty()) names.emplace_back(command.name);
  }
  throw usage_error(
      fmt::format("unknown command '{}'{} ('frgan help' lists all commands)", name, nearest_hint(name, names)));
}

// frgan help [COMMAND [ACTION]]
int run_help(std::span<const std::string> arguments) {
  if (arguments.empty() || arguments.front().starts_with('-')) {
    print_output("{}", overview());
    return 0;
  }
  std::vector<std::string> with_help(arguments.begin() + 1, arguments.end());
  with_help.emplace_back("--help");
  return find_command(arguments.front()).run(with_help);
}

int run(std::span<const std::string> arguments) {
  if (arguments.empty()) {
    print_message("{}", overview());
    return 2;
  }
  const std::string& name = arguments.front();
  if (name == "--help" || name == "-h") return run_help({});
  if (name == "help") return run_help(arguments.subspan(1));
  if (name == "--version") return run_version({});
  return find_command(name).run(arguments.subspan(1));
}

// LibTorch appends a stack trace to its messages.
std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

// Whether LibTorch could not allocate memory, on the CPU or on a GPU.
bool is_out_of_memory(std::string_view message) {
  return message.find("can't allocate memory") != std::string_view::npos ||
         message.find("not enough memory") != std::string_view::npos ||
         message.find("out of memory") != std::string_view::npos;
}

// What reduces the memory of a command; empty if it has no option for that.
std::string_view memory_remedy(std::string_view command) {
  if (command == "train") return "reduce --batch-size or --width, or use smaller images: ";
  if (command == "bench") return "reduce --batch-size, --width or --images: ";
  if (command == "generate" || command == "score") return "reduce --count: ";
  return "";
}

}  // namespace

std::span<const Command> all_commands() {
  return kCommands;
}

}  // namespace frgan

int main(int argc, char** argv) {
  frgan::open_closed_descriptors();
  // A write beyond a file-size limit then fails with an error code and gets a message.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    const int code = frgan::run(arguments);
    if (std::fflush(stdout) != 0) {
      throw frgan::Error(fmt::format("cannot write the output to stdout: {}", std::strerror(errno)));
    }
    return code;
  } catch (const frgan::Error& error) {
    frgan::print_message("frgan: {}\n", error.what());
    if (error.kind() == frgan::ErrorKind::kStopped && frgan::stop_signal != 0) return 128 + frgan::stop_signal;
    return error.kind() == frgan::ErrorKind::kUsage ? 2 : 1;
  } catch (const std::filesystem::filesystem_error& error) {
    frgan::print_message("frgan: {}: {}\n", frgan::one_line(error.path1().string()), error.code().message());
    return 1;
  } catch (const std::system_error& error) {  // such as a thread that cannot be started
    frgan::print_message("frgan: {}\n", error.what());
    return 1;
  } catch (const std::bad_alloc&) {
    frgan::write_to_stderr("frgan: out of memory\n");
    return 1;
  } catch (const std::exception& error) {
    if (frgan::is_out_of_memory(error.what())) {
      frgan::print_message("frgan: out of memory: {}{}\n", frgan::memory_remedy(argc > 1 ? argv[1] : ""),
                           frgan::first_line(error.what()));
      return 1;
    }
    frgan::print_message("frgan: unexpected error, please report it: {}\n", frgan::first_line(error.what()));
    return 1;
  }
}
