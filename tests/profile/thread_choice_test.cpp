#include "frgan/profile/thread_choice.h"

#include <gtest/gtest.h>

#include "../io/temporary_folder.h"

namespace frgan {
namespace {

TEST(ThreadChoice, OneRunAtATimeNeedsNearlyFullSpeedup) {
  EXPECT_TRUE((ThreadTimes{.cores = 2, .one_thread = 1.8, .all_cores = 1}.favors_one_run()));
  EXPECT_FALSE((ThreadTimes{.cores = 2, .one_thread = 1.7, .all_cores = 1}.favors_one_run()));
  EXPECT_FALSE((ThreadTimes{.cores = 16, .one_thread = 8, .all_cores = 1}.favors_one_run()));
}

TEST(ThreadChoice, TimesTheStepOfARun) {
  const Json options = {
      {"width", 0.0625}, {"batch-size", 2}, {"init-images", 4}, {"precision", "fp32"}, {"labels", 10}};
  const ThreadTimes times = time_threads("supervised", options, 2);
  EXPECT_EQ(times.cores, 2);
  EXPECT_GT(times.one_thread, 0);
  EXPECT_GT(times.all_cores, 0);
  error_of([] { time_threads("supervised", {{"width", -1}}, 2); });
}

}  // namespace
}  // namespace frgan
