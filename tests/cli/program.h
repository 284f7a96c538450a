// Runs the program as a person would, and keeps what it prints.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace frgan {

struct Outcome {
  int code = -1;  // of exit; 128 + the signal that ended it
  std::string out;
  std::string err;
};

// Nothing happens to a program that ends before `when` is true.
struct Interruption {
  int signal = 0;
  std::function<bool()> when;
};

// `environment`: "NAME=VALUE" in addition to this process's own.
Outcome run_frgan(const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {},
                  const Interruption& interruption = {});

}  // namespace frgan
