#include "frgan/data/safetensors_set.h"

#include <memory>
#include <span>
#include <string>
#include <utility>

#include <ATen/ops/from_blob.h>
#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/core/json.h"
#include "frgan/core/old_names.h"
#include "frgan/io/safetensors.h"

namespace frgan {
namespace {

using SharedFile = std::shared_ptr<const SafetensorsFile>;

constexpr int64_t kDigestBytes = 32;  // of a SHA-256

TensorView view_of(const at::Tensor& tensor, DType dtype) {
  const auto* const bytes = static_cast<const std::byte*>(tensor.data_ptr());
  return {dtype, tensor.sizes().vec(), {bytes, tensor.nbytes()}};
}

// The digests as N x 32 bytes.
at::Tensor digest_bytes(const std::vector<std::string>& digests) {
  std::vector<uint8_t> bytes;
  for (const std::string& digest : digests) {
    for (size_t i = 0; i < digest.size(); i += 2) {
      bytes.push_back(static_cast<uint8_t>(std::stoul(digest.substr(i, 2), nullptr, 16)));
    }
  }
  return adopt(std::move(bytes), {std::ssize(digests), kDigestBytes});
}

std::vector<std::string> digest_texts(const at::Tensor& bytes) {
  std::vector<std::string> digests;
  const auto* byte = bytes.data_ptr<uint8_t>();
  for (int64_t row = 0; row < bytes.size(0); ++row, byte += kDigestBytes) {
    digests.push_back(fmt::format("{:02x}", fmt::join(byte, byte + kDigestBytes, "")));
  }
  return digests;
}

// `digests` of the set must stay in memory until the tensors are written.
void add_role(TensorViews& tensors, const std::string& role, const ImageSet& set, const at::Tensor& digests) {
  if (set.size() == 0) return;
  tensors[role + ".images"] = view_of(set.images, DType::kU8);
  tensors[role + ".labels"] = view_of(set.labels, DType::kI64);
  if (digests.size(0) > 0) tensors[role + ".digests"] = view_of(digests, DType::kU8);
}

// A tensor on the bytes of the file. The tensor keeps the file in memory.
at::Tensor tensor_of(const SharedFile& file, const std::string& name, DType dtype, size_t dimensions,
                     const std::string& path) {
  const TensorView& view = file->tensor(name);
  if (view.dtype != dtype || view.shape.size() != dimensions) {
    throw Error(fmt::format("{}: {} is {} of shape [{}]; expected {} with {} dimension{}", path, name,
                            dtype_name(view.dtype), fmt::join(view.shape, ", "), dtype_name(dtype), dimensions,
                            dimensions == 1 ? "" : "s"));
  }
  // const_cast is safe: nothing writes to the tensors of a dataset.
  void* const data = const_cast<std::byte*>(view.bytes.data());
  return at::from_blob(
      data, view.shape, [file](void*) {}, dtype == DType::kU8 ? at::kByte : at::kLong);
}

// The name of the images of a role in this file: "train.images", or the old "train.pictures".
std::string images_name(const SafetensorsFile& file, const std::string& role) {
  const std::string name = role + ".images", old_name = role + "." + std::string(first_name("images"));
  return file.tensors().contains(old_name) ? old_name : name;
}

ImageSet read_role(const SharedFile& file, const std::string& role, const std::string& path) {
  ImageSet set{tensor_of(file, images_name(*file, role), DType::kU8, 4, path),
               tensor_of(file, role + ".labels", DType::kI64, 1, path)};
  if (set.images.size(1) != set.images.size(2)) {
    throw Error(fmt::format("{}: {}.images are {}x{}; must be square (N x H x W x C)", path, role, set.images.size(1),
                            set.images.size(2)));
  }
  const std::string digests = role + ".digests";
  if (file->tensors().contains(digests)) {
    const at::Tensor bytes = tensor_of(file, digests, DType::kU8, 2, path);
    if (bytes.size(0) != set.images.size(0) || bytes.size(1) != kDigestBytes) {
      throw Error(fmt::format("{}: {} is of shape [{}]; expected {} x {}", path, digests,
                              fmt::join(bytes.sizes(), ", "), set.images.size(0), kDigestBytes));
    }
    set.digests = digest_texts(bytes);
  }
  return set;
}

std::vector<std::string> parse_class_names(const std::string& text, const std::string& path) try {
  return parse_json(text, "class names", OldNames::kKeep).get<std::vector<std::string>>();
} catch (const JsonError&) {
  throw Error(fmt::format("{}: metadata class_names is {}; expected a JSON list of names", path, quoted(text)));
}

}  // namespace

void write_safetensors_set(const std::filesystem::path& path, const Dataset& data) {
  TensorViews tensors;
  const at::Tensor train = digest_bytes(data.train.digests), test = digest_bytes(data.test.digests);
  add_role(tensors, "train", data.train, train);
  add_role(tensors, "test", data.test, test);
  write_safetensors(path, tensors,
                    {{"name", data.name}, {"class_names", Json(data.class_names).dump()}, {"digest", data.digest}});
}

Dataset read_safetensors_set(const std::filesystem::path& path) {
  const auto file = std::make_shared<const SafetensorsFile>(read_safetensors(path));
  const std::string source = path.string();
  Dataset data;
  data.source = source;
  data.name = file->metadata().contains("name") ? file->metadata("name") : path.stem().string();
  data.class_names = parse_class_names(file->metadata("class_names"), source);
  data.train = read_role(file, "train", source);
  data.image_size = data.train.images.size(1);
  data.channels = data.train.images.size(3);
  if (file->tensors().contains(images_name(*file, "test"))) {
    data.test = read_role(file, "test", source);
    if (data.test.images.sizes().slice(1) != data.train.images.sizes().slice(1)) {
      throw Error(fmt::format("{}: test images are {}, but training images are {}", source,
                              fmt::join(data.test.images.sizes().slice(1), "x"),
                              fmt::join(data.train.images.sizes().slice(1), "x")));
    }
  } else {
    data.notes.push_back("no test images; no test error can be computed");
  }
  finish_dataset(data);
  const auto digest = file->metadata().find("digest");
  if (digest != file->metadata().end() && digest->second != data.digest) {
    throw Error(
        fmt::format("{}: the images do not match the digest; the file is corrupt; convert the data again", source));
  }
  return data;
}

}  // namespace frgan
