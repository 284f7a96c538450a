// The state.json of a checkpoint: how its network was built and trained, without the weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "frgan/classifier/calibration.h"
#include "frgan/core/image_shape.h"
#include "frgan/core/json.h"
#include "frgan/core/precision.h"
#include "frgan/core/resize_rule.h"
#include "frgan/core/step_plan.h"
#include "frgan/data/load_dataset.h"
#include "frgan/data/load_watch.h"

namespace frgan {

struct CheckpointState {
  int64_t step = 0;
  int64_t planned_steps = 0;
  StepPlan plan{};          // decisions up to this step
  double seconds = 0;       // training time so far
  double used_seconds = 0;  // of the time budget: also loading and evaluations
  int64_t log_lines = 0;    // lines of metrics.jsonl; 0 if unknown
  std::string command;      // repeats the run; empty if unknown
  // The checkpoint whose weights the run started from: {"checkpoint": path, "method", "step", "seconds", "labels",
  // "command", and "test": its last evaluation, if it is the end of a run}. Null for new weights.
  Json inherited;
  Json encoder;        // published weights: provenance_of, train/encoder_options.h; null without
  int64_t recipe = 0;  // version of the training code, methods/methods.h
  std::string method;  // "fr-gan"
  Json options;        // all resolved options of the run, including those of the method
  ImageShape shape;
  std::vector<std::string> class_names;
  Precision precision = Precision::kFull;
  ResizeRule resize = ResizeRule::kArea;  // of image files
  Calibration calibration{};              // of the class probabilities, after the last step; not fitted before
  bool classifier_trained = true;         // whether the run reached the stage that trains the classifier
  std::string device;                     // type of the device that trained it: "cpu" or "cuda"; empty if unknown
  std::string libtorch;                   // version of LibTorch that trained it: "1.13.1"; empty if unknown
  std::string data_digest;
  std::string split_digest;
  Json label_split;  // from label_split_json
  std::string frgan_version;
};
Json to_json(const CheckpointState& state);
// Throws an Error that starts with `name`, the file, and names the missing or invalid key.
CheckpointState checkpoint_state_from_json(const Json& json, const std::string& name);

// The rule of this name. Throws an Error that starts with `name`, the file, for an unknown one.
ResizeRule resize_rule_of(const std::string& rule, const std::string& name);

// Whether the path is a run folder or a checkpoint.
bool is_checkpoint(const std::filesystem::path& path);

// Images for a trained network.
struct DataSource {
  std::string data = "";         // dataset, folder or .safetensors file; empty: the data of the run
  std::string data_dir = "";     // folder of the dataset's files; empty: the folder of the run
  std::filesystem::path root{};  // searched for datasets: $FRGAN_DATA, or data/
  LoadWatch watch{};             // of the images of a folder; `stopped` also ends the work on them
};

// The options to load these images. Images of a folder are resized to the network's input size.
DataOptions data_options(const DataSource& source, const CheckpointState& state);

}  // namespace frgan
