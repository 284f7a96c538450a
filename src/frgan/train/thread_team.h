// The number of CPU threads of a training step, chosen by measurements.
//
// Other programs on the same cores can make a team of threads many times slower than one thread: at the end of each
// parallel loop, all threads wait for the one whose core is busy. No fixed number or setting is always best, so the
// team times several sizes at the start: all cores, half of them, and so on until steps become slower. When steps
// become slow or threads wait for cores, it tries half the threads. Below the maximum, it tries twice as many at
// growing intervals.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace frgan {

//   ThreadTeam team(/*most=*/2);
//   team.choose(time_one_step);
//   for (;;) {
//     set_threads(team.threads());
//     train_a_step();
//     team.after_step(seconds, run_queue_seconds);
//   }
class ThreadTeam {
 public:
  // Starts with `most` threads, the number of usable cores.
  explicit ThreadTeam(int64_t most);

  int64_t threads() const { return trial_ ? trial_->threads : threads_; }
  // The number of threads that the team returns to after a trial.
  int64_t settled_threads() const { return threads_; }
  // Median seconds of a step with settled_threads(), when they were last timed.
  double step_seconds() const { return step_seconds_; }

  // Chooses the number of threads at the start. `time` returns the seconds of a step with this number of threads.
  // Halves the number while that does not make steps slower.
  void choose(const std::function<double(int64_t threads)>& time);

  // Continues with a number of threads that was chosen before, for which a step takes `step_seconds`.
  void settle(int64_t threads, double step_seconds);

  // Reports a step with threads() that took `seconds`. Then threads() may differ. Returns true if settled_threads()
  // changed. `waited` is called about once a second. It returns the seconds that the threads of this process were ready
  // to run but waited for a core, since some fixed time and summed over threads (device/machine.h: run_queue_seconds).
  bool after_step(double seconds, const std::function<double()>& waited);

 private:
  // A trial of one other size, in real training steps.
  struct Trial {
    int64_t threads;
    int64_t step = -1;  // number of timed steps; the first step of a new team is slow and does not count
    std::vector<double> seconds = {};
  };

  void begin_trial(int64_t threads);
  bool end_trial();
  bool is_slow() const;
  // Whether the threads waited for cores since the last call. Starts a new period of observation.
  bool waited_much(const std::function<double()>& waited);

  int64_t most_, threads_;
  double step_seconds_ = 0;
  std::vector<double> recent_ = {};  // seconds of the last steps with threads_
  std::optional<Trial> trial_ = {};
  double clock_ = 0;                    // seconds of all steps
  double observed_ = 0;                 // seconds of steps in the present period of observation
  std::optional<double> waited_ = {};   // result of `waited` at its beginning; empty after a change of the team
  double next_growth_, growth_pause_;   // clock_ of the next trial of a larger team; time between such trials
  double next_shrink_ = 0, spent_ = 0;  // clock_ before which no smaller team is tried; cost of the current trial
};

// The seconds of a step, for ThreadTeam::choose. `median_step` returns the median seconds of that many timed steps:
// one, or four if steps are short, because a single short step is measured poorly.
double timed_step_seconds(const std::function<double(int timed)>& median_step);

}  // namespace frgan
