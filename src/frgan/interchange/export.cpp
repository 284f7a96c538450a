#include "frgan/interchange/export.h"

#include <map>
#include <numeric>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <torch/types.h>
#include <unistd.h>

#include "frgan/classifier/checkpoint.h"
#include "frgan/classifier/exported_model.h"
#include "frgan/classifier/inference.h"
#include "frgan/core/error.h"
#include "frgan/core/run_files.h"
#include "frgan/interchange/export_folder.h"
#include "frgan/interchange/model_card.h"
#include "frgan/interchange/model_graph.h"
#include "frgan/interchange/onnx.h"
#include "frgan/io/files.h"
#include "frgan/io/json_file.h"
#include "frgan/io/safe_folder.h"
#include "frgan/io/safetensors.h"
#include "frgan/metrics/quality.h"
#include "frgan/nn/network.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

void check_weights(const Network& network, const fs::path& checkpoint) {
  for (const auto& [name, tensor] : named_tensors(network)) {
    if (tensor.isfinite().all().item<bool>()) continue;
    throw Error(
        fmt::format("{}: cannot be exported: {} is NaN or infinite; use an earlier checkpoint, or train again "
                    "with a lower --learning-rate",
                    checkpoint.string(), name));
  }
}

InferenceGraph graph_of(const Network& network, double temperature) {
  GraphBuilder graph;
  const GraphValue logits = network.add_to(graph, add_image_input(graph, network.shape()));
  add_outputs(graph, logits, network.shape().classes, temperature);
  return graph.finish();
}

// What `read` returns for a file of the run. Empty if the file is missing or damaged.
template <class Read>
auto file_of_run(const fs::path& path, const Read& read, const Messages& messages)
    -> std::optional<decltype(read(path))> try {
  if (!fs::exists(path)) return std::nullopt;
  return read(path);
} catch (const Error& error) {
  messages.warning(fmt::format("some results are missing in the model card: {}", error.what()));
  return std::nullopt;
}

std::map<std::string, std::string> metadata_of(const CheckpointState& state, const std::string& network,
                                               double temperature) {
  std::map<std::string, std::string> metadata{
      {"class_names", Json(state.class_names).dump()},
      {"image_size", std::to_string(state.shape.image_size)},
      {"channels", std::to_string(state.shape.channels)},
      {"temperature", fmt::format("{}", temperature)},
      {"unknown_score", "-T log(sum(exp(logits / T))), T: temperature; higher: more likely of no class"},
      {"network", network},
      {"method", state.method},
      {"step", std::to_string(state.step)},
      {"frgan_version", state.frgan_version}};
  for (const char* const key : {"license", "source", "architecture", "sha256"}) {
    const std::string value = state.encoder.value(key, "");
    if (!value.empty()) metadata[std::string("encoder_") + key] = value;
  }
  return metadata;
}

// The weights of the graph. The views are valid as long as the graph.
TensorViews weights_of(const InferenceGraph& graph) {
  TensorViews views;
  for (const GraphTensor& tensor : graph.tensors) {
    if (!tensor.is_weight) continue;
    const auto& numbers = std::get<std::vector<float>>(tensor.values);
    views[tensor.name] = {DType::kF32, tensor.shape, std::as_bytes(std::span(numbers))};
  }
  return views;
}

int64_t count_of(const TensorViews& weights) {
  return std::accumulate(weights.begin(), weights.end(), int64_t{0}, [](int64_t sum, const auto& weight) {
    return sum + static_cast<int64_t>(weight.second.bytes.size() / sizeof(float));
  });
}

}  // namespace

ExportSummary export_model(const ExportRequest& request, const Messages& messages) {
  const fs::path folder = checked_export_folder(request.folder, request.overwrite);
  const Checkpoint checkpoint =
      load_checkpoint(request.checkpoint, CheckpointUse::kClassify, request.allow_older, messages);
  const CheckpointState& state = checkpoint.state;
  const NetworkPtr network = load_classifier(checkpoint, at::kCPU, Precision::kFull);
  check_weights(*network, checkpoint.path);
  if (state.resize != ResizeRule::kArea) {
    messages.note(
        fmt::format("this run resized images by the older rule '{}'; model.onnx resizes them by area, so "
                    "some probabilities differ from those of frgan predict",
                    resize_rule_name(state.resize)));
  }
  if (state.precision == Precision::kBf16) {
    messages.note("the run used bf16; model.onnx computes in fp32, like frgan predict --precision fp32");
  }
  const double temperature = state.calibration.temperature;
  const InferenceGraph graph = graph_of(*network, temperature);
  const TensorViews weights = weights_of(graph);
  const std::string name = state.options.value("network", state.method);
  const std::string onnx = onnx_bytes(graph, name, metadata_of(state, name, temperature));
  // Both files are about the end of the run.
  const fs::path run = run_folder_of(checkpoint.path);
  const Json summary = file_of_run(run / kSummaryFile, read_json_object, messages).value_or(Json());
  const bool is_end = summary.value("steps", int64_t{-1}) == state.step;
  const std::string card =
      model_card({.state = state,
                  .summary = is_end ? summary : Json(),
                  .quality = is_end ? file_of_run(run / kQualityFile, read_quality, messages) : std::nullopt,
                  .network = name,
                  .weights = count_of(weights)});
  const fs::path partial = fmt::format("{}.partial-{}", folder.string(), ::getpid());
  write_folder_safely(folder, partial, [&](const fs::path& path) {
    write_file_safely(path / kOnnxFile, onnx);
    write_safetensors(path / kExportWeightsFile, weights, {{"format", "pt"}});
    write_file_safely(path / kExportConfigFile, export_config(state).dump(2) + "\n");
    write_file_safely(path / kModelCardFile, card);
  });
  return {.checkpoint = checkpoint.path,
          .network = name,
          .classes = state.shape.classes,
          .image_size = state.shape.image_size,
          .channels = state.shape.channels,
          .weights = count_of(weights),
          .onnx_bytes = static_cast<int64_t>(onnx.size())};
}

}  // namespace frgan
