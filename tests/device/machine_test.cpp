#include "frgan/device/machine.h"

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace frgan
