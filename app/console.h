// Output to stdout and stderr. Names of files, classes and plans may contain escape sequences for the terminal, so all
// text is escaped before it is printed.
#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

#include "frgan/core/json.h"

namespace frgan {

// Opens /dev/null for each of stdin, stdout and stderr that is closed. Otherwise, the next file that is opened would
// get its number, and messages would be written into that file. Printing results to a closed stdout still fails. Call
// it first in `main`.
void open_closed_descriptors();

// For commands that run unattended: from now on, writing to a closed terminal or pipe does not end the program.
void ignore_broken_output();

// The text with control characters escaped, except line breaks.
std::string printable(std::string_view text);

// JSON with all control characters escaped. `indent` as for Json::dump.
std::string json_text(const Json& json, int indent = -1);

// Writes bytes unchanged to stderr, and ignores errors: a message that nobody can read must not end the program.
void write_to_stderr(std::string_view bytes) noexcept;

// Used by the templates below.
void vprint_message(fmt::string_view format, fmt::format_args arguments) noexcept;
void vprint_output(fmt::string_view format, fmt::format_args arguments);
void vprint_unattended(fmt::string_view format, fmt::format_args arguments);

// Prints notes, warnings, errors and progress to stderr. Errors are ignored.
template <class... T>
void print_message(fmt::format_string<T...> format, const T&... arguments) noexcept {
  vprint_message(format, fmt::make_format_args(arguments...));
}

// Prints results to stdout. Throws an Error if they cannot be written.
template <class... T>
void print_output(fmt::format_string<T...> format, const T&... arguments) {
  vprint_output(format, fmt::make_format_args(arguments...));
}

// Prints results to stdout that files contain too, at the end of long work. Errors are ignored, so that a closed
// terminal or a full disk does not change the exit code.
template <class... T>
void print_unattended(fmt::format_string<T...> format, const T&... arguments) {
  vprint_unattended(format, fmt::make_format_args(arguments...));
}

}  // namespace frgan
