// What every fuzz target asks: any input is read, or refused by an Error of one line.
#pragma once

#include <cstdlib>
#include <string_view>

#include "frgan/core/error.h"

namespace frgan {

template <class Read>
void expect_only_errors(Read read) {
  try {
    read();
  } catch (const Error& error) {
    if (std::string_view(error.what()).find('\n') != std::string_view::npos) std::abort();
  }
}

}  // namespace frgan
