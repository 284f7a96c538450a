#include "frgan/data/dataset.h"

#include <cstring>
#include <memory>
#include <set>
#include <span>
#include <utility>

#include <ATen/ops/from_blob.h>
#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/json.h"
#include "frgan/io/digests.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

template <class T>
std::span<const T> values_of(const at::Tensor& tensor) {
  return {tensor.data_ptr<T>(), static_cast<size_t>(tensor.numel())};
}

template <class T>
at::Tensor adopt_values(std::vector<T> values, at::IntArrayRef shape, at::ScalarType dtype) {
  const auto owner = std::make_shared<std::vector<T>>(std::move(values));
  return at::from_blob(
      owner->data(), shape, [owner](void*) {}, dtype);
}

void check_role(const Dataset& data, const ImageSet& set, const char* role, int64_t lowest) {
  if (set.size() == 0) return;
  const at::IntArrayRef shape = set.images.sizes();
  TORCH_CHECK(set.images.scalar_type() == at::kByte && set.images.is_cpu() && set.images.is_contiguous());
  TORCH_CHECK(shape.size() == 4 && shape[1] == data.image_size && shape[2] == data.image_size &&
              shape[3] == data.channels);
  TORCH_CHECK(set.labels.scalar_type() == at::kLong && set.labels.is_contiguous() && set.labels.dim() == 1);
  for (const auto* names : {&set.files, &set.digests}) {
    TORCH_CHECK(names->empty() || std::ssize(*names) == set.size());
  }
  if (set.labels.numel() != set.size()) {
    throw Error(fmt::format("{}: {} {} images but {} labels", data.source, set.size(), role, set.labels.numel()));
  }
  const std::span<const int64_t> labels = values_of<int64_t>(set.labels);
  for (size_t row = 0; row < labels.size(); ++row) {
    if (labels[row] >= lowest && labels[row] < data.classes()) continue;
    throw Error(fmt::format("{}: {} image {} has label {}; must be {} to {}", data.source, role, row, labels[row],
                            lowest, data.classes() - 1));
  }
}

void update_digest(Digest& digest, const ImageSet& set) {
  // "pictures" is the former term for images. Digests in existing checkpoints and records contain it.
  const std::string shape = fmt::format("{} pictures\n", set.size());
  digest.update(bytes_of(shape));
  if (set.size() == 0) return;
  digest.update(std::as_bytes(values_of<uint8_t>(set.images)));
  digest.update(std::as_bytes(values_of<int64_t>(set.labels)));
  for (const std::string& file : set.digests) digest.update(bytes_of(file));
}

// The items at these rows; empty if there are none.
std::vector<std::string> some_of(const std::vector<std::string>& items, const std::vector<int64_t>& rows) {
  std::vector<std::string> some;
  if (items.empty()) return some;
  for (const int64_t row : rows) some.push_back(items[static_cast<size_t>(row)]);
  return some;
}

}  // namespace

ImageSet ImageSet::to(at::Device device) const {
  if (!images.defined()) return *this;
  return {images.to(device), labels};
}

ImageSet ImageSet::rows(const std::vector<int64_t>& indices) const {
  const at::Tensor index = at::tensor(indices, at::kLong);
  ImageSet set{images.index_select(0, index.to(images.device())), labels.index_select(0, index)};
  set.files = some_of(files, indices);
  set.digests = some_of(digests, indices);
  return set;
}

void ImageSet::keep_rows(const std::vector<int64_t>& indices) {
  const int64_t count = size();
  if (count == 0) return;
  // Row i of the result is row source[i]. The dropped rows follow, so that this is a permutation, made of cycles.
  std::vector<int64_t> source = indices;
  std::vector<bool> used(static_cast<size_t>(count));
  for (const int64_t row : indices) used[static_cast<size_t>(row)] = true;
  for (int64_t row = 0; row < count; ++row) {
    if (!used[static_cast<size_t>(row)]) source.push_back(row);
  }
  const auto bytes = static_cast<size_t>(images.numel() / count);
  const auto row_at = [&, pixels = images.data_ptr<uint8_t>()](int64_t row) { return pixels + row * int64_t(bytes); };
  std::vector<uint8_t> first(bytes);
  for (int64_t start = 0; start < count; ++start) {
    if (source[static_cast<size_t>(start)] == start) continue;
    std::memcpy(first.data(), row_at(start), bytes);
    int64_t to = start;
    for (int64_t from = source[static_cast<size_t>(to)]; from != start; from = source[static_cast<size_t>(to)]) {
      std::memcpy(row_at(to), row_at(from), bytes);
      source[static_cast<size_t>(to)] = to;
      to = from;
    }
    std::memcpy(row_at(to), first.data(), bytes);
    source[static_cast<size_t>(to)] = to;
  }
  images = images.narrow(0, 0, std::ssize(indices));
  labels = labels.index_select(0, at::tensor(indices, at::kLong));
  files = some_of(files, indices);
  digests = some_of(digests, indices);
}

void finish_dataset(Dataset& data) {
  check_image_shape(data.image_size, data.channels, data.source);
  if (data.classes() < 2 || data.classes() > 1000) {
    throw Error(fmt::format("{}: unsupported number of classes {}; must be 2 to 1000", data.source, data.classes()));
  }
  if (std::set(data.class_names.begin(), data.class_names.end()).size() != data.class_names.size()) {
    throw Error(fmt::format("{}: two classes have the same name", data.source));
  }
  if (data.train.size() == 0) throw Error(fmt::format("{}: no training images", data.source));
  check_role(data, data.train, "training", -1);
  check_role(data, data.test, "test", 0);

  Digest digest;
  const std::string header = fmt::format("{}x{}x{}\n", data.image_size, data.image_size, data.channels);
  digest.update(bytes_of(header));
  update_digest(digest, data.train);
  update_digest(digest, data.test);
  data.digest = digest.hex();
}

void check_classes(const Dataset& data, const std::vector<std::string>& names) {
  if (data.class_names.size() != names.size()) {
    throw Error(fmt::format("{}: has {} classes, but the network was trained on {}; use data with the same classes",
                            data.source, data.class_names.size(), names.size()));
  }
  for (size_t k = 0; k < names.size(); ++k) {
    if (data.class_names[k] != names[k]) {
      throw Error(
          fmt::format("{}: class {} is '{}', but the network was trained with '{}'; use data with the same classes",
                      data.source, k, data.class_names[k], names[k]));
    }
  }
}

std::vector<int64_t> class_counts(const ImageSet& set, int64_t classes) {
  std::vector<int64_t> counts(static_cast<size_t>(classes) + 1);
  if (set.size() == 0) return counts;
  for (const int64_t label : values_of<int64_t>(set.labels)) ++counts[label < 0 ? classes : label];
  return counts;
}

at::Tensor adopt(std::vector<uint8_t> values, at::IntArrayRef shape) {
  return adopt_values(std::move(values), shape, at::kByte);
}
at::Tensor adopt(std::vector<int64_t> values, at::IntArrayRef shape) {
  return adopt_values(std::move(values), shape, at::kLong);
}
at::Tensor adopt(std::vector<float> values, at::IntArrayRef shape) {
  return adopt_values(std::move(values), shape, at::kFloat);
}

ImageView view_of(const at::Tensor& images) {
  TORCH_CHECK(images.scalar_type() == at::kByte && images.is_cpu() && images.is_contiguous() && images.dim() == 4 &&
                  images.size(1) == images.size(2),
              "expected square uint8 images on the CPU");
  return {values_of<uint8_t>(images), images.size(1), images.size(3)};
}

}  // namespace frgan
