#include "app/inference.h"

#include <cstdio>

#include <fmt/format.h>

#include "app/command_line.h"
#include "app/notes.h"
#include "frgan/core/run_files.h"
#include "frgan/device/device.h"

namespace frgan {

void describe(OptionSet& options, InferenceOptions& inference) {
  options.group("Hardware", /*saved=*/false);
  options.add("device", inference.device,
              "Device: auto, cpu, cuda or cuda:N; auto selects the first GPU, else the CPU.");
  options.add("precision", inference.precision,
              "Convolution precision; auto selects that of the run, but fp32 where bf16 is emulated.",
              Choices{"auto", "fp32", "bf16"});
  options.add("threads", inference.threads, "Number of CPU threads; 0 uses all cores.",
              Range<int64_t>{0, 4096, "threads"});
  add_quiet(options, inference.quiet);
}

Inference begin_inference(const InferenceOptions& options, const CheckpointState& state) {
  return begin_inference(options, state.precision);
}

Inference begin_inference(const InferenceOptions& options, const std::string& auto_precision) {
  set_threads(options.threads);
  keep_freed_memory();
  const at::Device device = resolve_device(options.device);
  std::string precision = options.precision;
  if (precision == "auto") {
    precision = auto_precision;
    if (precision == "bf16" && device.is_cpu() && !has_native_bf16()) {
      precision = "fp32";
      fmt::print(stderr,
                 "warning: the run used bf16, which this processor only emulates: using fp32, so a few results may "
                 "differ (--precision bf16 restores bf16)\n");
    }
  }
  return {device, precision == "bf16" ? Precision::kBf16 : Precision::kFull, precision};
}

Checkpoint load_checkpoint_with_warnings(const std::filesystem::path& path) {
  Checkpoint checkpoint = load_checkpoint(path);
  print_warnings(checkpoint.warnings);
  return checkpoint;
}

bool is_checkpoint(const std::filesystem::path& path) {
  return std::filesystem::exists(path / kCheckpointStateFile) || std::filesystem::exists(path / kCheckpointsFolder);
}

DataOptions data_options(const std::string& data, const std::string& data_dir, const CheckpointState& state) {
  DataOptions options;
  if (data.empty()) {
    OptionSet set;
    describe(set, options);
    for (Option& option : set.all()) {
      if (state.options.contains(option.name)) option.set(state.options.at(option.name), "the checkpoint");
    }
  } else {
    options.data = data;
    if (std::filesystem::is_directory(data) || data == "folder") {
      options.image_size = state.shape.image_size;
      options.channels = state.shape.channels;
    }
  }
  if (!data_dir.empty()) options.data_dir = data_dir;
  return options;
}

}  // namespace frgan
