// Notes, warnings and progress on stderr.
#pragma once

#include <string>
#include <vector>

#include "app/console.h"
#include "frgan/core/error.h"
#include "frgan/core/messages.h"

namespace frgan {

// Prints notes, such as unreadable images, unless `quiet`.
inline void print_notes(const std::vector<std::string>& notes, bool quiet) {
  if (quiet) return;
  for (const std::string& note : notes) print_message("note: {}\n", one_line(note));
}

inline void print_warnings(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) print_message("warning: {}\n", one_line(warning));
}

// Prints the messages of library functions; if `quiet`, only warnings.
inline Messages printed_messages(bool quiet) {
  Messages messages;
  messages.warning = [](const std::string& text) { print_message("warning: {}\n", one_line(text)); };
  if (quiet) return messages;
  messages.note = [](const std::string& text) { print_message("note: {}\n", one_line(text)); };
  messages.progress = [](const std::string& text) { print_message("{}\n", one_line(text)); };
  return messages;
}

}  // namespace frgan
