// What a run will do: shown to the user before the first step and by frgan train --dry-run.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace frgan {

// Numbers of images with one label.
struct ClassImages {
  std::string name;
  int64_t labeled = 0, unlabeled = 0, dev = 0, test = 0;
};

// A loss term and its weight at the start, after a third and at the end of the run.
struct TermWeights {
  std::string name;
  std::array<double, 3> weights{};
};

struct RunPlan {
  std::string data;                // "svhn, 32 x 32 x 3, 10 classes, from data/svhn"
  std::string encoder;             // provenance of published weights; empty without
  std::vector<std::string> notes;  // about the dataset and the label split
  std::vector<ClassImages> classes{};
  int64_t without_label = 0;  // training images
  ClassImages all{};          // sums
  std::string method, precision, device;
  int64_t threads = 1;
  int64_t steps = 0;  // of the whole run
  int64_t steps_left = 0;
  double epochs = 0;  // of the whole run
  double seconds_per_step = 0;
  int64_t evaluations_left = 0;
  double seconds_per_evaluation = 0;
  double seconds_left = 0;  // of steps, evaluations and the end of the run
  // The expected peak of the whole process: a step and an evaluation are measured before the run.
  int64_t peak_memory_bytes = 0;
  std::vector<TermWeights> terms{};
};

// Several lines: data, label split, steps, expected time, loss weights. Shows at most 20 classes.
std::string plan_text(const RunPlan& plan);

}  // namespace frgan
