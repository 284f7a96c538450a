// SIGINT (Ctrl-C) and SIGTERM, for commands that finish their work in order.
#pragma once

#include <atomic>
#include <csignal>

namespace frgan {

// The received signal, or 0.
inline std::atomic<int> stop_signal = 0;

// From now on, the first signal sets stop_signal and the second ends the program at once.
inline void stop_on_signals() {
  struct sigaction action = {};
  action.sa_handler = [](int signal) { stop_signal = signal; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace frgan
