#include "frgan/methods/methods.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/device/random.h"
#include "frgan/methods/fix_match.h"
#include "frgan/methods/fr_gan.h"
#include "frgan/methods/imsat.h"
#include "frgan/methods/linear.h"
#include "frgan/methods/m1m2.h"
#include "frgan/methods/mean_teacher.h"
#include "frgan/methods/method.h"
#include "frgan/methods/supervised.h"
#include "frgan/nn/networks.h"

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
    MethodInfo{"supervised", "supervised baseline: trained on the labeled images only",
               /*recipe=*/1, make<Supervised>},
    MethodInfo{"mean-teacher", "consistency with a teacher, the average of the network (Tarvainen & Valpola)",
               /*recipe=*/1, make<MeanTeacher>},
    MethodInfo{"fixmatch", "confident predictions as labels of strongly augmented images (Sohn et al.)",
               /*recipe=*/1, make<FixMatch>},
    MethodInfo{"m1m2", "two stacked variational autoencoders, the second one with classes (Kingma et al.)",
               /*recipe=*/3, make<M1M2>},
    MethodInfo{"linear", "logistic regression on the features of a network with published weights (--encoder)",
               /*recipe=*/1, make<Linear>, /*steps=*/1, /*needs_encoder=*/true},
    MethodInfo{
        "imsat",
        "logistic regression that also makes confident, balanced and equal predictions for two views of all images"
        " (Hu et al.)",
        /*recipe=*/1, make<Imsat>, /*steps=*/1, /*needs_encoder=*/true},
};

}  // namespace

std::span<const MethodInfo> all_methods() {
  return kMethods;
}

const MethodInfo* find_method(std::string_view name) {
  const auto* const found = std::ranges::find(kMethods, name, &MethodInfo::name);
  return found == kMethods.end() ? nullptr : found;
}

namespace {

const MethodInfo& known_method(std::string_view name) {
  if (const MethodInfo* info = find_method(name)) return *info;
  std::vector<std::string> names;
  names.reserve(kMethods.size());
  for (const MethodInfo& info : kMethods) names.emplace_back(info.name);
  const std::string nearest = nearest_name(name, names);
  throw usage_error(fmt::format("unknown method '{}'; {} (frgan methods lists them all)", name,
                                nearest.empty() ? fmt::format("known methods: {}", fmt::join(names, ", "))
                                                : fmt::format("did you mean '{}'?", nearest)));
}

}  // namespace

int64_t recipe_of(std::string_view name) {
  return known_method(name).recipe;
}

std::unique_ptr<Method> create_method(std::string_view name) {
  return known_method(name).create();
}

Suggestions method_suggestions() {
  Suggestions names;
  for (const MethodInfo& method : all_methods()) names.words.emplace_back(method.name);
  return names;
}

std::vector<std::string> augmentation_policies_of(const std::vector<Stage>& stages) {
  std::vector<std::string> names;
  for (const Stage& stage : stages) {
    for (const Phase& phase : stage.phases) {
      for (const Draw& draw : phase.batch.draws) {
        for (const std::string& view : draw.views) {
          if (view != kFeatureView) names.push_back(policy_of_view(view));
        }
      }
    }
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

void check_network(const NetworkOptions& options, int64_t batch_size) {
  check_input(options);
  if (batch_size > 1 || !find_network(options.network).has_batch_statistics) return;
  throw usage_error(fmt::format("invalid --batch-size {}: the batch statistics of {} need at least 2 images",
                                batch_size, options.network));
}

NetworkPtr build_network(const NetworkOptions& options, const Problem& problem) {
  NetworkPtr network = create_network(options, problem.shape, problem.seed);
  network->to(problem.device, problem.dtype);
  return network;
}

at::Tensor sampled_images(const Sampler& sampler, int64_t count, uint64_t key, const Problem& problem, int64_t first,
                          int64_t label) {
  const torch::NoGradGuard no_grad;
  const at::Tensor noise = random_noise({.count = count, .size = sampler.noise_size, .kind = sampler.noise}, key,
                                        at::TensorOptions(problem.device).dtype(problem.dtype));
  if (!sampler.class_conditional) return sampler.images(noise, {});
  const at::TensorOptions integers = at::TensorOptions(problem.device).dtype(at::kLong);
  const at::Tensor in_turn = at::arange(first, first + count, integers).remainder(problem.shape.classes);
  return sampler.images(noise, label < 0 ? in_turn : at::full_like(in_turn, label));
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
    options.mention(others, fmt::format("--method {}", info.name));
  }
}

}  // namespace frgan
