// What a person sees while a run trains: a line that is drawn anew, or plain lines in a file or pipe.
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

// Columns of the terminal behind a file descriptor; 0 where it is no terminal.
int terminal_width(int descriptor);

// Where and when progress is written.
struct ProgressOutput {
  std::ostream& stream;
  std::function<int()> width;       // columns, asked before each line; 0: no terminal
  std::function<double()> seconds;  // a clock that only goes forward
};
// Standard error and the steady clock.
ProgressOutput standard_error_progress();

// "step 1200/4000 (30 %)  epoch 1.6  supervised 0.42  ...  lr 3.0e-04  512 images/s  14 min left"
//
//   Progress progress(standard_error_progress(), /*steps=*/4000, /*first_step=*/0);
//   progress.show(record);              // as often as there is a record
//   progress.say("checkpoint written");
//
// On a terminal the line is redrawn in place, at most five times a second, over as many rows as it needs. Elsewhere a
// record becomes a line of its own, at most one in ten seconds. The first and the last record are always shown.
class Progress {
 public:
  Progress(ProgressOutput output, int64_t steps, int64_t first_step);
  // Ends the line that stands.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(const StepRecord& record);
  // A line that stays, above the one that is redrawn.
  void say(std::string_view message);

 private:
  void draw(int width);
  // Takes away the rows that stand, so that what follows begins where they did.
  void clear();

  ProgressOutput output_;
  int64_t steps_;
  int64_t first_step_;
  double begin_;                 // seconds
  std::optional<double> drawn_;  // seconds
  std::string line_;             // the newest record's
  size_t rows_ = 0;              // on a terminal: that stand, the last without its end
};

// The line of a record; `seconds_left` below 0 is not known.
std::string progress_line(const StepRecord& record, int64_t steps, double seconds_left);

// The line broken between its parts, each row of at most `columns` characters.
std::vector<std::string> progress_rows(std::string_view line, size_t columns);

// "45 s", "14 min", "3 h 05 min", "2 d 4 h"
std::string duration_text(double seconds);

}  // namespace frgan
