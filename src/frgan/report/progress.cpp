#include "frgan/report/progress.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <utility>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

constexpr double kRedrawSeconds = 0.2;
constexpr double kPlainLineSeconds = 10;
constexpr std::string_view kGap = "  ";  // separates the parts of a line

}  // namespace

int terminal_width(int descriptor) {
  constexpr int kUnknownWidth = 80;
  if (::isatty(descriptor) == 0) return 0;
  winsize size{};
  const bool known = ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kUnknownWidth;
}

ProgressOutput standard_error_progress() {
  const auto seconds = [] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  };
  return {std::cerr, [] { return terminal_width(STDERR_FILENO); }, seconds};
}

std::string duration_text(double seconds) {
  const auto rounded = static_cast<int64_t>(std::llround(seconds));
  if (rounded < 60) return fmt::format("{} s", rounded);
  const int64_t minutes = (rounded + 30) / 60, hours = minutes / 60;
  if (hours == 0) return fmt::format("{} min", minutes);
  if (hours < 24) return fmt::format("{} h {:02} min", hours, minutes % 60);
  return fmt::format("{} d {} h", hours / 24, hours % 24);
}

std::string progress_line(const StepRecord& record, int64_t steps) {
  std::string line = fmt::format("step {}/{} ({} %)  epoch {:.1f}", record.step, steps,
                                 steps > 0 ? 100 * record.step / steps : 100, record.epoch);
  for (const auto& [name, value] : record.losses) line += fmt::format("  {} {:.4g}", name, value);
  line += fmt::format("  lr {:.1e}  {:.0f} images/s", record.learning_rate, record.images_per_second);
  if (record.seconds_left >= 0) line += fmt::format("  {} left", duration_text(record.seconds_left));
  return line;
}

std::vector<std::string> progress_rows(std::string_view line, size_t columns) {
  std::vector<std::string> rows;
  while (!line.empty()) {
    const std::string_view part = line.substr(0, line.find(kGap));
    line.remove_prefix(std::min(line.size(), part.size() + kGap.size()));
    if (rows.empty() || rows.back().size() + kGap.size() + part.size() > columns) {
      rows.emplace_back(part.substr(0, columns));
    } else {
      rows.back().append(kGap).append(part);
    }
  }
  return rows;
}

Progress::Progress(ProgressOutput output, int64_t steps, bool quiet)
    : output_(std::move(output)), steps_(steps), quiet_(quiet) {}

Progress::~Progress() {
  if (rows_ > 0) output_.stream << '\n' << std::flush;
}

void Progress::show(const StepRecord& record) {
  if (quiet_) return;
  const double now = output_.seconds();
  line_ = progress_line(record, steps_);
  const int width = output_.width();
  const double interval = width > 0 ? kRedrawSeconds : kPlainLineSeconds;
  if (drawn_ && now - *drawn_ < interval && record.step < steps_) return;
  drawn_ = now;
  draw(width);
}

void Progress::say(std::string_view message) {
  if (!quiet_) print(one_line(message));
}

void Progress::warn(std::string_view message) {
  print(fmt::format("warning: {}", one_line(message)));
}

void Progress::print(std::string_view line) {
  const bool redraw = rows_ > 0;
  clear();
  output_.stream << line << '\n';
  if (redraw) draw(output_.width());
  output_.stream << std::flush;
}

void Progress::draw(int width) {
  if (width == 0) {
    output_.stream << line_ << '\n' << std::flush;
    return;
  }
  clear();
  // One column less than the terminal: a full row would wrap, and the next redraw would start one row too low.
  const std::vector<std::string> rows = progress_rows(line_, static_cast<size_t>(std::max(1, width - 1)));
  output_.stream << fmt::format("{}", fmt::join(rows, "\n")) << std::flush;
  rows_ = rows.size();
}

void Progress::clear() {
  if (rows_ == 0) return;
  if (rows_ > 1) output_.stream << fmt::format("\x1b[{}A", rows_ - 1);  // cursor up
  output_.stream << "\r\x1b[J";                                         // erase to the end of the screen
  rows_ = 0;
}

}  // namespace frgan
