// A request to end long work early.
#pragma once

#include <functional>
#include <string>

#include "frgan/core/error.h"

namespace frgan {

// Returns true if the work should end. An empty function never ends it. May be called by several threads.
using StopCheck = std::function<bool()>;

// Throws an Error of kind kStopped if the work should end. `work` completes the message: "stopped while images were
// classified".
inline void throw_if_stopped(const StopCheck& stopped, const std::string& work) {
  if (stopped && stopped()) throw Error("stopped while " + work, ErrorKind::kStopped);
}

}  // namespace frgan
