#include "frgan/data/mnist.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <ATen/ops/zeros.h>
#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/io/idx_file.h"

namespace frgan {
namespace {

constexpr int64_t kSide = 28, kPadded = 32, kBorder = (kPadded - kSide) / 2;

std::filesystem::path plain_or_gzipped(const std::filesystem::path& path) {
  const std::filesystem::path gzipped = path.string() + ".gz";
  std::error_code ignored;
  return !std::filesystem::exists(path, ignored) && std::filesystem::exists(gzipped, ignored) ? gzipped : path;
}

at::Tensor read_images(const std::filesystem::path& path) {
  const IdxArray idx = read_idx(path);
  if (idx.shape.size() != 3 || idx.shape[1] != kSide || idx.shape[2] != kSide) {
    throw Error(fmt::format("{}: array of shape {}; expected images of shape Nx28x28", path.string(),
                            fmt::join(idx.shape, "x")));
  }
  const int64_t count = idx.shape[0];
  const at::Tensor images = at::zeros({count, kPadded, kPadded, 1}, at::kByte);
  for (int64_t line = 0; line < count * kSide; ++line) {
    const int64_t to = (line / kSide * kPadded + kBorder + line % kSide) * kPadded + kBorder;
    std::copy_n(idx.values.data() + line * kSide, kSide, images.data_ptr<uint8_t>() + to);
  }
  return images;
}

at::Tensor read_labels(const std::filesystem::path& path) {
  const IdxArray idx = read_idx(path);
  if (idx.shape.size() != 1) {
    throw Error(
        fmt::format("{}: array of shape {}; expected labels of shape N", path.string(), fmt::join(idx.shape, "x")));
  }
  return adopt(std::vector<int64_t>(idx.values.begin(), idx.values.end()), idx.shape);
}

ImageSet read_role(const std::filesystem::path& folder, const std::string& role) {
  return {read_images(plain_or_gzipped(folder / (role + "-images-idx3-ubyte"))),
          read_labels(plain_or_gzipped(folder / (role + "-labels-idx1-ubyte")))};
}

Dataset read(const std::filesystem::path& folder, const char* name, std::vector<std::string> class_names) {
  Dataset data;
  data.name = name;
  data.source = folder.string();
  data.class_names = std::move(class_names);
  data.channels = 1;
  data.train = read_role(folder, "train");
  data.test = read_role(folder, "t10k");
  finish_dataset(data);
  return data;
}

}  // namespace

Dataset read_mnist(const std::filesystem::path& folder) {
  return read(folder, "mnist", {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
}

Dataset read_fashion_mnist(const std::filesystem::path& folder) {
  return read(
      folder, "fashion-mnist",
      {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"});
}

}  // namespace frgan
