#include "frgan/classifier/inference.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <torch/types.h>

#include "frgan/classifier/checkpoint.h"
#include "frgan/core/error.h"
#include "frgan/core/run_files.h"
#include "frgan/data/augment.h"
#include "frgan/data/image_files.h"
#include "frgan/data/image_hashes.h"
#include "frgan/data/load_dataset.h"
#include "frgan/device/device.h"
#include "frgan/device/machine.h"
#include "frgan/io/json_file.h"
#include "frgan/nn/named_tensors.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

void check_images(const at::Tensor& images, const ImageShape& shape) {
  const std::vector<int64_t> expected{shape.image_size, shape.image_size, shape.channels};
  const bool has_type = images.scalar_type() == at::kByte || images.scalar_type() == at::kFloat;
  if (has_type && images.dim() == 4 && images.sizes().slice(1) == at::IntArrayRef(expected)) {
    return;
  }
  throw Error(
      fmt::format("invalid images: {} of shape {}; must be uint8 (Byte) or Float of shape Nx{}; resize them first",
                  c10::toString(images.scalar_type()), fmt::join(images.sizes(), "x"), fmt::join(expected, "x")));
}

// The tensor that most likely makes all outputs of a network unusable, and what is wrong with it.
std::string suspect_tensor(const Network& network) {
  NamedTensors tensors = named_tensors(network);
  std::string largest, zero;
  double most = 0;
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.is_floating_point() || tensor.numel() == 0) continue;
    const auto value = tensor.detach().abs().max().item<double>();
    if (!std::isfinite(value)) return fmt::format("{} is NaN or infinite", name);
    if (value == 0 && zero.empty() && tensor.dim() > 1) zero = name;  // biases and running means may be 0
    if (value > most) {
      most = value;
      largest = name;
    }
  }
  if (!zero.empty()) return fmt::format("all values of {} are 0", zero);
  return fmt::format("the largest value, {:.3g}, is in {}", most, largest);
}

// Where data is searched, and the option that names another place.
struct DataPlaces {
  std::vector<fs::path> paths;
  std::string_view option;
};

DataPlaces places_of_data(const DataOptions& options, const fs::path& root) {
  const auto kind = std::ranges::find(dataset_kinds(), options.data, &DatasetKind::name);
  if (kind == dataset_kinds().end()) return {{fs::path(options.data)}, "--data"};
  if (!options.data_dir.empty()) return {{fs::path(options.data_dir)}, "--data-dir"};
  DataPlaces places{{}, "--data-dir"};
  for (const std::string& folder : kind->folders) places.paths.push_back(root / folder);
  return places;
}

// What differs from the images that the run recorded, by `compare`(record, its name). Empty if the record is missing or
// damaged: the file that differs is not known then.
std::string recorded_difference(const Checkpoint& checkpoint,
                                const std::function<std::string(const Json&, const std::string&)>& compare) {
  const fs::path hashes = run_folder_of(checkpoint.path) / kImagesFile;
  try {
    return fs::exists(hashes) ? compare(read_json_object(hashes), hashes.string()) : "";
  } catch (const Error&) {
    return "";
  }
}

}  // namespace

at::Tensor checked_probabilities(const Network& network, const at::Tensor& images, const at::Tensor& logits) {
  const at::Tensor outputs = logits.cpu();
  if (outputs.size(0) == 0) return outputs;
  constexpr std::string_view kRemedy = "use an earlier checkpoint, or train again with a lower --learning-rate";
  const auto bad = outputs.isfinite().all(1).logical_not().sum().item<int64_t>();
  if (bad > 0) {
    throw Error(fmt::format("the outputs of the network are NaN or infinite for {} of {} images: {}; {}", bad,
                            outputs.size(0), suspect_tensor(network), kRemedy));
  }
  const auto all_equal = [](const at::Tensor& rows) { return rows.eq(rows.narrow(0, 0, 1)).all().item<bool>(); };
  if (outputs.size(0) > 1 && all_equal(outputs) && !all_equal(images)) {
    throw Error(fmt::format("the network has the same outputs for all {} images: {}; {}", outputs.size(0),
                            suspect_tensor(network), kRemedy));
  }
  return outputs.softmax(1);
}

Inference begin_inference(const Hardware& hardware, Precision run_precision, const Messages& messages) {
  set_threads(hardware.threads);
  prepare_memory(hardware.threads);
  const at::Device device = resolve_device(hardware.device);
  Precision precision = resolve_precision(hardware.precision, device);
  if (hardware.precision == PrecisionChoice::kAuto && precision != run_precision) {
    if (run_precision == Precision::kBf16) {
      messages.warning(
          "the run used bf16, which this processor only emulates: using fp32, so a few results may differ (--precision "
          "bf16 restores bf16)");
    }
    precision = Precision::kFull;
  }
  return {device, precision};
}

Dataset load_run_data(const DataOptions& options, const fs::path& root, const LoadWatch& watch) try {
  return load_dataset(options, root, watch);
} catch (const Error& error) {
  const DataPlaces places = places_of_data(options, root);
  std::error_code ignored;
  if (std::ranges::any_of(places.paths, [&](const fs::path& path) { return fs::exists(path, ignored); })) throw;
  throw Error(fmt::format("{}; if the data was moved, give its new path with {}", error.what(), places.option),
              error.kind());
}

Dataset load_data(const DataSource& source, const CheckpointState& state, const Messages& messages) {
  const DataOptions options = data_options(source, state);
  const bool is_of_run = source.data.empty() && source.data_dir.empty();
  Dataset data =
      is_of_run ? load_run_data(options, source.root, source.watch) : load_dataset(options, source.root, source.watch);
  for (const std::string& note : data.notes) messages.note(note);
  return data;
}

fs::path run_folder_of(const fs::path& checkpoint) {
  fs::path folder = fs::absolute(checkpoint).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();  // the path ended with a slash
  return folder.parent_path().parent_path();
}

std::string data_difference(const Checkpoint& checkpoint, const Dataset& data) {
  const CheckpointState& state = checkpoint.state;
  if (data.digest == state.data_digest) return "";
  if (data.class_names != state.class_names) {
    return fmt::format("the classes are {} instead of {}", listed(data.class_names), listed(state.class_names));
  }
  const std::string difference = recorded_difference(
      checkpoint, [&](const Json& hashes, const std::string& name) { return difference_from(hashes, data, name); });
  return difference.empty() ? "images or labels differ" : difference;
}

int64_t leave_out_added_images(const Checkpoint& checkpoint, Dataset& data) {
  const CheckpointState& state = checkpoint.state;
  if (data.digest == state.data_digest || data.class_names != state.class_names) return 0;
  int64_t added = 0;
  recorded_difference(checkpoint, [&](const Json& hashes, const std::string& name) {
    added = remove_added_images(hashes, data, name);
    return "";
  });
  if (added > 0) finish_dataset(data);
  return added;
}

std::string test_difference(const Checkpoint& checkpoint, const ImageSet& test) {
  return recorded_difference(checkpoint, [&](const Json& hashes, const std::string& name) {
    return test_difference_from(hashes, test, name);
  });
}

Classified classify(const Network& network, const at::Tensor& images, Precision precision, const StopCheck& stopped) {
  const torch::NoGradGuard no_grad;
  const ImageShape& shape = network.shape();
  check_images(images, shape);
  const at::Tensor some_weight = network.parameters().front();
  const at::TensorOptions type = some_weight.options().dtype(at::kFloat);
  Classified result{torch::empty({images.size(0), shape.classes}, type),
                    torch::empty({images.size(0), network.feature_size()}, type)};
  const int64_t batch = inference_batch(shape.image_size);
  for (int64_t first = 0; first < images.size(0); first += batch) {
    throw_if_stopped(stopped, "images were classified");
    const int64_t count = std::min(batch, images.size(0) - first);
    at::Tensor part = images.narrow(0, first, count).to(some_weight.device());
    // LibTorch does not recognize the strides of a single image as channels-last inside an autograd Function.
    if (count == 1) part = part.expand({2, -1, -1, -1});
    const Classified out = network.forward(normalised(part, some_weight.scalar_type()), {.precision = precision});
    result.logits.narrow(0, first, count).copy_(out.logits.narrow(0, 0, count).narrow(1, 0, shape.classes));
    result.features.narrow(0, first, count).copy_(out.features.narrow(0, 0, count));
  }
  return result;
}

at::Tensor class_probabilities(const Network& network, const at::Tensor& images, Precision precision,
                               const StopCheck& stopped) {
  return checked_probabilities(network, images, classify(network, images, precision, stopped).logits);
}

int64_t inference_batch(int64_t image_size) {
  constexpr int64_t kSmallImageBatch = 256;  // of 32x32 images
  return std::max<int64_t>(1, kSmallImageBatch * 32 * 32 / (image_size * image_size));
}

}  // namespace frgan
