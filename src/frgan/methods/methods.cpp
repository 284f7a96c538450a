#include "frgan/methods/methods.h"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/device/random.h"
#include "frgan/methods/fr_gan.h"
#include "frgan/methods/method.h"
#include "frgan/methods/supervised.h"

namespace frgan {
namespace {

template <class T>
std::unique_ptr<Method> make() {
  return std::make_unique<T>();
}

constexpr std::array kMethods{
    MethodInfo{"fr-gan",
               "semi-supervised K+1-class GAN with squeeze-and-excitation and a consistency loss (Jiang, Zhang, Liu)",
               /*recipe=*/1, make<FrGan>},
    MethodInfo{"supervised", "supervised baseline: the same network, trained on the labeled images only",
               /*recipe=*/1, make<Supervised>},
};

}  // namespace

std::span<const MethodInfo> all_methods() {
  return kMethods;
}

const MethodInfo* find_method(std::string_view name) {
  const auto* const found = std::ranges::find(kMethods, name, &MethodInfo::name);
  return found == kMethods.end() ? nullptr : found;
}

std::unique_ptr<Method> create_method(std::string_view name) {
  if (const MethodInfo* info = find_method(name)) return info->create();
  std::vector<std::string> names;
  names.reserve(kMethods.size());
  for (const MethodInfo& info : kMethods) names.emplace_back(info.name);
  const std::string nearest = nearest_name(name, names);
  throw usage_error(fmt::format("unknown method '{}'; {} (frgan methods lists them all)", name,
                                nearest.empty() ? fmt::format("known methods: {}", fmt::join(names, ", "))
                                                : fmt::format("did you mean '{}'?", nearest)));
}

Suggestions method_suggestions() {
  Suggestions names;
  for (const MethodInfo& method : all_methods()) names.words.emplace_back(method.name);
  return names;
}

at::Tensor Method::sampling_noise(int64_t count, uint64_t key, const Problem& problem) const {
  return random_uniform({count, noise_size()}, lowest_noise(noise_range()), 1, key,
                        at::TensorOptions(problem.device).dtype(problem.dtype));
}

at::Tensor StepScalars::operator[](const std::string& name) const {
  for (size_t i = 0; i < names_.size(); ++i) {
    if (names_[i] == name) return values_.select(0, static_cast<int64_t>(i));
  }
  TORCH_CHECK(false, "unknown schedule '", name, "'");
}

void mention_other_methods(OptionSet& options, std::string_view method) {
  for (const MethodInfo& info : all_methods()) {
    if (info.name == method) continue;
    OptionSet others;
    info.create()->describe(others);
    options.mention(others, fmt::format("the method {}", info.name));
  }
}

}  // namespace frgan
