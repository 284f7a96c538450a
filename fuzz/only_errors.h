// The check of every fuzz target: any input is either accepted or rejected with an Error of one line.
#pragma once

#include <cstdlib>
#include <string_view>

#include "frgan/core/error.h"

namespace frgan {

// Calls `read`; aborts if it throws an Error of several lines. Other exceptions are not caught and end the fuzzer.
template <class Read>
void expect_only_errors(Read read) {
  try {
    read();
  } catch (const Error& error) {
    if (std::string_view(error.what()).find('\n') != std::string_view::npos) std::abort();
  }
}

}  // namespace frgan
