#include "frgan/train/run_options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "frgan/core/error.h"

namespace frgan {

void describe(OptionSet& options, RunOptions& run) {
  options.group("Run");
  options.add("method", run.method, "What is trained; `frgan methods` lists them.");
  options.add("steps", run.steps, "Training steps; 0: as --time-budget says, or else --epochs.",
              Range<int64_t>{0, 1'000'000'000});
  options.add(
      "epochs", run.epochs,
      "Epochs: as many steps as batches fit into the unlabeled images (A18, A27); schedules are shares of the run.",
      Range<double>{0.0001, 1e6});
  options.add("time-budget", run.time_budget,
              "Train as many steps as fit in this time: 90s, 5m, 1.5h; a few are timed first.");
  options.add("seed", run.seed, "Of weights, order, noise, augmentation and dropout.", Range<int64_t>{0, INT64_MAX});
  options.add("precision", run.precision, "Of convolutions; auto: bf16 where the machine has it.",
              Choices{"auto", "fp32", "bf16"});
  describe(options, run.data);
  describe(options, run.split);
  describe(options, run.augmentation);
  options.group("Machine (may differ on resume)");
  options.add("device", run.device, "auto, cpu, cuda or cuda:N.");
  options.add("threads", run.threads, "CPU threads; 0: all cores. Another number gives other bits.",
              Range<int64_t>{0, 4096});
  options.group("Intervals (may differ on resume)");
  options.add("log-every", run.log_every, "Steps between log lines; 0: a two-hundredth of the run.",
              Range<int64_t>{0, 1'000'000'000});
  options.add("evaluate-every", run.evaluate_every,
              "Steps between evaluations; 0: a tenth of the run, or more where a time budget is short.",
              Range<int64_t>{0, 1'000'000'000});
  options.add("evaluations", run.evaluations,
              "Evaluations in the run, two thirds of them in its last fifth; 0: as --evaluate-every says.",
              Range<int64_t>{0, 1'000'000});
  options.add("sample-every", run.sample_every, "Steps between grids of generated images; 0: a tenth of the run.",
              Range<int64_t>{0, 1'000'000'000});
  options.add("checkpoint-minutes", run.checkpoint_minutes, "Minutes between checkpoints.", Range<double>{0, 10000});
  options.add("keep-checkpoints", run.keep_checkpoints, "The last so many checkpoints are kept.",
              Range<int64_t>{1, 1000});
  options.add("tensorboard", run.tensorboard, "Writes the log for TensorBoard, too: events.out.tfevents.* in the run.");
}

bool may_differ_on_resume(std::string_view option) {
  constexpr std::array<std::string_view, 9> kNames{
      "device",      "threads",      "log-every",          "evaluate-every",
      "evaluations", "sample-every", "checkpoint-minutes", "keep-checkpoints",
      "tensorboard"};
  return std::find(kNames.begin(), kNames.end(), option) != kNames.end();
}

double parse_duration(const std::string& text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [unit, error] = std::from_chars(text.data(), end, number);
  const std::string_view rest(unit, static_cast<size_t>(end - unit));
  const double seconds = rest == "s" ? number : rest == "m" ? 60 * number : rest == "h" ? 3600 * number : NAN;
  if (error != std::errc() || !std::isfinite(seconds) || seconds <= 0) {
    throw usage_error(
        fmt::format("--time-budget: '{}' is no time; give a number with its unit, as 90s, 5m or 1.5h", text));
  }
  return seconds;
}

}  // namespace frgan
