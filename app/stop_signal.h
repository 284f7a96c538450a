// Ctrl-C and SIGTERM, for commands that end their work in order.
#pragma once

#include <atomic>
#include <csignal>

namespace frgan {

// The signal that came, or 0.
inline std::atomic<int> stop_signal = 0;

// From here on a first signal is only noted, and a second one ends the program at once.
inline void stop_on_signals() {
  struct sigaction action = {};
  action.sa_handler = [](int signal) { stop_signal = signal; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace frgan
