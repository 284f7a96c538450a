#include "frgan/classifier/classifier.h"

#include <algorithm>
#include <future>
#include <utility>

#include <fmt/format.h>
#include <torch/types.h>

#include "frgan/data/augment.h"
#include "frgan/data/dataset.h"
#include "frgan/io/picture_file.h"

namespace frgan {
namespace {

// Pictures of 32x32 that go through the network together; fewer of larger ones.
constexpr int64_t kPicturesAtOnce = 256;

int64_t batch_size(int64_t image_size) {
  return std::max<int64_t>(1, kPicturesAtOnce * 32 * 32 / (image_size * image_size));
}

void check_pictures(const at::Tensor& pictures, const PictureShape& shape) {
  const std::vector<int64_t> one{shape.image_size, shape.image_size, shape.channels};
  if (pictures.scalar_type() == at::kByte && pictures.dim() == 4 && pictures.sizes().slice(1) == at::IntArrayRef(one)) {
    return;
  }
  throw Error(fmt::format("the classifier takes uint8 pictures of Nx{}, these are {} of {}; resize them first",
                          fmt::join(one, "x"), c10::toString(pictures.scalar_type()),
                          fmt::join(pictures.sizes(), "x")));
}

// Files with the pictures of those that could be read, in order.
struct DecodedFiles {
  std::vector<FilePrediction> files;
  at::Tensor pictures;
};

DecodedFiles decode(std::span<const std::filesystem::path> paths, int64_t size, int64_t channels) {
  DecodedFiles decoded;
  std::vector<uint8_t> pixels;
  for (const std::filesystem::path& path : paths) {
    decoded.files.emplace_back().path = path;
    try {
      const std::vector<uint8_t> picture = read_picture(path, size, channels);
      pixels.insert(pixels.end(), picture.begin(), picture.end());
    } catch (const Error& error) {
      decoded.files.back().error = error.what();
    }
  }
  const int64_t count = static_cast<int64_t>(pixels.size()) / (size * size * channels);
  decoded.pictures = adopt(std::move(pixels), {count, size, size, channels});
  return decoded;
}

}  // namespace

at::Tensor class_probabilities(Discriminator network, const at::Tensor& pictures, Precision precision) {
  const torch::NoGradGuard no_grad;
  const PictureShape& shape = network->shape();
  check_pictures(pictures, shape);
  const at::Tensor some_weight = network->parameters().front();
  at::Tensor result = torch::empty({pictures.size(0), shape.classes}, at::kFloat);
  const int64_t batch = batch_size(shape.image_size);
  for (int64_t first = 0; first < pictures.size(0); first += batch) {
    const int64_t count = std::min(batch, pictures.size(0) - first);
    at::Tensor part = pictures.narrow(0, first, count).to(some_weight.device());
    // LibTorch loses sight of the channels-last strides of a single picture on its way through a Function.
    if (count == 1) part = part.expand({2, -1, -1, -1});
    const Classified out = network->forward(normalised(part, some_weight.scalar_type()), {.precision = precision});
    result.narrow(0, first, count).copy_(out.logits.narrow(0, 0, count).narrow(1, 0, shape.classes).softmax(1));
  }
  return result;
}

Classifier::Classifier(Discriminator network, std::vector<std::string> class_names, Precision precision)
    : network_(std::move(network)), class_names_(std::move(class_names)), precision_(precision) {}

Classifier Classifier::load(const std::filesystem::path& path, at::Device device, Precision precision) {
  return from(load_checkpoint(path), device, precision);
}

Classifier Classifier::from(const Checkpoint& checkpoint, at::Device device, Precision precision) {
  return {load_method(checkpoint, device, precision).classifier, checkpoint.state.class_names, precision};
}

at::Tensor Classifier::probabilities(const at::Tensor& pictures) const {
  return class_probabilities(network_, pictures, precision_);
}

FilePrediction Classifier::classify_file(const std::filesystem::path& path) const {
  FilePrediction result;
  classify_files({&path, 1}, [&](const FilePrediction& prediction) { result = prediction; });
  if (!result.error.empty()) throw Error(result.error);
  return result;
}

void Classifier::classify_files(std::span<const std::filesystem::path> paths,
                                const std::function<void(const FilePrediction&)>& take) const {
  const auto decode_next = [this](std::span<const std::filesystem::path> part) {
    return std::async(std::launch::async, decode, part, image_size(), channels());
  };
  const auto at_once = static_cast<size_t>(batch_size(image_size()));
  const auto next_part = [&] {
    const auto part = paths.first(std::min(at_once, paths.size()));
    paths = paths.subspan(part.size());
    return part;
  };
  for (std::future<DecodedFiles> pending = decode_next(next_part()); pending.valid();) {
    DecodedFiles decoded = pending.get();
    if (!paths.empty()) pending = decode_next(next_part());
    const at::Tensor all = probabilities(decoded.pictures);
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
  }
}

}  // namespace frgan
