// Signals that end a command in order: SIGINT (Ctrl-C), SIGTERM, SIGHUP (a closed terminal) and SIGXCPU (a CPU limit).
#pragma once

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <unistd.h>

namespace frgan {

// The received signal, or 0.
inline std::atomic<int> stop_signal = 0;

// The line that the first signal prints at once, such as "writing a checkpoint; press Ctrl-C again to stop at once\n".
inline std::atomic<const char*> stop_message = nullptr;

// Runs in a signal handler: calls only async-signal-safe functions.
inline void handle_stop_signal(int signal) {
  // The kernel repeats SIGXCPU every second until the hard limit.
  if (stop_signal != 0 && signal != SIGXCPU) {
    std::signal(signal, SIG_DFL);
    raise(signal);
    return;
  }
  if (stop_signal.exchange(signal) != 0) return;
  const int error = errno;
  if (const char* const message = stop_message) {
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, message, std::strlen(message));
  }
  errno = error;
}

// From now on, the first signal prints `message`, which must end with a line break, and sets stop_signal. The second
// ends the program at once. SIGHUP stays ignored under nohup.
inline void stop_on_signals(const char* message) {
  stop_message = message;
  struct sigaction action = {}, before = {};
  action.sa_handler = handle_stop_signal;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGXCPU}) {
    sigaction(signal, nullptr, &before);
    if (signal != SIGHUP || before.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
  }
}

}  // namespace frgan
