// A scorer from a TorchScript file. It is separate from scorer.cpp because its headers take long to compile.
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
#include "frgan/metrics/features.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kBatchSize = 100;  // a network that resizes images to 299 x 299 needs a few gigabytes per batch

// The line of a LibTorch message that describes the error, without the traces: the first line with "Error: ", else the
// first line.
std::string_view error_line(std::string_view text) {
  const size_t error = text.find("Error: ");
  const size_t line = error == std::string_view::npos ? 0 : text.rfind('\n', error) + 1;  // npos + 1 is 0
  return text.substr(line, text.find('\n', line) - line);
}

std::string shape_text(const at::Tensor& tensor) {
  return fmt::format("{} {}", c10::toString(tensor.scalar_type()), fmt::join(tensor.sizes(), "x"));
}

// The logits or features of `count` images as float N x any. `what` names the output in messages.
at::Tensor checked_output(const at::Tensor& output, int64_t count, const char* what, const std::string& name) {
  if (output.dim() == 2 && output.size(0) == count && output.is_floating_point() && output.size(1) >= 1) {
    return output.to(at::kFloat);
  }
  throw Error(fmt::format("{}: invalid {} for {} images: {}; must be floating-point {}xN", name, what, count,
                          shape_text(output), count));
}

Classified checked_outputs(const c10::IValue& output, int64_t count, const std::string& name) {
  if (output.isTensor()) return {checked_output(output.toTensor(), count, "logits", name), {}};
  if (output.isTuple()) {
    const auto parts = output.toTuple();
    const auto& elements = parts->elements();
    if (elements.size() == 2 && elements[0].isTensor() && elements[1].isTensor()) {
      return {checked_output(elements[0].toTensor(), count, "logits", name),
              checked_output(elements[1].toTensor(), count, "features", name)};
    }
  }
  throw Error(
      fmt::format("{}: invalid output: {}; must be logits, or a tuple of logits and features", name, output.tagKind()));
}

torch::jit::Module load(const fs::path& file, at::Device device) {
  if (!fs::is_regular_file(file)) {
    throw Error(
        fmt::format("{}: no such file; --scorer needs a run, a checkpoint or a TorchScript file", file.string()));
  }
  try {
    torch::jit::Module module = torch::jit::load(file.string(), device);
    module.eval();
    return module;
  } catch (const std::exception& error) {
    throw Error(fmt::format("{}: not a TorchScript file (written by torch.jit.save): {}", file.string(),
                            error_line(error.what())));
  }
}

// uint8 N x S x S x C -> float N x 3 x S x S in [0, 1].
at::Tensor unit_images(const at::Tensor& images, at::Device device) {
  return (images.to(device, at::kFloat) / 255).permute({0, 3, 1, 2}).expand({-1, 3, -1, -1}).contiguous();
}

Classified run_network(torch::jit::Module& module, const at::Tensor& images, at::Device device,
                       const std::string& name) {
  const torch::NoGradGuard no_grad;
  std::vector<at::Tensor> logits, features;
  for (int64_t first = 0; first < images.size(0); first += kBatchSize) {
    const at::Tensor batch = images.narrow(0, first, std::min(kBatchSize, images.size(0) - first));
    c10::IValue output;
    try {
      output = module.forward({unit_images(batch, device)});
    } catch (const std::exception& error) {
      throw Error(fmt::format("{}: the network fails on float images of {}x3x{}x{}: {}", name, batch.size(0),
                              batch.size(1), batch.size(2), error_line(error.what())));
    }
    const Classified checked = checked_outputs(output, batch.size(0), name);
    logits.push_back(checked.logits.cpu());
    if (checked.features.defined()) features.push_back(checked.features.cpu());
  }
  return {torch::cat(logits), features.empty() ? at::Tensor() : torch::cat(features)};
}

}  // namespace

Scorer torchscript_scorer(const fs::path& file, const ImageShape& shape, at::Device device) {
  const std::string name = file.string();
  const auto module = std::make_shared<torch::jit::Module>(load(file, device));
  Scorer scorer;
  scorer.name = name;
  scorer.digest = file_digest(file);
  scorer.classify = [=](const at::Tensor& images) { return run_network(*module, images, device, name); };
  const at::Tensor two = torch::zeros({2, shape.image_size, shape.image_size, shape.channels}, at::kByte);
  const Classified output = scorer.classify(two);
  scorer.classes = output.logits.size(1);
  scorer.features = output.features.defined() ? output.features.size(1) : 0;
  return scorer;
}

}  // namespace frgan
