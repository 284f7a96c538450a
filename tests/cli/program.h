// Runs the frgan program as a child process and captures its output.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace frgan {

struct Outcome {
  int code = -1;  // exit code; 128 + signal number if a signal ended the program
  std::string out;
  std::string err;
};

// Sends `signal` as soon as `when` returns true. No signal is sent if the program ends earlier.
struct Interruption {
  int signal = 0;
  std::function<bool()> when;
};

// Waits for the end of the program. `environment` adds variables, "NAME=VALUE", to the inherited ones.
Outcome run_frgan(const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {},
                  const Interruption& interruption = {});

// The content of a file, which must not be empty.
std::string text_of(const std::filesystem::path& path);

}  // namespace frgan
