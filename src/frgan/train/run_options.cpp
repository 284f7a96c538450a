#include "frgan/train/run_options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/hardware.h"
#include "frgan/methods/methods.h"

namespace frgan {

void describe(OptionSet& options, RunOptions& run) {
  options.group("Run");
  options.add("method", run.method, "Method to train; `frgan methods` lists all methods.", method_suggestions());
  options.add("steps", run.steps, "Number of steps; 0 derives it from --time-budget if given, else from --epochs.",
              Range<int64_t>{0, 1'000'000'000, "steps"});
  options.add("epochs", run.epochs,
              "Number of epochs (A18: optimizer and epochs). One epoch is floor(training images / unlabeled images per "
              "step) steps "
              "(A27: epoch length). Schedules scale with the length of the run.",
              Range<double>{0.0001, 1e6, "epochs"});
  options.add("time-budget", run.time_budget,
              "Deadline of the run, such as 90s, 20m or 1h30m. Loading, evaluations and checkpoints count toward it. "
              "The number of steps follows the measured speed.");
  options.add(
      "plan", run.plan,
      "Path of the plan.json of another run. This run then uses the same numbers of steps and threads. With the same "
      "options on the same machine, it repeats the other run bit for bit. Needed to repeat a run with --time-budget or "
      "without --threads: such a run chooses these numbers by measurements. Empty: no plan.");
  options.add("seed", run.seed, "Seed of initial weights, image order, noise, augmentation and dropout.",
              Range<int64_t>{0, INT64_MAX});
  options.add("precision", run.precision, "Convolution precision; auto selects bf16 where the hardware supports it.",
              precision_words());
  options.add(
      "skip-outliers", run.skip_outliers,
      "Skips an update whose loss or gradient norm is an outlier: it exceeds its mean over the last 128 updates by "
      "more than this many standard deviations. Use it for long runs in which single batches disturb the training, for "
      "example with 6. 0 skips no update.",
      Range<double>{0, 1000, "standard deviations"});
  describe(options, run.data);
  options.group("Published weights");
  options.add("encoder", run.encoder.file,
              "Published weights of a network for photos (.safetensors with timm's names). They determine "
              "--network; the last layer is new. Without --method, only the last layer is trained: --method linear.");
  options.add("encoder-config", run.encoder.config,
              "The publisher's config.json, which says how images are prepared; empty: the one beside the weights.");
  options.add("encoder-sha256", run.encoder.sha256,
              "SHA-256 that the file of --encoder must have; empty: any. The run stores it.");
  describe(options, run.split);
  describe(options, run.augmentation);
  options.group("Machine (may differ on resume)");
  options.add("device", run.device, "Device: auto, cpu, cuda or cuda:N; auto selects the first GPU, else the CPU.",
              device_suggestions());
  options.add(
      "threads", run.threads,
      "Number of CPU threads; 0 selects the fastest number by timing, at the start and when the load changes. The "
      "number affects rounding.",
      Range<int64_t>{0, 4096, "threads"});
  options.group("Intervals (may differ on resume)");
  options.add("log-every", run.log_every, "Steps between log lines; 0 writes about 200 lines per run.",
              Range<int64_t>{0, 1'000'000'000, "steps"});
  options.add("evaluate-every", run.evaluate_every,
              "Steps between evaluations; 0 evaluates about 10 times per run, or fewer if evaluations would take more "
              "than a tenth of --time-budget.",
              Range<int64_t>{0, 1'000'000'000, "steps"});
  options.add("evaluations", run.evaluations,
              "Number of evaluations, two thirds of them in the last fifth of the run; 0 uses --evaluate-every.",
              Range<int64_t>{0, 1'000'000, "evaluations"});
  options.add("sample-every", run.sample_every,
              "Steps between grids of generated images; 0 writes about 10 grids per run.",
              Range<int64_t>{0, 1'000'000'000, "steps"});
  options.add("checkpoint-minutes", run.checkpoint_minutes,
              "Minutes between checkpoints; 0 writes one after every step.", Range<double>{0, 10000, "minutes"});
  options.add("keep-checkpoints", run.keep_checkpoints, "Number of most recent checkpoints to keep.",
              Range<int64_t>{1, 1000, "checkpoints"});
  options.add("tensorboard", run.tensorboard,
              "Also writes the log as a TensorBoard file, events.out.tfevents.*, into the run folder.");
}

bool is_allowed_on_resume(std::string_view option) {
  return may_differ_on_resume(option) || option == "data" || option == "data-dir" || option == "learning-rate";
}

bool may_differ_on_resume(std::string_view option) {
  constexpr std::array<std::string_view, 9> kNames{
      "device",      "threads",      "log-every",          "evaluate-every",
      "evaluations", "sample-every", "checkpoint-minutes", "keep-checkpoints",
      "tensorboard"};
  return std::find(kNames.begin(), kNames.end(), option) != kNames.end();
}

double parse_duration(const std::string& text) {
  double seconds = 0;
  std::string_view rest = text;
  bool valid = !rest.empty();
  while (valid && !rest.empty()) {
    double number = 0;
    const auto [unit, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    rest.remove_prefix(static_cast<size_t>(unit - rest.data()));
    const double scale = rest.starts_with('s') ? 1 : rest.starts_with('m') ? 60 : rest.starts_with('h') ? 3600 : 0;
    valid = error == std::errc() && scale > 0 && number >= 0;
    seconds += number * scale;
    if (valid) rest.remove_prefix(1);
  }
  if (!valid || !std::isfinite(seconds) || seconds <= 0) {
    throw usage_error(fmt::format("--time-budget: invalid duration '{}'; examples: 90s, 20m, 1h30m", text));
  }
  return seconds;
}

}  // namespace frgan
