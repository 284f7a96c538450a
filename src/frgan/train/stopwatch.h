// Wall-clock time in seconds.
#pragma once

#include <chrono>

namespace frgan {

class Stopwatch {
 public:
  // Starts at `offset` seconds.
  explicit Stopwatch(double offset = 0) : offset_(offset) {}
  double seconds() const { return offset_ + std::chrono::duration<double>(Clock::now() - begin_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  double offset_;
  Clock::time_point begin_ = Clock::now();
};

// Adds the seconds of its lifetime to a sum.
class ScopedTimer {
 public:
  explicit ScopedTimer(double& sum) : sum_(sum) {}
  ScopedTimer(const ScopedTimer&) = delete;
  ScopedTimer& operator=(const ScopedTimer&) = delete;
  ~ScopedTimer() { sum_ += stopwatch_.seconds(); }

 private:
  double& sum_;
  Stopwatch stopwatch_;
};

}  // namespace frgan
