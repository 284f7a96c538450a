#include "frgan/train/thread_team.h"

#include <algorithm>
#include <utility>

#include "frgan/metrics/statistics.h"

namespace frgan {
namespace {

constexpr size_t kRecentSteps = 5, kFewestSteps = 3;
constexpr double kPeriod = 1;          // seconds of steps between two looks at the run queue
constexpr double kSlow = 1.5;          // times the usual step: something changed
constexpr double kBusy = 0.15;         // share of the time that threads wait for a core: other programs run
constexpr double kBetter = 0.9;        // times the present step: worth another number of threads
constexpr double kHopeless = 2;        // times the present step: ends a trial
constexpr double kHopelessFirst = 10;  // the same for the first step of a trial, which also sets up the new team
constexpr double kTrialSeconds = 0.1;  // a trial takes this long, and one to ten timed steps
constexpr int64_t kMostTrialSteps = 10;
constexpr double kTrialShare = 0.02;  // of the time that trials may take
constexpr double kFirstGrowth = 10;   // seconds until a larger team is tried; doubles after each failure
constexpr double kMostGrowth = 300;

}  // namespace

ThreadTeam::ThreadTeam(int64_t most)
    : most_(most), threads_(most), next_growth_(kFirstGrowth), growth_pause_(kFirstGrowth) {}

void ThreadTeam::choose(const std::function<double(int64_t threads)>& time) {
  settle(most_, time(most_));
  for (int64_t threads = most_ / 2; threads > 0; threads /= 2) {
    const double seconds = time(threads);
    if (seconds > step_seconds_) break;
    settle(threads, seconds);
  }
}

void ThreadTeam::settle(int64_t threads, double step_seconds) {
  threads_ = threads;
  step_seconds_ = step_seconds;
  recent_.clear();
  observed_ = 0;
  waited_.reset();
}

bool ThreadTeam::is_slow() const {
  return recent_.size() >= kFewestSteps && median(recent_) > kSlow * step_seconds_;
}

bool ThreadTeam::waited_much(const std::function<double()>& waited) {
  const double now = waited();
  const double share = waited_ ? (now - *waited_) / (observed_ * static_cast<double>(threads_)) : 0;
  waited_ = now;
  observed_ = 0;
  return share > kBusy;
}

bool ThreadTeam::after_step(double seconds, const std::function<double()>& waited) {
  clock_ += seconds;
  if (trial_) {
    spent_ += seconds;
    if (++trial_->step > 0) trial_->seconds.push_back(seconds);
    const auto steps = std::clamp<int64_t>(static_cast<int64_t>(kTrialSeconds / seconds), 1, kMostTrialSteps);
    const double hopeless = (trial_->step == 0 ? kHopelessFirst : kHopeless) * step_seconds_;
    return trial_->step >= steps || seconds > hopeless ? end_trial() : false;
  }
  recent_.push_back(seconds);
  if (recent_.size() > kRecentSteps) recent_.erase(recent_.begin());
  observed_ += seconds;
  const bool looks = observed_ >= kPeriod;
  const bool contended = looks && threads_ > 1 && waited_much(waited);
  if (threads_ > 1 && (is_slow() || contended) && clock_ >= next_shrink_) {
    step_seconds_ = median(recent_);
    begin_trial(threads_ / 2);
  } else if (threads_ < most_ && clock_ >= next_growth_) {
    step_seconds_ = median(recent_);
    begin_trial(std::min(most_, 2 * threads_));
  } else if (looks) {
    observed_ = 0;
    step_seconds_ = std::min(step_seconds_, median(recent_));
  }
  return false;
}

void ThreadTeam::begin_trial(int64_t threads) {
  trial_ = Trial{threads};
  spent_ = 0;
}

bool ThreadTeam::end_trial() {
  const Trial trial = *std::exchange(trial_, std::nullopt);
  const bool grows = trial.threads > threads_;
  const double seconds = trial.seconds.empty() ? kHopeless * step_seconds_ : median(trial.seconds);
  const bool better = seconds < kBetter * step_seconds_;
  const double cost = spent_ / kTrialShare;
  if (grows) {
    growth_pause_ = better ? kFirstGrowth : std::min(2 * growth_pause_, kMostGrowth);
  } else {
    growth_pause_ = kFirstGrowth;
    next_shrink_ = better ? 0 : clock_ + std::max(cost, kFirstGrowth);
  }
  next_growth_ = clock_ + std::max(cost, growth_pause_);
  settle(better ? trial.threads : threads_, better ? seconds : step_seconds_);
  if (better && !grows && threads_ > 1) begin_trial(threads_ / 2);
  if (better && grows && threads_ < most_) begin_trial(std::min(most_, 2 * threads_));
  return better;
}

double timed_step_seconds(const std::function<double(int timed)>& median_step) {
  constexpr double kShort = 0.1;  // seconds
  const double seconds = median_step(/*timed=*/1);
  return seconds < kShort ? median_step(/*timed=*/4) : seconds;
}

}  // namespace frgan
