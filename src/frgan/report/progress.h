// Progress display of a training run: a line redrawn in place on a terminal, plain lines in a file or pipe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "frgan/report/step_record.h"

namespace frgan {

// Columns of the terminal behind a file descriptor; 0 if it is not a terminal; 80 if the width is unknown.
int terminal_width(int descriptor);

// Output stream, terminal width and clock of a progress display.
struct ProgressOutput {
  std::ostream& stream;
  std::function<int()> width;       // columns, queried before each line; 0: not a terminal
  std::function<double()> seconds;  // monotonic clock
};
// Standard error and the steady clock.
ProgressOutput standard_error_progress();

// "step 1200/4000 (30 %)  epoch 1.6  supervised 0.42  ...  lr 3.0e-04  512 images/s  14 min left"
//
//   Progress progress(standard_error_progress(), /*steps=*/4000);
//   progress.show(record);              // for every record
//   progress.say("checkpoint written");
//
// On a terminal, the line is redrawn in place at most five times a second and wraps over several rows if necessary.
// Elsewhere, at most one line is printed every ten seconds. The first and the last record are always shown. If `quiet`,
// only warnings are printed.
class Progress {
 public:
  Progress(ProgressOutput output, int64_t steps, bool quiet = false);
  // Ends the progress line with a line break.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Changes the number of steps of the run.
  void set_steps(int64_t steps) { steps_ = steps; }
  void show(const StepRecord& record);
  // Prints a permanent line above the progress line.
  void say(std::string_view message);
  // The same with "warning: " before the message, also if quiet.
  void warn(std::string_view message);

 private:
  void draw(int width);
  void print(std::string_view line);
  // Erases the progress line and moves the cursor to its first row.
  void clear();

  ProgressOutput output_;
  int64_t steps_;
  bool quiet_;
  std::optional<double> drawn_;  // time of the last drawing, seconds
  std::string line_;             // text of the newest record
  size_t rows_ = 0;              // terminal rows of the progress line on screen; the last has no line break
};

// The progress line of a record of a run of `steps` steps.
std::string progress_line(const StepRecord& record, int64_t steps);

// Wraps a progress line between its parts into rows of at most `columns` characters; longer parts are cut.
std::vector<std::string> progress_rows(std::string_view line, size_t columns);

// Formats a duration: "45 s", "14 min", "3 h 05 min", "2 d 4 h".
std::string duration_text(double seconds);

}  // namespace frgan
