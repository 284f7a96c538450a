#include "frgan/device/machine.h"

#include <chrono>
#include <cmath>
#include <thread>

#include <gtest/gtest.h>
#include <sched.h>

#include "frgan/core/error.h"

namespace frgan {
namespace {

TEST(ProcessorName, IsFirstModelName) {
  EXPECT_EQ(processor_name("processor\t: 0\nmodel name\t: AMD EPYC 9R14\nmodel name\t: other\n"), "AMD EPYC 9R14");
  EXPECT_EQ(processor_name("processor\t: 0\nmodel name\t: no line end"), "no line end");
  EXPECT_EQ(processor_name("processor : 0\nBogoMIPS : 50\n"), "unknown");
  EXPECT_EQ(processor_name(""), "unknown");
}

TEST(MemoryQuantity, IsInBytes) {
  const char* const text = "MemTotalSomething: 7 kB\nMemTotal:       16384 kB\nMemFree:  12 kB\n";
  EXPECT_EQ(memory_quantity(text, "MemTotal"), 16384 * 1024);
  EXPECT_EQ(memory_quantity(text, "MemFree"), 12 * 1024);
  EXPECT_EQ(memory_quantity(text, "VmHWM"), 0);
  EXPECT_EQ(memory_quantity("VmHWM:\tunknown\n", "VmHWM"), 0);
}

TEST(IsGpu, NeedsAKnownDevice) {
  EXPECT_FALSE(is_gpu("cpu"));
  EXPECT_THROW(is_gpu("gpu"), Error);
}

TEST(ThisMachine, HasPlausibleValues) {
  const Machine machine = this_machine();
  EXPECT_FALSE(machine.processor.empty());
  EXPECT_GE(machine.cores, 1);
  EXPECT_GE(machine.threads, 1);
  EXPECT_GT(machine.memory_bytes, machine.peak_memory_bytes);
  EXPECT_GT(machine.peak_memory_bytes, 1 << 20);
  EXPECT_EQ(machine.libtorch.find_first_not_of("0123456789"), machine.libtorch.find('.'));
}

TEST(ProcessSeconds, AdvanceWithRealTime) {
  const double before = process_seconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const double passed = process_seconds() - before;
  EXPECT_GE(before, 0);
  EXPECT_LT(before, 3600);
  EXPECT_GT(passed, 0.2);  // /proc/uptime has a resolution of 0.01 s
  EXPECT_LT(passed, 60);
}

TEST(MachineTest, ReadsTheCpuQuota) {
  EXPECT_EQ(cpu_quota("150000 100000\n"), 1.5);
  EXPECT_EQ(cpu_quota("max 100000\n"), HUGE_VAL);
  EXPECT_EQ(cpu_quota(""), HUGE_VAL);
  EXPECT_EQ(cpu_quota("-1 100000\n"), HUGE_VAL);
  EXPECT_EQ(cpu_quota("50000\n100000\n"), 0.5);  // version 1 has two files
}

TEST(MachineTest, FindsTheControlGroup) {
  EXPECT_EQ(control_group("0::/user.slice/a:b\n", ""), "user.slice/a:b");
  EXPECT_EQ(control_group("0::/\n", ""), "");
  EXPECT_EQ(control_group("0::/\n", "cpu"), std::nullopt);
  const char* const first_version = "12:cpuset:/x\n4:cpuacct,cpu:/docker/a\n1:name=systemd:/b\n";
  EXPECT_EQ(control_group(first_version, "cpu"), "docker/a");
  EXPECT_EQ(control_group(first_version, ""), std::nullopt);
  EXPECT_EQ(control_group("", ""), std::nullopt);
}

TEST(MachineTest, CountsTheCoresOfTheAffinity) {
  cpu_set_t before, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  const int64_t all = usable_cores();
  EXPECT_GE(all, 1);
  EXPECT_LE(all, CPU_COUNT(&before));
  int first = 0;
  while (!CPU_ISSET(first, &before)) ++first;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(usable_cores(), 1);
  // Two threads that spin on one core wait for each other.
  const double waited = run_queue_seconds();
  const auto spin = [&] {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(400);
    while (std::chrono::steady_clock::now() < end) {
    }
  };
  std::thread other(spin);
  spin();
  EXPECT_GT(run_queue_seconds() - waited, 0.1);
  other.join();
  sched_setaffinity(0, sizeof(before), &before);
}

}  // namespace
}  // namespace frgan
