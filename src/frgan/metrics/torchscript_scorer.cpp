// A scorer from a TorchScript file. Apart from scorer.cpp for its headers, which take long to compile.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/types.h>

#include "frgan/core/error.h"
#include "frgan/io/digests.h"
#include "frgan/metrics/scorer.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kImagesAtOnce = 100;  // a network that resizes them to 299 x 299 then needs a few gigabytes

// LibTorch's messages go on with traces; the line that says what went wrong is the one that names an error, or the
// first.
std::string_view problem_within(std::string_view text) {
  const size_t error = text.find("Error: ");
  const size_t line = error == std::string_view::npos ? 0 : text.rfind('\n', error) + 1;  // npos + 1 is 0
  return text.substr(line, text.find('\n', line) - line);
}

std::string shape_text(const at::Tensor& tensor) {
  return fmt::format("{} of {}", c10::toString(tensor.scalar_type()), fmt::join(tensor.sizes(), "x"));
}

// One of the two outputs as float N x something.
at::Tensor checked(const at::Tensor& output, int64_t count, const char* what, const std::string& name) {
  if (output.dim() == 2 && output.size(0) == count && output.is_floating_point() && output.size(1) >= 1) {
    return output.to(at::kFloat);
  }
  throw Error(fmt::format("{}: {} of {} images are {}, expected floating numbers of {}x...", name, what, count,
                          shape_text(output), count));
}

Classified classified(const c10::IValue& output, int64_t count, const std::string& name) {
  if (output.isTensor()) return {checked(output.toTensor(), count, "logits", name), {}};
  if (output.isTuple()) {
    const auto parts = output.toTuple();
    const auto& elements = parts->elements();
    if (elements.size() == 2 && elements[0].isTensor() && elements[1].isTensor()) {
      return {checked(elements[0].toTensor(), count, "logits", name),
              checked(elements[1].toTensor(), count, "features", name)};
    }
  }
  throw Error(fmt::format("{}: gives {}, expected logits, or a tuple of logits and features", name, output.tagKind()));
}

torch::jit::Module load(const fs::path& file, at::Device device) {
  if (!fs::is_regular_file(file)) {
    throw Error(
        fmt::format("{}: no such file; --scorer takes a run, a checkpoint or a TorchScript file", file.string()));
  }
  try {
    torch::jit::Module module = torch::jit::load(file.string(), device);
    module.eval();
    return module;
  } catch (const std::exception& error) {
    throw Error(fmt::format("{}: no TorchScript file, as torch.jit.save writes it: {}", file.string(),
                            problem_within(error.what())));
  }
}

// float N x 3 x S x S, 0 to 1.
at::Tensor unit_images(const at::Tensor& images, at::Device device) {
  return (images.to(device, at::kFloat) / 255).permute({0, 3, 1, 2}).expand({-1, 3, -1, -1}).contiguous();
}

Classified look(torch::jit::Module& module, const at::Tensor& images, at::Device device, const std::string& name) {
  const torch::NoGradGuard no_grad;
  std::vector<at::Tensor> logits, features;
  for (int64_t first = 0; first < images.size(0); first += kImagesAtOnce) {
    const at::Tensor some = images.narrow(0, first, std::min(kImagesAtOnce, images.size(0) - first));
    c10::IValue output;
    try {
      output = module.forward({unit_images(some, device)});
    } catch (const std::exception& error) {
      throw Error(fmt::format("{}: fails on float images of {}x3x{}x{}: {}", name, some.size(0), some.size(1),
                              some.size(2), problem_within(error.what())));
    }
    const Classified seen = classified(output, some.size(0), name);
    logits.push_back(seen.logits.cpu());
    if (seen.features.defined()) features.push_back(seen.features.cpu());
  }
  return {torch::cat(logits), features.empty() ? at::Tensor() : torch::cat(features)};
}

}  // namespace

Scorer torchscript_scorer(const fs::path& file, const ImageShape& shape, at::Device device) {
  const std::string name = file.string();
  const auto module = std::make_shared<torch::jit::Module>(load(file, device));
  Scorer scorer;
  scorer.name = name;
  scorer.digest = file_digest(file, DigestKind::kSha256);
  scorer.look = [=](const at::Tensor& images) { return look(*module, images, device, name); };
  const at::Tensor two = torch::zeros({2, shape.image_size, shape.image_size, shape.channels}, at::kByte);
  const Classified tried = scorer.look(two);
  scorer.classes = tried.logits.size(1);
  scorer.features = tried.features.defined() ? tried.features.size(1) : 0;
  return scorer;
}

}  // namespace frgan
