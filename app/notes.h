// Notes, warnings and progress on stderr.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "frgan/core/messages.h"

namespace frgan {

// Prints notes, such as unreadable images, unless `quiet`.
inline void print_notes(const std::vector<std::string>& notes, bool quiet) {
  if (quiet) return;
  for (const std::string& note : notes) fmt::print(stderr, "note: {}\n", note);
}

inline void print_warnings(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) fmt::print(stderr, "warning: {}\n", warning);
}

// Prints the messages of library functions; if `quiet`, only warnings.
inline Messages printed_messages(bool quiet) {
  Messages messages;
  messages.warning = [](const std::string& text) { fmt::print(stderr, "warning: {}\n", text); };
  if (quiet) return messages;
  messages.note = [](const std::string& text) { fmt::print(stderr, "note: {}\n", text); };
  messages.progress = [](const std::string& text) { fmt::print(stderr, "{}\n", text); };
  return messages;
}

}  // namespace frgan
