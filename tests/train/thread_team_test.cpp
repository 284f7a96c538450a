#include "frgan/train/thread_team.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace frgan {
namespace {

// Seconds of a step on two cores, typical of steps beside other programs.
struct Load {
  double one, two;    // threads
  double waited = 0;  // thread-seconds in the run queue per second, with two threads
};
constexpr Load kIdle{0.041, 0.030}, kNiced{0.045, 2.7, 1.0}, kEqual{0.041, 0.055, 0.4}, kBusy{0.050, 0.095, 0.8};

class ThreadTeamTest : public testing::Test {
 protected:
  static double time_of(const Load& load, int64_t threads) { return threads == 1 ? load.one : load.two; }

  // Trains for some seconds; returns the steps per second.
  double train(const Load& load, double seconds) {
    double clock = 0;
    int64_t steps = 0;
    for (; clock < seconds; ++steps) {
      const double step = time_of(load, team.threads());
      clock += step;
      if (team.threads() == 2) waited += step * load.waited;
      if (team.after_step(step, [this] { return waited; })) ++changes;
    }
    return static_cast<double>(steps) / clock;
  }
  static double best(const Load& load) { return 1 / std::min(load.one, load.two); }

  ThreadTeam team{2};
  int changes = 0;
  double waited = 0;  // thread-seconds in the run queue
};

TEST_F(ThreadTeamTest, ChoosesTheFasterSizeAtTheStart) {
  for (const auto& [load, threads] : {std::pair{kIdle, 2}, {kNiced, 1}, {kEqual, 1}, {kBusy, 1}}) {
    team.choose([&load = load](int64_t size) { return time_of(load, size); });
    EXPECT_EQ(team.threads(), threads) << load.two;
    EXPECT_EQ(team.step_seconds(), time_of(load, threads));
  }
}

TEST_F(ThreadTeamTest, KeepsItsSizeOnAnIdleMachine) {
  team.choose([](int64_t size) { return time_of(kIdle, size); });
  EXPECT_NEAR(train(kIdle, 600), best(kIdle), 1e-6);
  EXPECT_EQ(changes, 0);
}

// Each load begins while two threads train, and ends again.
TEST_F(ThreadTeamTest, FollowsTheLoad) {
  for (const Load& load : {kNiced, kEqual, kBusy}) {
    team.choose([](int64_t size) { return time_of(kIdle, size); });
    train(kIdle, 30);
    EXPECT_GT(train(load, 60), 0.5 * best(load)) << load.two;
    EXPECT_EQ(team.settled_threads(), 1);
    EXPECT_GT(train(load, 600), 0.9 * best(load)) << "trials of two threads cost too much at " << load.two;
    train(kIdle, 330);
    EXPECT_EQ(team.settled_threads(), 2) << "must notice that the load has ended";
    EXPECT_GT(train(kIdle, 60), 0.99 * best(kIdle));
  }
}

// A step may become slower for other reasons, such as a lower clock rate: no other size is better.
TEST_F(ThreadTeamTest, StaysIfNoSizeIsBetter) {
  team.choose([](int64_t size) { return time_of(kIdle, size); });
  const Load slow{4 * kIdle.one, 4 * kIdle.two};
  train(kIdle, 10);
  EXPECT_GT(train(slow, 300), 0.97 * best(slow));
  EXPECT_EQ(team.settled_threads(), 2);
  EXPECT_EQ(changes, 0);
}

// Sixteen cores, three of which are free.
TEST_F(ThreadTeamTest, HalvesUntilStepsBecomeSlower) {
  team = ThreadTeam(16);
  const auto time = [](int64_t size) {
    return size <= 3 ? 1.0 / static_cast<double>(size) : 0.6 * static_cast<double>(size);
  };
  team.choose(time);
  EXPECT_EQ(team.threads(), 2);
  team.settle(16, 0.1);
  for (int i = 0; i < 100; ++i) team.after_step(time(team.threads()), [] { return 0.0; });
  EXPECT_EQ(team.settled_threads(), 2);
}

TEST(TimedStepSeconds, ShortStepsAreTimedFourTimes) {
  std::vector<int> timed;
  const auto median_step = [&](double seconds) {
    return [&timed, seconds](int count) {
      timed.push_back(count);
      return seconds;
    };
  };
  EXPECT_EQ(timed_step_seconds(median_step(0.2)), 0.2);
  EXPECT_EQ(timed, std::vector<int>{1});
  EXPECT_EQ(timed_step_seconds(median_step(0.05)), 0.05);
  EXPECT_EQ(timed, (std::vector<int>{1, 1, 4}));
}

TEST_F(ThreadTeamTest, OneCoreNeedsNoTrials) {
  team = ThreadTeam(1);
  team.choose([](int64_t) { return 0.1; });
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(team.after_step(i % 7 == 0 ? 3 : 0.1, [i] { return 0.1 * i; }));
  EXPECT_EQ(team.threads(), 1);
}

}  // namespace
}  // namespace frgan
