#include "frgan/classifier/classifier.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <ATen/Parallel.h>
#include <ATen/ops/from_blob.h>
#include <fmt/format.h>

#include "frgan/classifier/checkpoint.h"
#include "frgan/classifier/exported_model.h"
#include "frgan/classifier/inference.h"
#include "frgan/classifier/tensors_file.h"
#include "frgan/data/dataset.h"
#include "frgan/io/image_file.h"
#include "frgan/nn/folded_weights.h"

namespace frgan {

struct Classifier::Network {
  NetworkPtr module;
  std::vector<std::string> class_names;
  Precision precision;
  ResizeRule resize;
  Calibration calibration;

  at::Tensor logits(const at::Tensor& images) const { return classify(*module, images, precision).logits; }
  at::Tensor probabilities(const at::Tensor& images, const at::Tensor& logits) const {
    return checked_probabilities(*module, images, logits / calibration.temperature);
  }
};

namespace {

struct DecodedFiles {
  std::vector<FilePrediction> files;  // every file, with its error if it could not be read
  at::Tensor images;                  // float M x S x S x C, 0 to 255: the readable files, in order
};

DecodedFiles decode(std::span<const std::filesystem::path> paths, int64_t size, int64_t channels, ResizeRule rule) {
  DecodedFiles decoded{std::vector<FilePrediction>(paths.size()), {}};
  std::vector<std::vector<float>> images(paths.size());
  at::parallel_for(0, static_cast<int64_t>(paths.size()), 1, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      decoded.files[i].path = paths[i];
      try {
        images[i] = read_unrounded_image(paths[i], size, channels, rule);
      } catch (const Error& error) {
        decoded.files[i].error = error.what();
      }
    }
  });
  std::vector<float> pixels;
  for (const std::vector<float>& image : images) pixels.insert(pixels.end(), image.begin(), image.end());
  const int64_t count = static_cast<int64_t>(pixels.size()) / (size * size * channels);
  decoded.images = adopt(std::move(pixels), {count, size, size, channels});
  return decoded;
}

}  // namespace

Classifier::Classifier(std::shared_ptr<const Network> network) : network_(std::move(network)) {}

Classifier Classifier::load(const std::filesystem::path& path, const Hardware& hardware, const Messages& messages) {
  if (is_exported_model(path)) return load_exported(path, hardware, messages);
  const Checkpoint checkpoint = load_checkpoint(path, CheckpointUse::kClassify, hardware.allow_older, messages);
  const auto [device, precision] = begin_inference(hardware, checkpoint.state.precision, messages);
  return Classifier(std::make_shared<const Network>(Network{load_classifier(checkpoint, device, precision),
                                                            checkpoint.state.class_names, precision,
                                                            checkpoint.state.resize, checkpoint.state.calibration}));
}

Classifier Classifier::load_exported(const std::filesystem::path& folder, const Hardware& hardware,
                                     const Messages& messages) {
  const std::filesystem::path weights = folder / kExportWeightsFile;
  const CheckpointState state = read_export_config(folder / kExportConfigFile);
  const auto [device, precision] = begin_inference(hardware, Precision::kFull, messages);
  const NetworkPtr network = new_classifier({.path = folder, .state = state}, device, precision);
  set_folded_weights(*network, read_tensors(weights), weights.string());
  return Classifier(
      std::make_shared<const Network>(Network{network, state.class_names, precision, state.resize, state.calibration}));
}

int64_t Classifier::image_size() const {
  return network_->module->shape().image_size;
}

int64_t Classifier::channels() const {
  return network_->module->shape().channels;
}

const std::vector<std::string>& Classifier::class_names() const {
  return network_->class_names;
}

const Calibration& Classifier::calibration() const {
  return network_->calibration;
}

std::vector<float> Classifier::probabilities(std::span<const uint8_t> pixels) const {
  const int64_t size = image_size(), bytes = size * size * channels();
  const auto total = static_cast<int64_t>(pixels.size());
  if (total % bytes != 0) {
    throw Error(fmt::format("invalid images: {} pixel values; must be a multiple of {} ({}x{}x{}); resize them first",
                            total, bytes, size, size, channels()));
  }
  // from_blob takes no pointer to const; the images are only read.
  const at::Tensor images =
      at::from_blob(const_cast<uint8_t*>(pixels.data()), {total / bytes, size, size, channels()}, at::kByte);
  const at::Tensor rows = network_->probabilities(images, network_->logits(images)).contiguous();
  return {rows.data_ptr<float>(), rows.data_ptr<float>() + rows.numel()};
}

FilePrediction Classifier::classify_file(const std::filesystem::path& path) const {
  FilePrediction result;
  classify_files({&path, 1}, [&](const FilePrediction& prediction) { result = prediction; });
  if (!result.error.empty()) throw Error(result.error);
  return result;
}

void Classifier::classify_files(std::span<const std::filesystem::path> paths,
                                const std::function<void(const FilePrediction&)>& take) const {
  const auto batch = static_cast<size_t>(inference_batch(image_size()));
  const auto decode_next = [&] {
    const auto part = paths.first(std::min(batch, paths.size()));
    paths = paths.subspan(part.size());
    return decode(part, image_size(), channels(), network_->resize);
  };
  DecodedFiles decoded = decode_next();
  while (!decoded.files.empty()) {
    const at::Tensor logits = network_->logits(decoded.images);
    std::optional<DecodedFiles> next;
    if (logits.is_cuda()) next = decode_next();  // overlaps with the GPU
    const at::Tensor all = network_->probabilities(decoded.images, logits).contiguous();
    const float* row = all.data_ptr<float>();
    for (FilePrediction& file : decoded.files) {
      if (file.error.empty()) {
        file.probabilities.assign(row, row + class_names().size());
        row += class_names().size();
        file.label = static_cast<size_t>(std::max_element(file.probabilities.begin(), file.probabilities.end()) -
                                         file.probabilities.begin());
      }
      take(file);
    }
    decoded = next ? std::move(*next) : decode_next();
  }
}

}  // namespace frgan
