// M1+M2: "Semi-supervised learning with deep generative models" (Kingma, Rezende, Mohamed, Welling 2014).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "frgan/methods/classifier_training.h"
#include "frgan/methods/method.h"
#include "frgan/nn/gaussian_network.h"
#include "frgan/nn/input_normalization.h"

namespace frgan {

struct M1M2Options {
  int64_t latent_size = 300;       // of z1
  int64_t class_latent_size = 50;  // of z2
  HiddenLayers m1_hidden{.layers = 2};
  HiddenLayers m2_hidden{.layers = 1};
  double width = 1;
  double m1_share = 0.5;
  double m2_learning_rate = 3e-4;
  double kl_warm_up = 0;
  double alpha = 0.1;
  double bound_weight = 1;
  InputNormalizationOptions normalization{};
};
// Declares each field as an option, with its meaning and range (docs/options.md).
void describe(OptionSet& options, M1M2Options& m1m2);

// q(z1|x) of M1, frozen, followed by q(y|z1) of M2. A classified image is represented by the mean of q(z1|x).
class M1M2Classifier : public Network {
 public:
  M1M2Classifier(const M1M2Options& options, const ImageShape& shape, uint64_t seed);

  // The mean and the log variance of q(z1|x): N x 2 latent_size.
  at::Tensor encode(const at::Tensor& images, const ForwardPass& pass) const;
  // The logits of q(y|z1), from N x latent_size.
  at::Tensor classify(const at::Tensor& z1, const ForwardPass& pass) const { return run(z1, pass, split_, size()); }
  double encode_flop() const { return encode_flop_; }

  // Copies the weights of q(z1|x).
  void set_encoder(const torch::nn::Module& encoder) const;

 private:
  size_t split_ = 0;  // the first layer of q(y|z1)
  double encode_flop_ = 0;
};

// M1: p(x|z1) and q(z1|x). x are the normalized values of an image.
struct M1 : torch::nn::Module {
  M1(const M1M2Options& options, const ImageShape& shape, uint64_t seed);
  at::Tensor values_of(const at::Tensor& images) const;                   // N x C S S, or N x components
  std::function<at::Tensor(const at::Tensor& values)> images_of() const;  // the inverse: N x C x S x S
  double normalization_flop() const;                                      // for one image

  std::shared_ptr<InputNormalization> normalization;  // null for --normalization scale
  std::shared_ptr<GaussianNetwork> encoder, decoder;
  ImageShape shape;
};

// M2: q(y|z1), q(z2|z1,y) and p(z1|y,z2). The classes are equally probable a priori.
struct M2 : torch::nn::Module {
  M2(const M1M2Options& options, const ImageShape& shape, uint64_t seed);

  std::shared_ptr<M1M2Classifier> classifier;
  std::shared_ptr<GaussianNetwork> encoder, decoder;
};

// The first stage trains M1, a variational autoencoder, on all images, with --learning-rate. With --kl-warm-up, the
// weight of its KL divergence grows linearly from 0 to 1. Without it, the latent variables of whitened components stay
// unused for a long time.
//
// The second stage trains M2 on samples of z1, which are drawn anew in each step, with --m2-learning-rate; the gradient
// does not reach M1. For images without a label, M2's bound is summed over all classes. The classifier is the weight
// average of q(y|z1). With S = labeled images / all images, and means over the batches:
//
//   J = -(1 - S) U(unlabeled) - S L(labeled) + alpha CE(labeled)
//
// With --bound-weight 0, the second stage trains q(y|z1) alone, on the labels.
//
// J is the authors' objective divided by the number of images. Differences from their program: weight norm and leaky
// ReLU instead of softplus, no prior of the weights, and Adam with bias correction. Principal components are
// optional (--normalization pca).
class M1M2 : public Method {
 public:
  M1M2();
  void describe(OptionSet& options) override;
  void validate() const override;
  std::vector<WithoutEffect> options_without_effect() const override;
  void build(const Problem& problem) override;
  std::vector<Player> players() const override;
  std::vector<Schedule> schedules() const override;
  std::vector<Stage> stages() override;
  NetworkPtr make_classifier(const Problem& problem) const override;
  std::optional<Sampler> sampler() override;

 private:
  Stage first_stage();
  Stage second_stage();
  Losses m1_losses(const DrawnImages& images, const ForwardPass& pass) const;
  Losses m2_losses(const Batch& batch, const ForwardPass& pass) const;
  // log p(z1, y) >= this, for each row. `classes` is N x K, one-hot.
  at::Tensor bound(const at::Tensor& z1, const at::Tensor& classes, const at::Tensor& noise,
                   const ForwardPass& pass) const;
  double labeled_share() const;
  bool has_unlabeled_bound() const;
  // The values of images, as M1 receives them.
  at::Tensor generate(const at::Tensor& z2, const at::Tensor& classes) const;

  ClassifierTraining training_;
  M1M2Options options_;
  Problem problem_;
  std::shared_ptr<M1> m1_;
  std::shared_ptr<M2> m2_;
  NetworkPtr average_;
};

}  // namespace frgan
