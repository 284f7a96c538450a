#include "frgan/report/run_summary.h"

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "frgan/core/version.h"

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

TEST(RunSummary, ContainsResultVersionAndMachine) {
  RunSummary summary{.method = "fr-gan",
                     .command = "frgan train fr-gan --steps 300",
                     .data = "svhn",
                     .data_digest = "d1",
                     .split_digest = "d2",
                     .options_digest = "d3",
                     .recipe = 7,
                     .steps = 300,
                     .gflop_per_step = 443.5,
                     .wall_seconds = 61.5,
                     .time_spent = {.before_first_step = 2.5, .evaluations = 3.5, .records = 0.25},
                     .test = EvaluationRecord{300, "test", 0.25, 0.2, 0.3, 5000},
                     .dev = std::nullopt,
                     .losses = {{"supervised", 0.5}},
                     .precision = "bf16",
                     .device = "cpu"};
  const Machine machine{"a processor", 2, 1, 16, 8, "1.13.0"};
  Json expected = parse_json(R"({
    "method": "fr-gan", "command": "frgan train fr-gan --steps 300", "data": "svhn", "data_digest": "d1",
    "split_digest": "d2", "options_digest": "d3", "recipe": 7, "steps": 300, "gflop_per_step": 443.5,
    "wall_seconds": 61.5, "time_spent": {"before_first_step": 2.5, "evaluations": 3.5, "records": 0.25},
    "test": {"step": 300, "test_error": 0.25, "error_low": 0.2, "error_high": 0.3, "images": 5000}, "dev": null,
    "losses": {"supervised": 0.5}, "precision": "bf16", "device": "cpu", "version": "", "commit": "",
    "libtorch": "1.13.0", "processor": "a processor", "cores": 2, "threads": 1, "memory_bytes": 16,
    "peak_memory_bytes": 8})",
                             "test");
  expected["version"] = version();
  expected["commit"] = source_commit();
  EXPECT_EQ(to_json(summary, machine).dump(2), expected.dump(2));
}

}  // namespace
}  // namespace frgan
