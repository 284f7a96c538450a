#include "frgan/classifier/classifier.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/types.h>

#include "frgan/data/augment.h"
#include "frgan/data/dataset.h"
#include "frgan/io/image_file.h"

namespace frgan {
namespace {

// Batch size for 32x32 images. Larger images use smaller batches with the same number of pixels.
constexpr int64_t kSmallImageBatch = 256;

int64_t batch_size(int64_t image_size) {
  return std::max<int64_t>(1, kSmallImageBatch * 32 * 32 / (image_size * image_size));
}

void check_images(const at::Tensor& images, const ImageShape& shape) {
  const std::vector<int64_t> expected{shape.image_size, shape.image_size, shape.channels};
  if (images.scalar_type() == at::kByte && images.dim() == 4 && images.sizes().slice(1) == at::IntArrayRef(expected)) {
    return;
  }
  throw Error(fmt::format("invalid images: {} of shape {}; must be uint8 (Byte) of shape Nx{}; resize them first",
                          c10::toString(images.scalar_type()), fmt::join(images.sizes(), "x"),
                          fmt::join(expected, "x")));
}

struct DecodedFiles {
  std::vector<FilePrediction> files;  // every file, with its error if it could not be read
  at::Tensor images;                  // uint8 M x S x S x C: the readable files, in order
};

DecodedFiles decode(std::span<const std::filesystem::path> paths, int64_t size, int64_t channels) {
  DecodedFiles decoded{std::vector<FilePrediction>(paths.size()), {}};
  std::vector<std::vector<uint8_t>> images(paths.size());
  at::parallel_for(0, static_cast<int64_t>(paths.size()), 1, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      decoded.files[i].path = paths[i];
      try {
        images[i] = read_image(paths[i], size, channels);
      } catch (const Error& error) {
        decoded.files[i].error = error.what();
      }
    }
  });
  std::vector<uint8_t> pixels;
  for (const std::vector<uint8_t>& image : images) pixels.insert(pixels.end(), image.begin(), image.end());
  const int64_t count = static_cast<int64_t>(pixels.size()) / (size * size * channels);
  decoded.images = adopt(std::move(pixels), {count, size, size, channels});
  return decoded;
}

}  // namespace

Classified classify(Discriminator network, const at::Tensor& images, Precision precision) {
  const torch::NoGradGuard no_grad;
  const ImageShape& shape = network->shape();
  check_images(images, shape);
  const at::Tensor some_weight = network->parameters().front();
  const at::TensorOptions type = some_weight.options().dtype(at::kFloat);
  Classified result{torch::empty({images.size(0), shape.classes}, type),
                    torch::empty({images.size(0), network->feature_size()}, type)};
  const int64_t batch = batch_size(shape.image_size);
  for (int64_t first = 0; first < images.size(0); first += batch) {
    const int64_t count = std::min(batch, images.size(0) - first);
    at::Tensor part = images.narrow(0, first, count).to(some_weight.device());
    // LibTorch does not recognize the strides of a single image as channels-last inside an autograd Function.
    if (count == 1) part = part.expand({2, -1, -1, -1});
    const Classified out = network->forward(normalised(part, some_weight.scalar_type()), {.precision = precision});
    result.logits.narrow(0, first, count).copy_(out.logits.narrow(0, 0, count).narrow(1, 0, shape.classes));
    result.features.narrow(0, first, count).copy_(out.features.narrow(0, 0, count));
  }
  return result;
}

at::Tensor class_probabilities(Discriminator network, const at::Tensor& images, Precision precision) {
  return classify(std::move(network), images, precision).logits.softmax(1);
}

Classifier::Classifier(Discriminator network, std::vector<std::string> class_names, Precision precision)
    : network_(std::move(network)), class_names_(std::move(class_names)), precision_(precision) {}

Classifier Classifier::load(const std::filesystem::path& path, at::Device device, Precision precision) {
  return from(load_checkpoint(path), device, precision);
}

Classifier Classifier::from(const Checkpoint& checkpoint, at::Device device, Precision precision) {
  return {load_method(checkpoint, device, precision).classifier, checkpoint.state.class_names, precision};
}

at::Tensor Classifier::probabilities(const at::Tensor& images) const {
  return class_probabilities(network_, images, precision_).cpu();
}

FilePrediction Classifier::classify_file(const std::filesystem::path& path) const {
  FilePrediction result;
  classify_files({&path, 1}, [&](const FilePrediction& prediction) { result = prediction; });
  if (!result.error.empty()) throw Error(result.error);
  return result;
}

void Classifier::classify_files(std::span<const std::filesystem::path> paths,
                                const std::function<void(const FilePrediction&)>& take) const {
  const auto batch = static_cast<size_t>(batch_size(image_size()));
  const auto decode_next = [&] {
    const auto part = paths.first(std::min(batch, paths.size()));
    paths = paths.subspan(part.size());
    return decode(part, image_size(), channels());
  };
  DecodedFiles decoded = decode_next();
  while (!decoded.files.empty()) {
    const at::Tensor on_device = class_probabilities(network_, decoded.images, precision_);
    std::optional<DecodedFiles> next;
    if (on_device.is_cuda()) next = decode_next();  // overlaps with the GPU
    const at::Tensor all = on_device.cpu();
    const float* row = all.data_ptr<float>();
    for (FilePrediction& file : decoded.files) {
      if (file.error.empty()) {
        file.probabilities.assign(row, row + class_names_.size());
        row += class_names_.size();
        file.label = static_cast<size_t>(std::max_element(file.probabilities.begin(), file.probabilities.end()) -
                                         file.probabilities.begin());
      }
      take(file);
    }
    decoded = next ? std::move(*next) : decode_next();
  }
}

}  // namespace frgan
