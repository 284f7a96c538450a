// Signals that end a command in order: SIGINT (Ctrl-C), SIGTERM, SIGHUP (a closed terminal) and SIGXCPU (a CPU limit).
#pragma once

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ctime>

#include <unistd.h>

namespace frgan {

// The received signal, or 0.
inline std::atomic<int> stop_signal = 0;

// When it was received: CLOCK_MONOTONIC in milliseconds.
inline std::atomic<int64_t> stop_milliseconds = 0;

// The line that the first signal prints at once, such as "writing a checkpoint\n".
inline std::atomic<const char*> stop_message = nullptr;

inline int64_t monotonic_milliseconds() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{1000} * now.tv_sec + now.tv_nsec / 1'000'000;
}

// Whether another signal asks to end at once. One event may send several signals: a closed terminal sends SIGHUP twice,
// and `timeout` and systemd send SIGTERM to a process and to its group. The kernel repeats SIGXCPU every second.
inline bool ends_at_once(int signal) {
  constexpr int64_t kOneEvent = 1000;  // ms
  return (signal == SIGINT || signal == SIGTERM) && monotonic_milliseconds() - stop_milliseconds > kOneEvent;
}

// Runs in a signal handler: calls only async-signal-safe functions.
inline void handle_stop_signal(int signal) {
  const int error = errno;
  int64_t never = 0;
  stop_milliseconds.compare_exchange_strong(never, monotonic_milliseconds());
  int none = 0;
  const bool is_first = stop_signal.compare_exchange_strong(none, signal);
  const char* const message = stop_message;
  if (is_first && message != nullptr) {
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, message, std::strlen(message));
  } else if (!is_first && ends_at_once(signal)) {
    std::signal(signal, SIG_DFL);
    raise(signal);
  }
  errno = error;
}

// From now on, the first signal prints `message`, which must end with a line break, and sets stop_signal. A later
// SIGINT or SIGTERM, after a second or more, ends the program at once. SIGHUP stays ignored under nohup.
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
