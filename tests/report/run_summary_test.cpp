#include "frgan/report/run_summary.h"

#include <gtest/gtest.h>

#include "frgan/core/version.h"

namespace frgan {
namespace {

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
                     .test = EvaluationRecord{300, EvaluatedImages::kTest, 0.25, 0.2, 0.3, 5000},
                     .dev = std::nullopt,
                     .losses = {{"supervised", 0.5}},
                     .precision = "bf16",
                     .device = "cpu",
                     .policies = {"weak"}};
  const Machine machine{"a processor", 2, 1, 16, 8, "1.13.0"};
  Json expected = parse_json(R"({
    "method": "fr-gan", "command": "frgan train fr-gan --steps 300", "inherited": null, "encoder": null, "data": "svhn", "data_digest": "d1",
    "split_digest": "d2", "options_digest": "d3", "recipe": 7, "steps": 300, "gflop_per_step": 443.5,
    "wall_seconds": 61.5, "time_spent": {"before_first_step": 2.5, "evaluations": 3.5, "records": 0.25},
    "test": {"step": 300, "test_error": 0.25, "error_low": 0.2, "error_high": 0.3, "images": 5000}, "dev": null,
    "losses": {"supervised": 0.5}, "log_lines": 0, "policies": ["weak"], "precision": "bf16", "device": "cpu", "version": "", "commit": "",
    "libtorch": "1.13.0", "processor": "a processor", "cores": 2, "threads": 1, "memory_bytes": 16,
    "peak_memory_bytes": 8})",
                             "test");
  expected["version"] = version();
  expected["commit"] = source_commit();
  EXPECT_EQ(to_json(summary, machine).dump(2), expected.dump(2));
}

}  // namespace
}  // namespace frgan
