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
  options.add("method", run.method, "Method to train; `frgan methods` lists all methods.");
  options.add("steps", run.steps, "Number of steps; 0 derives it from --time-budget, else --epochs.",
              Range<int64_t>{0, 1'000'000'000});
  options.add("epochs", run.epochs,
              "Number of epochs (A18: optimizer and epochs). One epoch is floor(unlabeled images / batch size) steps "
              "(A27: epoch length). Schedules scale with the length of the run.",
              Range<double>{0.0001, 1e6});
  options.add("time-budget", run.time_budget,
              "Training time, such as 90s, 20m or 1.5h. A few steps are timed first to derive the number of steps. "
              "Evaluation time counts toward it.");
  options.add("seed", run.seed, "Seed of initial weights, image order, noise, augmentation and dropout.",
              Range<int64_t>{0, INT64_MAX});
  options.add("precision", run.precision, "Convolution precision; auto selects bf16 where the hardware supports it.",
              Choices{"auto", "fp32", "bf16"});
  describe(options, run.data);
  describe(options, run.split);
  describe(options, run.augmentation);
  options.group("Machine (may differ on resume)");
  options.add("device", run.device, "Device: auto, cpu, cuda or cuda:N; auto selects the first GPU, else the CPU.");
  options.add("threads", run.threads,
              "Number of CPU threads; 0 uses all cores. Changing it changes the last bits of the results.",
              Range<int64_t>{0, 4096});
  options.group("Intervals (may differ on resume)");
  options.add("log-every", run.log_every, "Steps between log lines; 0 writes about 200 lines per run.",
              Range<int64_t>{0, 1'000'000'000});
  options.add("evaluate-every", run.evaluate_every,
              "Steps between evaluations; 0 evaluates about 10 times per run, or fewer if evaluations would take more "
              "than a tenth of --time-budget.",
              Range<int64_t>{0, 1'000'000'000});
  options.add("evaluations", run.evaluations,
              "Number of evaluations, two thirds of them in the last fifth of the run; 0 uses --evaluate-every.",
              Range<int64_t>{0, 1'000'000});
  options.add("sample-every", run.sample_every,
              "Steps between grids of generated images; 0 writes about 10 grids per run.",
              Range<int64_t>{0, 1'000'000'000});
  options.add("checkpoint-minutes", run.checkpoint_minutes,
              "Minutes between checkpoints; 0 writes one after every step.", Range<double>{0, 10000});
  options.add("keep-checkpoints", run.keep_checkpoints, "Number of most recent checkpoints to keep.",
              Range<int64_t>{1, 1000});
  options.add("tensorboard", run.tensorboard,
              "Writes the log also for TensorBoard, as events.out.tfevents.* in the run folder.");
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
    throw usage_error(fmt::format("--time-budget: invalid duration '{}'; examples: 90s, 20m, 1.5h", text));
  }
  return seconds;
}

}  // namespace frgan
