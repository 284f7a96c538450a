// What holds for every method in the table: a step is a function of state and inputs, and trainings of one process do
// not affect each other.
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "../methods/small_methods.h"
#include "frgan/data/batch_stream.h"
#include "frgan/device/packed_inputs.h"
#include "frgan/train/trainer.h"

namespace frgan {
namespace {

constexpr int64_t kContractSteps = 4;

std::string first_difference(const TensorFiles& one, const TensorFiles& other) {
  for (const auto& [file, tensors] : one) {
    for (const auto& [name, tensor] : tensors) {
      if (!tensor.equal(other.at(file).at(name))) return file + "/" + name;
    }
  }
  return "";
}

// The state after training on batches of `source`.
TensorFiles trained(const std::string& method_name, const BatchSource& source) {
  const Problem problem = small_problem(at::kFloat);
  const auto method = small_method(method_name, {{"threshold", 0.0}}, problem);
  Trainer trainer(*method, problem, source, kContractSteps);
  trainer.initialize();
  while (trainer.steps_done() < kContractSteps) trainer.step();
  return copies_of(trainer.state());
}

// Batches in tensors that keep their addresses: each new batch of a phase overwrites the one before.
class OverwrittenBatches {
 public:
  Batch operator()(const BatchRequest& request, uint64_t draw, uint64_t part) {
    const Batch fresh = RandomBatches{small_problem(at::kFloat)}(request, draw, part);
    const auto [found, is_new] = kept_.try_emplace(part, fresh);
    Batch& batch = found->second;
    if (is_new) return batch;
    for (size_t i = 0; i < fresh.draws.size(); ++i) {
      for (size_t view = 0; view < fresh.draws[i].views.size(); ++view) {
        batch.draws[i].views[view].copy_(fresh.draws[i].views[view]);
      }
      batch.draws[i].labels.copy_(fresh.draws[i].labels);
      if (fresh.draws[i].noise.defined()) batch.draws[i].noise.copy_(fresh.draws[i].noise);
    }
    if (fresh.noise.defined()) batch.noise.copy_(fresh.noise);
    batch.dropout_key = fresh.dropout_key;
    return batch;
  }

 private:
  std::map<uint64_t, Batch> kept_;
};

TEST(Contract, EqualInputsGiveEqualBits) {
  for (const MethodInfo& info : all_methods()) {
    const std::string name(info.name);
    const RandomBatches batches{small_problem(at::kFloat)};
    EXPECT_EQ(first_difference(trained(name, batches), trained(name, batches)), "") << name;
  }
}

TEST(Contract, OverwrittenInputsGiveTheBitsOfFreshOnes) {
  for (const MethodInfo& info : all_methods()) {
    const std::string name(info.name);
    OverwrittenBatches overwritten;
    const auto source = [&](const BatchRequest& request, uint64_t draw, uint64_t part) {
      return overwritten(request, draw, part);
    };
    EXPECT_EQ(first_difference(trained(name, source), trained(name, RandomBatches{small_problem(at::kFloat)})), "")
        << name;
  }
}

// The plans of a stream arrive in one buffer per phase, as on a GPU. Each plan overwrites the one before.
TEST(Contract, PlansInOneBufferGiveTheBitsOfFreshOnes) {
  const ImageSet images{random_integers({40, 16, 16, 1}, 0, 256, /*key=*/1, at::kCPU).to(at::kByte),
                        random_integers({40}, 0, 3, /*key=*/2, at::kCPU)};
  LabelSplit split;
  split.train_images = images.size();
  for (int64_t row = 0; row < 9; ++row) split.labeled.push_back(row);
  BatchStream stream(images, split,
                     {.policies = {{kWeakPolicy, {.translate = 2, .noise = 0.1}},
                                   {kStrongPolicy, parse_augmentation({"randaugment:2", "cutout:0.5"})}}});
  for (const MethodInfo& info : all_methods()) {
    const std::string name(info.name);
    BatchSource packed(stream);
    std::map<uint64_t, PackedInputs> inputs;  // by part: one per phase
    packed.gather = [&](const BatchRequest& request, BatchPlan plan) {
      inputs.try_emplace(plan.part, at::kCPU, /*always=*/true).first->second.load(plan.tensors());
      return stream.gather(request, plan);
    };
    EXPECT_EQ(first_difference(trained(name, packed), trained(name, stream)), "") << name;
  }
}

// Two trainings at the same time, in two threads, end like each alone. The number of OpenMP threads is a property of
// the calling thread, so each sets its own.
TEST(Contract, TrainingsInTwoThreadsDoNotAffectEachOther) {
  std::map<std::string, TensorFiles> alone;
  const auto train_alone = [](const std::string& name) {
    at::set_num_threads(1);
    return trained(name, RandomBatches{small_problem(at::kFloat)});
  };
  const int threads = at::get_num_threads();
  for (const MethodInfo& info : all_methods()) alone[std::string(info.name)] = train_alone(std::string(info.name));
  for (const MethodInfo& info : all_methods()) {
    const std::string name(info.name);
    TensorFiles first, second;
    std::thread other([&] { first = train_alone("fr-gan"); });
    second = train_alone(name);
    other.join();
    EXPECT_EQ(first_difference(first, alone.at("fr-gan")), "") << "fr-gan beside " << name;
    EXPECT_EQ(first_difference(second, alone.at(name)), "") << name << " beside fr-gan";
  }
  at::set_num_threads(threads);
}

}  // namespace
}  // namespace frgan
