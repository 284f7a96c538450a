#include "frgan/methods/m1m2.h"

#include <cmath>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/losses/classification.h"
#include "frgan/losses/variational.h"
#include "frgan/nn/layers.h"
#include "frgan/nn/named_tensors.h"
#include "frgan/nn/scaled_channels.h"

namespace frgan {
namespace {

constexpr const char* kM1Prefix = "m1_";  // of the frozen layers in the classifier
// Random streams of the weights.
constexpr uint64_t kEncoder1 = 7, kDecoder1 = 8, kClassifier = 9, kEncoder2 = 10, kDecoder2 = 11;

HiddenLayers scaled(HiddenLayers hidden, double width) {
  hidden.units = scaled_channels(hidden.units, width);
  return hidden;
}

std::shared_ptr<GaussianNetwork> gaussian_network(int64_t input, int64_t size, const HiddenLayers& hidden,
                                                  uint64_t seed, uint64_t stream) {
  WeightSource source(WeightInit::kXavier, seed, stream);
  return std::make_shared<GaussianNetwork>(input, size, hidden, source);
}

at::Tensor one_hot(const at::Tensor& classes, int64_t count, const at::TensorOptions& options) {
  return at::zeros({classes.size(0), count}, options).scatter_(1, classes.unsqueeze(1), 1);
}

// The mean of a Gaussian: the first half of each row.
class MeanLayer : public Layer {
 public:
  at::Tensor forward(const at::Tensor& x, const ForwardPass& /*pass*/) override {
    return x.narrow(1, 0, x.size(1) / 2);
  }
  LayerDescription describe(const std::vector<int64_t>& input) const override {
    return {.name = {}, .text = "mean of the Gaussian", .output = {input.front() / 2}};
  }
  GraphValue add_to(GraphBuilder& graph, const GraphValue& x) const override {
    const int64_t size = x.shape.front() / 2;
    const std::vector<std::string> range{graph.integers({0}), graph.integers({size}), graph.integers({1})};
    return graph.apply("Slice", {x.name, range[0], range[1], range[2]}, {size});
  }
};

}  // namespace

void describe(OptionSet& options, M1M2Options& m1m2) {
  options.group("M1+M2");
  options.add("latent-size", m1m2.latent_size, "Number of latent variables z1 of M1.", Range<int64_t>{1, 4096});
  options.add("class-latent-size", m1m2.class_latent_size,
              "Number of latent variables z2 of M2, which vary within a class.", Range<int64_t>{1, 4096});
  options.add("m1-layers", m1m2.m1_hidden.layers, "Hidden layers of each network of M1.",
              Range<int64_t>{1, 16, "layers"});
  options.add("m1-units", m1m2.m1_hidden.units, "Units in each hidden layer of M1, before --width applies.",
              Range<int64_t>{1, 16384, "units"});
  options.add("m2-layers", m1m2.m2_hidden.layers, "Hidden layers of each network of M2.",
              Range<int64_t>{1, 16, "layers"});
  options.add("m2-units", m1m2.m2_hidden.units, "Units in each hidden layer of M2, before --width applies.",
              Range<int64_t>{1, 16384, "units"});
  options.add("width", m1m2.width,
              "Factor on the channels or hidden units of the network, such as the channels of Table 1.",
              Range<double>{1.0 / 64, 8});
  options.add("m1-share", m1m2.m1_share, "Share of the run that trains M1; the rest trains M2.",
              Range<double>{0.01, 0.99});
  options.add("m2-learning-rate", m1m2.m2_learning_rate,
              "Learning rate of M2; --learning-rate is that of M1. Both have the same warm-up and decay.",
              Range<double>{0, 10});
  options.add("kl-warm-up", m1m2.kl_warm_up,
              "Share of M1's training in which the weight of the KL divergence grows linearly from 0 to 1.",
              Range<double>{0, 1});
  options.add("alpha", m1m2.alpha, "Weight of the supervised loss of M2.", Range<double>{1e-6, 1e6});
  options.add("bound-weight", m1m2.bound_weight,
              "Weight of the variational bounds of M2; 0 trains its classifier on the labels only.",
              Range<double>{0, 1000});
  options.group("Network");
  frgan::describe(options, m1m2.normalization);
}

M1M2Classifier::M1M2Classifier(const M1M2Options& options, const ImageShape& shape, uint64_t seed)
    : Network(shape, options.normalization, /*full_precision=*/true) {
  const auto add_all = [&](const std::string& prefix, const std::vector<NamedLayer>& layers) {
    for (const auto& [name, layer] : layers) add(prefix + name, layer);
  };
  const HiddenLayers m1 = scaled(options.m1_hidden, options.width), m2 = scaled(options.m2_hidden, options.width);
  WeightSource encoder(WeightInit::kXavier, seed, kEncoder1), source(WeightInit::kXavier, seed, kClassifier);
  add("flatten", std::make_shared<Flattening>());
  add_all(kM1Prefix, gaussian_layers(output().front(), options.latent_size, m1, encoder));
  for (at::Tensor& parameter : parameters()) parameter.set_requires_grad(false);
  add("mean", std::make_shared<MeanLayer>());
  split_ = size();
  encode_flop_ = forward_flop();
  add_all("", hidden_layers(output().front(), m2, source));
  add("dense", std::make_shared<WeightNormLogits>(output().front(), shape.classes, /*initial_std=*/0.1, source));
}

at::Tensor M1M2Classifier::encode(const at::Tensor& images, const ForwardPass& pass) const {
  return run(normalized(images, pass), pass, first_layer(), split_ - 1);
}

void M1M2Classifier::set_encoder(const torch::nn::Module& encoder) const {
  NamedTensors frozen;
  for (const auto& [name, tensor] : named_tensors(*this)) {
    if (name.starts_with(kM1Prefix)) frozen[name] = tensor;
  }
  copy_named(frozen, named_tensors(encoder, kM1Prefix), "encoder of M1");
}

M1::M1(const M1M2Options& options, const ImageShape& image_shape, uint64_t seed) : shape(image_shape) {
  const HiddenLayers hidden = scaled(options.m1_hidden, options.width);
  if (options.normalization.kind != InputNormalizationKind::kScale) {
    normalization = std::make_shared<InputNormalization>(options.normalization, shape);
    register_module("normalization", normalization);
  }
  const int64_t values = normalization ? normalization->output_values() : shape.values();
  encoder = register_module("encoder", gaussian_network(values, options.latent_size, hidden, seed, kEncoder1));
  decoder = register_module("decoder", gaussian_network(options.latent_size, values, hidden, seed, kDecoder1));
}

at::Tensor M1::values_of(const at::Tensor& images) const {
  return (normalization ? normalization->forward(images, {}) : images).flatten(1);
}

std::function<at::Tensor(const at::Tensor&)> M1::images_of() const {
  if (normalization) return normalization->inverse();
  const std::vector<int64_t> sizes{-1, shape.channels, shape.image_size, shape.image_size};
  return [sizes](const at::Tensor& values) { return values.view(sizes); };
}

double M1::normalization_flop() const {
  if (!normalization) return 0;
  return normalization->describe({shape.channels, shape.image_size, shape.image_size}).flop;
}

M2::M2(const M1M2Options& options, const ImageShape& shape, uint64_t seed) {
  const HiddenLayers hidden = scaled(options.m2_hidden, options.width);
  const int64_t z1 = options.latent_size, z2 = options.class_latent_size;
  classifier = register_module("classifier", std::make_shared<M1M2Classifier>(options, shape, seed));
  encoder = register_module("encoder", gaussian_network(z1 + shape.classes, z2, hidden, seed, kEncoder2));
  decoder = register_module("decoder", gaussian_network(z2 + shape.classes, z1, hidden, seed, kDecoder2));
}

M1M2::M1M2() {
  training_.optimizer.beta1 = 0.9;
  training_.average_decay = 0.999;
}

void M1M2::describe(OptionSet& options) {
  frgan::describe(options, training_);
  frgan::describe(options, options_);
}

std::vector<WithoutEffect> M1M2::options_without_effect() const {
  if (training_.optimizer.weight_decay == 0) return {};
  return {
      {"weight-decay", "--weight-decay has no effect on --method m1m2: all weights are weight-normalized; remove it"}};
}

void M1M2::validate() const {
  if (options_.normalization.kind == InputNormalizationKind::kImage) {
    throw usage_error(
        "--normalization image cannot be combined with --method m1m2: generated images could not be converted back; "
        "use scale, standard, zca or pca");
  }
}

NetworkPtr M1M2::make_classifier(const Problem& problem) const {
  auto classifier = std::make_shared<M1M2Classifier>(options_, problem.shape, problem.seed);
  classifier->to(problem.device, problem.dtype);
  return classifier;
}

void M1M2::build(const Problem& problem) {
  problem_ = problem;
  m1_ = std::make_shared<M1>(options_, problem.shape, problem.seed);
  m2_ = std::make_shared<M2>(options_, problem.shape, problem.seed);
  m1_->to(problem.device, problem.dtype);
  m2_->to(problem.device, problem.dtype);
  average_ = make_classifier(problem);
}

std::vector<Player> M1M2::players() const {
  const Follower average{kAverage, average_, "average_decay", FollowerBuffers::kCopied, "classifier."};
  return {{"m1", m1_, training_.optimizer}, {"m2", m2_, training_.optimizer, "m2_learning_rate", {average}}};
}

// The share of the images that have a label; 1/2 if the images are not known.
double M1M2::labeled_share() const {
  if (problem_.train_images == 0) return 0.5;
  return static_cast<double>(problem_.labeled_images) / static_cast<double>(problem_.train_images);
}

std::vector<Schedule> M1M2::schedules() const {
  std::vector<Schedule> schedules = schedules_of(training_);
  schedules.push_back(learning_rate_schedule("m2_learning_rate", options_.m2_learning_rate, training_));
  const auto constant = [&](const std::string& name, double value) {
    schedules.push_back({name, [=](double, double) { return value; }});
  };
  schedules.push_back({"kl_weight", [end = options_.kl_warm_up](double progress, double) {
                         return ramp_up(RampShape::kLinear, progress, /*start=*/0, end);
                       }});
  constant("alpha", options_.alpha);
  constant("labeled_bound_weight", options_.bound_weight * labeled_share());
  constant("unlabeled_bound_weight", options_.bound_weight * (1 - labeled_share()));
  return schedules;
}

std::vector<Stage> M1M2::stages() {
  return {first_stage(), second_stage()};
}

Stage M1M2::first_stage() {
  const std::vector<std::string> view{kWeakPolicy};
  const auto draw = [&](int64_t count) { return Draw{Pool::kAll, count, view, 0, options_.latent_size}; };
  const int64_t m = training_.batch_size;
  Stage stage{.name = "m1", .share = options_.m1_share, .initial_batch = {{draw(training_.init_images)}}};
  stage.initialize = [this](const Batch& batch) {
    const torch::NoGradGuard no_grad;
    m1_losses(batch.from(Pool::kAll), {.initialize = true});
  };
  const auto losses = [this](const Batch& batch) { return std::vector<Losses>{m1_losses(batch.from(Pool::kAll), {})}; };
  stage.phases = {{"m1", {{draw(m)}}, 1, {"m1"}, losses}};
  stage.step_flop = static_cast<double>(m) *
                    (m1_->normalization_flop() + m1_->encoder->training_flop() + m1_->decoder->training_flop());
  return stage;
}

// Without bounds, the stage needs labeled images only; if all images have labels, there are no others.
Stage M1M2::second_stage() {
  const int64_t m = training_.batch_size, k = problem_.shape.classes;
  const int64_t unlabeled = has_unlabeled_bound() ? m : 0;
  const auto batch = [&](int64_t count) {
    const auto draw = [&](Pool pool) {
      return Draw{pool, count, {kWeakPolicy}, 0, options_.latent_size + options_.class_latent_size};
    };
    BatchRequest request{{draw(Pool::kLabeled)}};
    if (unlabeled > 0) request.draws.push_back(draw(Pool::kUnlabeled));
    return request;
  };
  Stage stage{.name = "m2", .share = 1 - options_.m1_share, .initial_batch = batch(training_.init_images)};
  stage.initialize = [this](const Batch& images) {
    const torch::NoGradGuard no_grad;
    m2_->classifier->set_encoder(*m1_->encoder);
    m2_losses(images, {.initialize = true});
  };
  const auto losses = [this](const Batch& images) { return std::vector<Losses>{m2_losses(images, {})}; };
  stage.phases = {{"m2", batch(m), 1, {"m2"}, losses}};
  // A forward pass of q(z1|x), and training passes of the others. Bounds of unlabeled images have K passes.
  const double encode = m2_->classifier->encode_flop(), classify = 3 * (m2_->classifier->forward_flop() - encode);
  const double bound = m2_->encoder->training_flop() + m2_->decoder->training_flop();
  const int64_t bounds = options_.bound_weight > 0 ? m + unlabeled * k : 0;
  stage.step_flop = static_cast<double>(m + unlabeled) * (encode + classify) + static_cast<double>(bounds) * bound;
  return stage;
}

bool M1M2::has_unlabeled_bound() const {
  return options_.bound_weight > 0 && labeled_share() < 1;
}

// -log p(x) <= reconstruction + KL, in nats per image. During the warm-up, the loss has only a part of the divergence.
Losses M1M2::m1_losses(const DrawnImages& images, const ForwardPass& pass) const {
  const at::Tensor x = m1_->values_of(images.views[0]);
  const Gaussian q = gaussian_of(m1_->encoder->forward(x, pass));
  const Gaussian p = gaussian_of(m1_->decoder->forward(sample_of(q, images.noise), pass));
  return {{"reconstruction", "one", -log_density(x, p).mean()},
          {"latent_kl", "kl_weight", kl_to_standard_normal(q).mean()}};
}

at::Tensor M1M2::bound(const at::Tensor& z1, const at::Tensor& classes, const at::Tensor& noise,
                       const ForwardPass& pass) const {
  const Gaussian q = gaussian_of(m2_->encoder->forward(at::cat({z1, classes}, 1), pass));
  const Gaussian p = gaussian_of(m2_->decoder->forward(at::cat({sample_of(q, noise), classes}, 1), pass));
  const double log_prior = -std::log(static_cast<double>(problem_.shape.classes));
  return log_density(z1, p) - kl_to_standard_normal(q) + log_prior;
}

// The labeled and the unlabeled images share the passes through q(z1|x) and q(y|z1), and one pass for their bounds: the
// unlabeled ones with each class. All classes of an image share its noise.
Losses M1M2::m2_losses(const Batch& batch, const ForwardPass& pass) const {
  const DrawnImages& labeled = batch.from(Pool::kLabeled);
  const int64_t k = problem_.shape.classes, n = labeled.labels.size(0);
  at::Tensor images = labeled.views[0], noise = labeled.noise;
  if (has_unlabeled_bound()) {
    const DrawnImages& unlabeled = batch.from(Pool::kUnlabeled);
    images = at::cat({images, unlabeled.views[0]});
    noise = at::cat({noise, unlabeled.noise});
  }
  const int64_t m = images.size(0) - n;
  at::Tensor z1;
  {
    const torch::NoGradGuard no_grad;
    const Gaussian q = gaussian_of(m2_->classifier->encode(images, {}));
    z1 = sample_of(q, noise.narrow(1, 0, options_.latent_size));
  }
  const at::Tensor logits = m2_->classifier->classify(z1, pass);
  Losses losses{{"supervised", "alpha", cross_entropy(logits.narrow(0, 0, n), labeled.labels, k)}};
  if (options_.bound_weight == 0) return losses;
  const auto each_class = [&](const at::Tensor& rows) {
    const at::Tensor repeated = rows.narrow(0, n, m).unsqueeze(1).expand({m, k, rows.size(1)});
    return at::cat({rows.narrow(0, 0, n), repeated.reshape({m * k, rows.size(1)})});
  };
  const at::Tensor classes =
      at::cat({one_hot(labeled.labels, k, z1.options()), at::eye(k, z1.options()).repeat({m, 1})});
  const at::Tensor z2_noise = noise.narrow(1, options_.latent_size, options_.class_latent_size);
  const at::Tensor bounds = bound(each_class(z1), classes, each_class(z2_noise), pass);
  losses.push_back({"labeled_bound", "labeled_bound_weight", -bounds.narrow(0, 0, n).mean()});
  if (m == 0) return losses;
  const at::Tensor of_classes = bounds.narrow(0, n, m * k).view({m, k});
  const at::Tensor unlabeled = bound_over_classes(of_classes, logits.narrow(0, n, m));
  losses.push_back({"unlabeled_bound", "unlabeled_bound_weight", -unlabeled.mean()});
  return losses;
}

// Without bounds, p(z1|y,z2) is not trained.
std::optional<Sampler> M1M2::sampler() {
  if (options_.bound_weight == 0) return {};
  // Made with the first images, because it can take a second.
  const auto images_of = std::make_shared<std::function<at::Tensor(const at::Tensor&)>>();
  return Sampler{.noise_size = options_.class_latent_size,
                 .noise = NoiseKind::kNormal,
                 .class_conditional = true,
                 .images = [this, images_of](const at::Tensor& z2, const at::Tensor& classes) {
                   if (!*images_of) *images_of = m1_->images_of();
                   return (*images_of)(generate(z2, classes)).clamp(-1, 1);
                 }};
}

// The means of p(z1|y,z2) and p(x|z1).
at::Tensor M1M2::generate(const at::Tensor& z2, const at::Tensor& classes) const {
  const at::Tensor y = one_hot(classes, problem_.shape.classes, z2.options());
  const at::Tensor z1 = gaussian_of(m2_->decoder->forward(at::cat({z2, y}, 1), {})).mean;
  return gaussian_of(m1_->decoder->forward(z1, {})).mean;
}

}  // namespace frgan
