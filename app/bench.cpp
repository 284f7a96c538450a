// frgan bench: times and profiles the training step on this machine.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <torch/types.h>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/help.h"
#include "app/own_convolutions.h"
#include "app/random_training.h"
#include "frgan/core/json.h"
#include "frgan/core/version.h"
#include "frgan/device/device.h"
#include "frgan/io/files.h"
#include "frgan/methods/methods.h"
#include "frgan/profile/allocations.h"
#include "frgan/profile/convolutions.h"
#include "frgan/profile/gemm_rate.h"
#include "frgan/profile/operator_profile.h"
#include "frgan/profile/timing.h"
#include "frgan/report/run_summary.h"
#include "frgan/settings/config_file.h"
#include "frgan/settings/presets.h"

namespace frgan {
namespace {

constexpr std::string_view kExamples[] = {
    "bench",
    "bench --preset fast --json step.json",
    "bench --width 1 --batch-size 100 --precision fp32",
};
constexpr std::string_view kImportant[] = {"preset", "method",    "steps", "precision", "threads",
                                           "device", "step-only", "json",  "width",     "batch-size"};

constexpr Syntax kSyntax = {"bench",
                            "",
                            "Times a training step on random images. On a CPU, also profiles it and compares it with "
                            "matrix-multiply throughput; docs/performance.md explains the output. Accepts the options "
                            "of the method, as frgan train does.",
                            0,
                            0,
                            kImportant,
                            kExamples};

constexpr int kWarmUp = 2;             // steps
constexpr int64_t kClassified = 1024;  // images, some batches of evaluate and predict

struct BenchOptions {
  std::string preset;
  std::string method = "fr-gan";
  std::string device = "cpu";
  std::string precision = "auto";
  int64_t threads = 0;
  int64_t steps = 5;
  int64_t images = 73257;
  int64_t gemm_size = 4096;
  bool step_only = false;
  std::string json;
};

void describe(OptionSet& options, BenchOptions& bench) {
  options.group("Bench", /*saved=*/false);
  options.add("method", bench.method, "Training method; 'frgan methods' lists them.");
  options.add("preset", bench.preset, "Preset whose method options are used; its other options are ignored.");
  options.add("device", bench.device,
              "Device: auto, cpu, cuda or cuda:N. On a GPU, the step is timed but not profiled.");
  options.add("precision", bench.precision, "Convolution precision; auto selects bf16 where the hardware supports it.",
              Choices{"auto", "fp32", "bf16"});
  options.add("threads", bench.threads, "Number of CPU threads; 0 uses all cores.", Range<int64_t>{0, 4096, "threads"});
  options.add("steps", bench.steps, "Number of timed steps, after two warm-up steps; the same number is profiled.",
              Range<int64_t>{1, 100000, "steps"});
  options.add("images", bench.images, "Number of random images in the dataset; SVHN has 73257.",
              Range<int64_t>{1, 10'000'000, "images"});
  options.add("gemm-size", bench.gemm_size,
              "Size n of the largest n x n matrix product that is timed; n/2 and n/4 are timed too.",
              Range<int64_t>{4, 65536, "rows"});
  options.add("step-only", bench.step_only, "Times the step without profiling it.");
  options.add("json", bench.json, "JSON file to write the numbers to; - prints JSON to stdout instead of the table.");
}

// The options of a call; the sets point into the other members.
struct Request {
  BenchOptions bench;
  AugmentationOptions augmentation;
  std::unique_ptr<Method> method;
  OptionSet options;
  OptionSet method_options;  // the fields of the method only
};

void declare_options(Request& request, const std::string& method) {
  request.method = create_method(method);
  request.bench.method = method;
  request.method->describe(request.method_options);
  describe(request.options, request.bench);
  describe(request.options, request.augmentation);
  request.method->describe(request.options);
  mention_other_methods(request.options, method);
}

// Declares the options of the method that the command line, else the preset, names. Sets those of the preset.
void declare_options(Request& request, std::span<const std::string> arguments) {
  std::vector<Setting> settings;
  if (const auto preset = typed_value(arguments, "preset")) {
    settings = read_config(find_preset(*preset).text, fmt::format("preset {}", *preset));
  }
  std::string method = request.bench.method;
  for (const Setting& setting : settings) {
    if (setting.name == "method") method = setting.value.text();
  }
  declare_options(request, typed_value(arguments, "method").value_or(method));
  for (const Setting& setting : settings) {
    if (setting.name == "augmentation" || request.method_options.contains(setting.name)) {
      request.options.set(setting.name, setting.value, setting.source);
    }
  }
}

// Times of the step.
struct StepTimes {
  std::vector<double> seconds;  // of each step, in order
  double median_seconds = 0;
  int64_t peak_memory_bytes = 0;  // of the process so far
};

StepTimes time_steps(RandomTraining& training, int64_t steps) {
  using Clock = std::chrono::steady_clock;
  StepTimes times;
  for (int64_t i = 0; i < steps + kWarmUp; ++i) {
    const Clock::time_point begin = Clock::now();
    training.step();
    training.wait();
    if (i >= kWarmUp) times.seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
  }
  times.median_seconds = median(times.seconds);
  times.peak_memory_bytes = this_machine().peak_memory_bytes;
  return times;
}

// The profile.
struct Details {
  double gemm_fp32 = 0;             // FLOP/s
  std::optional<double> gemm_bf16;  // empty if the processor lacks bf16
  OperatorProfile profile;          // of all profiled steps
  std::vector<ConvolutionTime> convolutions;
  Allocations allocations;            // of a step
  double classification_seconds = 0;  // of kClassified images
  std::vector<ConvolutionTime> classification_convolutions;
};

Details measure_details(RandomTraining& training, const BenchOptions& bench) {
  Details details;
  details.profile = profile_operators([&] {
    for (int64_t i = 0; i < bench.steps; ++i) training.step();
  });
  details.allocations = count_allocations([&] { training.step(); });
  details.convolutions = time_convolutions([&] { training.step(); }, /*repetitions=*/5, own_convolutions());
  const at::Tensor images = at::randint(256, {kClassified, 32, 32, 3}, at::kByte);
  details.classification_seconds = median_seconds(5, [&] { training.classify(images); });
  details.classification_convolutions =
      time_convolutions([&] { training.classify(images); }, /*repetitions=*/5, own_convolutions());
  details.gemm_fp32 = gemm_rate(at::kFloat, bench.gemm_size);
  if (has_native_bf16()) details.gemm_bf16 = gemm_rate(at::kBFloat16, bench.gemm_size);
  return details;
}

// The result, for text and JSON.
struct Measurements {
  const Request& request;
  std::string device;
  std::string precision;
  Machine machine;
  double step_flop;
  int64_t images_per_step;
  StepTimes step;
  std::optional<Details> details;

  double rate() const { return step_flop / step.median_seconds; }
  // The rate of matrix products in the step's precision.
  std::optional<double> gemm_rate() const { return precision == "bf16" ? details->gemm_bf16 : details->gemm_fp32; }
  double per_step(double of_profile) const { return of_profile / static_cast<double>(request.bench.steps); }
  double per_step(int64_t of_profile) const { return per_step(static_cast<double>(of_profile)); }
};

Json to_json(const Measurements& measured) {
  const BenchOptions& bench = measured.request.bench;
  const StepTimes& step = measured.step;
  Json json{{"version", version()},
            {"commit", source_commit()},
            {"libtorch", measured.machine.libtorch},
            {"processor", measured.machine.processor},
            {"capability", processor_capability()},
            {"kernels", kernel_capability()},
            {"cores", measured.machine.cores},
            {"threads", measured.machine.threads},
            {"device", measured.device},
            {"method", bench.method},
            {"precision", measured.precision},
            {"options", measured.request.options.values()},
            {"timed_steps", bench.steps},
            {"seconds_per_step", step.median_seconds},
            {"steps", step.seconds},
            {"steps_per_second", 1 / step.median_seconds},
            {"images_per_second", static_cast<double>(measured.images_per_step) / step.median_seconds},
            {"gflop_per_step", measured.step_flop * 1e-9},
            {"gflop_per_second", measured.rate() * 1e-9},
            {"peak_memory_bytes", step.peak_memory_bytes}};
  if (!measured.details) return json;

  const Details& details = *measured.details;
  const std::optional<double> gemm = measured.gemm_rate();
  json["gemm_gflop_per_second"] = {{"fp32", details.gemm_fp32 * 1e-9},
                                   {"bf16", details.gemm_bf16 ? Json(*details.gemm_bf16 * 1e-9) : Json()}};
  json["share_of_gemm_rate"] = gemm ? Json(measured.rate() / *gemm) : Json();
  json["seconds_at_gemm_rate"] = gemm ? Json(measured.step_flop / *gemm) : Json();
  json["convolution_seconds_alone"] = total_seconds(details.convolutions);
  json["classification"] = {{"images", kClassified},
                            {"seconds", details.classification_seconds},
                            {"convolution_seconds_alone", total_seconds(details.classification_convolutions)}};
  json["operators_per_step"] = measured.per_step(details.profile.calls);
  json["allocations_per_step"] = details.allocations.count;
  json["allocated_bytes_per_step"] = details.allocations.bytes;
  json["profiled_seconds_per_step"] = measured.per_step(details.profile.seconds);
  for (const ScopeTime& phase : details.profile.scopes) {
    json["phases"].push_back({{"name", phase.name}, {"seconds_per_step", measured.per_step(phase.seconds)}});
  }
  for (const KindTime& kind : details.profile.kinds()) {
    json["kinds"].push_back({{"name", kind.kind},
                             {"calls_per_step", measured.per_step(kind.calls)},
                             {"seconds_per_step", measured.per_step(kind.seconds)}});
  }
  for (const OperatorTime& time : details.profile.operators) {
    json["operators"].push_back({{"name", time.name},
                                 {"kind", time.kind},
                                 {"calls_per_step", measured.per_step(time.calls)},
                                 {"seconds_per_step", measured.per_step(time.seconds)}});
  }
  for (const ConvolutionTime& time : details.convolutions) {
    json["convolutions"].push_back({{"name", time.name},
                                    {"shapes", time.shapes},
                                    {"calls_per_step", time.calls},
                                    {"gflop", time.flop * 1e-9},
                                    {"seconds", time.seconds}});
  }
  return json;
}

constexpr double kMiB = 1 << 20;

void print_step(const Measurements& measured) {
  const BenchOptions& bench = measured.request.bench;
  const StepTimes& step = measured.step;
  const Machine& machine = measured.machine;
  const auto option = [&](const char* name) { return measured.request.options.values().at(name).get<double>(); };
  const auto [fastest, slowest] = std::minmax_element(step.seconds.begin(), step.seconds.end());
  fmt::print("frgan {} ({}), LibTorch {}\n", version(), source_commit(), machine.libtorch);
  fmt::print("processor     {}, {}, LibTorch kernels {}; {} thread{}\n", machine.processor, processor_capability(),
             kernel_capability(), machine.threads, machine.threads == 1 ? "" : "s");
  if (measured.device != "cpu") fmt::print("device        {}\n", measured.device);
  fmt::print("step          {}, width {}, batch {}, {}: {:.4g} GFLOP\n\n", bench.method, option("width"),
             option("batch-size"), measured.precision, measured.step_flop * 1e-9);
  fmt::print("time          {:.4f} s (median of {}, {:.4f} to {:.4f})\n", step.median_seconds, bench.steps, *fastest,
             *slowest);
  fmt::print("speed         {:.3g} steps/s, {:.4g} images/s, {:.4g} GFLOP/s\n", 1 / step.median_seconds,
             static_cast<double>(measured.images_per_step) / step.median_seconds, measured.rate() * 1e-9);
  fmt::print("peak memory   {:.0f} MiB\n", static_cast<double>(step.peak_memory_bytes) / kMiB);
}

// "  0.0123 s   1.2 %  name"
void print_row(double seconds, double whole, const std::string& text) {
  fmt::print("{:>10.2f} {:>6.1f} %  {}\n", 1e3 * seconds, 100 * seconds / whole, text);
}

void print_details(const Measurements& measured) {
  constexpr size_t kRows = 20;  // of the long tables; the JSON has all rows
  const Details& details = *measured.details;
  const double alone = total_seconds(details.convolutions), step = measured.step.median_seconds;
  fmt::print("GEMM rate     fp32 {:.4g} GFLOP/s", details.gemm_fp32 * 1e-9);
  if (details.gemm_bf16) fmt::print(", bf16 {:.4g} GFLOP/s", *details.gemm_bf16 * 1e-9);
  if (const std::optional<double> gemm = measured.gemm_rate()) {
    fmt::print("\n              the step reaches {:.1f} % of the {} rate; at 100 % it would take {:.4f} s\n",
               100 * measured.rate() / *gemm, measured.precision, measured.step_flop / *gemm);
  } else {
    fmt::print("; no bf16 on this processor\n");
  }
  fmt::print("convolutions  {:.4f} s when timed alone, {:.1f} % of the step\n", alone, 100 * alone / step);
  fmt::print("counts        {:.0f} operators per step, {} allocations of {:.0f} MiB in total\n",
             measured.per_step(details.profile.calls), details.allocations.count,
             static_cast<double>(details.allocations.bytes) / kMiB);

  const double classified_alone = total_seconds(details.classification_convolutions);
  fmt::print("classifying   {:.0f} images/s; its convolutions timed alone take {:.1f} % of that time\n",
             static_cast<double>(kClassified) / details.classification_seconds,
             100 * classified_alone / details.classification_seconds);

  const double profiled = measured.per_step(details.profile.seconds);
  fmt::print("\n ms/step      share  phase\n");
  for (const ScopeTime& phase : details.profile.scopes) {
    print_row(measured.per_step(phase.seconds), profiled, phase.name);
  }
  fmt::print("\n ms/step      share  kind of operation (calls)\n");
  for (const KindTime& kind : details.profile.kinds()) {
    print_row(measured.per_step(kind.seconds), profiled,
              fmt::format("{} ({:.0f})", kind.kind, measured.per_step(kind.calls)));
  }
  fmt::print("\n ms/step      share  operator (calls), kind\n");
  const auto& operators = details.profile.operators;
  for (size_t i = 0; i < std::min(kRows, operators.size()); ++i) {
    print_row(
        measured.per_step(operators[i].seconds), profiled,
        fmt::format("{} ({:.0f}), {}", operators[i].name, measured.per_step(operators[i].calls), operators[i].kind));
  }
  fmt::print("\n ms/step      share  convolution timed alone (calls), GFLOP/s\n");
  for (size_t i = 0; i < std::min(kRows, details.convolutions.size()); ++i) {
    const ConvolutionTime& time = details.convolutions[i];
    print_row(static_cast<double>(time.calls) * time.seconds, step,
              fmt::format("{} {} ({}), {:.4g}", time.name, time.shapes, time.calls, time.flop * 1e-9 / time.seconds));
  }
}

}  // namespace

int run_bench(std::span<const std::string> arguments) {
  Request request;
  declare_options(request, arguments);
  if (const auto format = requested_help(arguments)) {
    std::vector<OptionGroup> groups = request.options.groups();
    // The page of train already lists the options of the methods.
    if (*format == HelpFormat::kMarkdown || *format == HelpFormat::kMan) groups.resize(1);
    fmt::print("{}", help_page(*format, kSyntax, groups));
    return 0;
  }
  read_arguments(kSyntax, arguments, request.options);
  const BenchOptions& bench = request.bench;
  const Augmentation augmentation = parse_augmentation(request.augmentation.augmentation);
  request.method->validate();
  const at::Device device = resolve_device(bench.device);
  const std::string precision = resolve_precision(bench.precision, device);
  set_threads(bench.threads);
  keep_freed_memory();

  RandomTraining training(std::move(request.method), precision == "bf16" ? Precision::kBf16 : Precision::kFull, device,
                          augmentation, bench.images);
  Measurements measured{request,
                        device_name(device),
                        precision,
                        this_machine(),
                        training.method().step_flop(),
                        training.images_per_step(),
                        time_steps(training, bench.steps),
                        std::nullopt};
  if (!bench.step_only && device.is_cpu()) measured.details = measure_details(training, bench);
  const bool only_json = bench.json == "-";
  const std::string json = bench.json.empty() ? "" : to_json(measured).dump(2) + '\n';
  if (!json.empty() && !only_json) write_file_safely(bench.json, json);
  if (only_json) {
    fmt::print("{}", json);
    return 0;
  }
  print_step(measured);
  if (measured.details) print_details(measured);
  return 0;
}

}  // namespace frgan
