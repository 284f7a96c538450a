// frgan bench: times and profiles the training step on this machine.
#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "app/bench_contention.h"
#include "app/command_line.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/help.h"
#include "frgan/core/error.h"
#include "frgan/core/hardware.h"
#include "frgan/core/json.h"
#include "frgan/core/version.h"
#include "frgan/io/files.h"
#include "frgan/methods/methods.h"
#include "frgan/profile/step_benchmark.h"
#include "frgan/settings/config_file.h"
#include "frgan/settings/presets.h"
#include "frgan/train/run_request.h"

namespace frgan {
namespace {

constexpr std::string_view kBenchExamples[] = {
    "bench",
    "bench --preset fast --json step.json",
    "bench --width 1 --batch-size 100 --precision fp32",
    "bench --contention",
};
constexpr std::string_view kBenchImportant[] = {"preset", "method",    "steps", "precision", "threads",
                                                "device", "step-only", "json",  "width",     "batch-size"};

constexpr Syntax kBenchSyntax = {
    "bench",
    "",
    "Times a training step on random images. On a CPU, also profiles it and compares it with "
    "matrix-multiply throughput; docs/performance.md explains the output. Accepts the options "
    "of the method, as frgan train does.",
    0,
    0,
    kBenchImportant,
    kBenchExamples};

struct BenchOptions {
  std::string preset;
  std::string method = "fr-gan";
  StepBenchmarkOptions step;
  std::string json;
  bool contention = false;
};

void describe(OptionSet& options, BenchOptions& bench) {
  options.group("Bench", /*saved=*/false);
  options.add("method", bench.method, "Training method; 'frgan methods' lists them.", method_suggestions());
  options.add("preset", bench.preset, "Preset; only its method options are used.", preset_suggestions());
  options.add("device", bench.step.device,
              "Device: auto, cpu, cuda or cuda:N. On a GPU, the step is timed but not profiled.", device_suggestions());
  options.add("precision", bench.step.precision,
              "Convolution precision; auto selects bf16 where the hardware supports it.", precision_words());
  options.add("threads", bench.step.threads, "Number of CPU threads; 0 uses all cores.",
              Range<int64_t>{0, 4096, "threads"});
  options.add("steps", bench.step.steps, "Number of timed steps, after two warm-up steps; the same number is profiled.",
              Range<int64_t>{1, 100000, "steps"});
  options.add("images", bench.step.images, "Number of random images in the dataset; SVHN has 73257.",
              Range<int64_t>{1, 10'000'000, "images"});
  options.add("gemm-size", bench.step.gemm_size,
              "Size n of the largest n x n matrix product that is timed; n/2 and n/4 are timed too.",
              Range<int64_t>{4, 65536, "rows"});
  options.add("stage", bench.step.stage,
              "Stage of the method, counted from 1; m1m2 has two. A later stage is timed without its initialization.",
              Range<int64_t>{1, 16});
  options.add("step-only", bench.step.step_only, "Times the step without profiling it.");
  options.add("adapt-threads", bench.step.adapt_threads,
              "Measures which number of threads is fastest, as train does. Requires --step-only.");
  options.add("contention", bench.contention,
              "Times small and full-width steps beside other programs that use the cores, and stops. Takes minutes. "
              "Accepts no other option.");
  options.add("json", bench.json, "JSON file to write the numbers to; - prints JSON to stdout instead of the table.");
}

// The options of a call; the sets point into the other members.
struct Request {
  BenchOptions bench;
  std::unique_ptr<StepOnRandomImages> step;
  OptionSet options;
  OptionSet step_options;  // without those of BenchOptions
};

void declare_options(Request& request, const std::string& method) {
  request.step = std::make_unique<StepOnRandomImages>(method);
  request.bench.method = method;
  request.step->describe(request.step_options);
  describe(request.options, request.bench);
  request.step->describe(request.options);
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
    if (request.step_options.contains(setting.name)) {
      request.options.set(setting.name, setting.value, setting.source);
    }
  }
}

// --contention times steps with fixed options.
void refuse_other_options(const OptionSet& options) {
  for (const Option& option : options.all()) {
    if (!option.given || option.name == "contention") continue;
    throw usage_error(fmt::format("--contention accepts no other option: found --{}; omit it", option.name));
  }
}

// The result with the options, for text and JSON.
struct Measurements {
  const Request& request;
  StepBenchmark found;

  double images_per_second() const { return static_cast<double>(found.images_per_step) / found.median_seconds; }
  double per_step(double of_profile) const { return of_profile / static_cast<double>(request.bench.step.steps); }
  double per_step(int64_t of_profile) const { return per_step(static_cast<double>(of_profile)); }
};

Json to_json(const Measurements& measured) {
  const StepBenchmark& found = measured.found;
  Json json{{"version", version()},
            {"commit", source_commit()},
            {"libtorch", found.machine.libtorch},
            {"processor", found.machine.processor},
            {"capability", found.processor_capability},
            {"kernels", found.kernel_capability},
            {"cores", found.machine.cores},
            {"threads", found.machine.threads},
            {"device", found.device},
            {"method", measured.request.bench.method},
            {"stage", found.stage},
            {"precision", precision_name(found.precision)},
            {"options", measured.request.options.values()},
            {"timed_steps", measured.request.bench.step.steps},
            {"seconds_per_step", found.median_seconds},
            {"steps", found.seconds},
            {"steps_per_second", 1 / found.median_seconds},
            {"images_per_second", measured.images_per_second()},
            {"gflop_per_step", found.step_flop * 1e-9},
            {"gflop_per_second", found.rate() * 1e-9},
            {"peak_memory_bytes", found.peak_memory_bytes}};
  if (!found.details) return json;

  const StepDetails& details = *found.details;
  const std::optional<double> gemm = found.gemm_rate();
  json["gemm_gflop_per_second"] = {{"fp32", details.gemm_fp32 * 1e-9},
                                   {"bf16", details.gemm_bf16 ? Json(*details.gemm_bf16 * 1e-9) : Json()}};
  json["share_of_gemm_rate"] = gemm ? Json(found.rate() / *gemm) : Json();
  json["seconds_at_gemm_rate"] = gemm ? Json(found.step_flop / *gemm) : Json();
  json["convolution_seconds_alone"] = total_seconds(details.convolutions);
  json["strong_augmentation"] = {{"views", details.strong_views}, {"seconds", details.strong_seconds}};
  json["classification"] = {{"images", details.classified_images},
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
  const StepBenchmark& found = measured.found;
  const Machine& machine = found.machine;
  const auto option = [&](const char* name) { return measured.request.options.values().at(name).get<double>(); };
  const auto [fastest, slowest] = std::minmax_element(found.seconds.begin(), found.seconds.end());
  print_output("frgan {} ({}), LibTorch {}\n", version(), source_commit(), machine.libtorch);
  print_output("processor     {}, {}, LibTorch kernels {}; {}\n", machine.processor, found.processor_capability,
               found.kernel_capability, counted(machine.threads, "thread"));
  if (found.device != "cpu") print_output("device        {}\n", found.device);
  const std::string stage = found.stage.empty() ? "" : fmt::format(", stage {}", found.stage);
  print_output("step          {}{}, width {}, batch {}, {}: {:.4g} GFLOP\n\n", measured.request.bench.method, stage,
               option("width"), option("batch-size"), precision_name(found.precision), found.step_flop * 1e-9);
  print_output("time          {:.4f} s (median of {}, {:.4f} to {:.4f})\n", found.median_seconds, found.seconds.size(),
               *fastest, *slowest);
  print_output("speed         {:.3g} steps/s, {:.4g} images/s, {:.4g} GFLOP/s\n", 1 / found.median_seconds,
               measured.images_per_second(), found.rate() * 1e-9);
  print_output("peak memory   {:.0f} MiB\n", static_cast<double>(found.peak_memory_bytes) / kMiB);
}

// "  0.0123 s   1.2 %  name"
void print_row(double seconds, double whole, const std::string& text) {
  print_output("{:>10.2f} {:>6.1f} %  {}\n", 1e3 * seconds, 100 * seconds / whole, text);
}

void print_details(const Measurements& measured) {
  constexpr size_t kRows = 20;  // of the long tables; the JSON has all rows
  const StepBenchmark& found = measured.found;
  const StepDetails& details = *found.details;
  const double alone = total_seconds(details.convolutions), step = found.median_seconds;
  print_output("GEMM rate     fp32 {:.4g} GFLOP/s", details.gemm_fp32 * 1e-9);
  if (details.gemm_bf16) print_output(", bf16 {:.4g} GFLOP/s", *details.gemm_bf16 * 1e-9);
  if (const std::optional<double> gemm = found.gemm_rate()) {
    print_output("\n              the step reaches {:.1f} % of the {} rate; at 100 % it would take {:.4f} s\n",
                 100 * found.rate() / *gemm, precision_name(found.precision), found.step_flop / *gemm);
  } else {
    print_output("; no bf16 on this processor\n");
  }
  print_output("convolutions  {:.4f} s when timed alone, {:.1f} % of the step\n", alone, 100 * alone / step);
  print_output("counts        {:.0f} operators per step, {} allocations of {:.0f} MiB in total\n",
               measured.per_step(details.profile.calls), details.allocations.count,
               static_cast<double>(details.allocations.bytes) / kMiB);

  const double classified_alone = total_seconds(details.classification_convolutions);
  print_output("classifying   {:.0f} images/s; its convolutions timed alone take {:.1f} % of that time\n",
               static_cast<double>(details.classified_images) / details.classification_seconds,
               100 * classified_alone / details.classification_seconds);
  print_output("augmenting    {} strong views in {:.1f} ms\n", details.strong_views, 1e3 * details.strong_seconds);

  const double profiled = measured.per_step(details.profile.seconds);
  print_output("\n ms/step      share  phase\n");
  for (const ScopeTime& phase : details.profile.scopes) {
    print_row(measured.per_step(phase.seconds), profiled, phase.name);
  }
  print_output("\n ms/step      share  kind of operation (calls)\n");
  for (const KindTime& kind : details.profile.kinds()) {
    print_row(measured.per_step(kind.seconds), profiled,
              fmt::format("{} ({:.0f})", kind.kind, measured.per_step(kind.calls)));
  }
  print_output("\n ms/step      share  operator (calls), kind\n");
  const auto& operators = details.profile.operators;
  for (size_t i = 0; i < std::min(kRows, operators.size()); ++i) {
    print_row(
        measured.per_step(operators[i].seconds), profiled,
        fmt::format("{} ({:.0f}), {}", operators[i].name, measured.per_step(operators[i].calls), operators[i].kind));
  }
  print_output("\n ms/step      share  convolution timed alone (calls), GFLOP/s\n");
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
    print_output("{}", help_page(*format, kBenchSyntax, groups));
    return 0;
  }
  read_arguments(kBenchSyntax, arguments, request.options);
  check_method_options(request.options);
  const BenchOptions& bench = request.bench;
  if (bench.contention) {
    refuse_other_options(request.options);
    return run_contention();
  }
  if (bench.step.adapt_threads && !bench.step.step_only) throw usage_error("--adapt-threads requires --step-only");
  const Measurements measured{request, request.step->measure(bench.step)};
  const bool only_json = bench.json == "-";
  const std::string json = bench.json.empty() ? "" : json_text(to_json(measured), 2) + '\n';
  if (!json.empty() && !only_json) write_file_safely(bench.json, json);
  if (only_json) {
    print_output("{}", json);
    return 0;
  }
  print_step(measured);
  if (measured.found.details) print_details(measured);
  return 0;
}

}  // namespace frgan
