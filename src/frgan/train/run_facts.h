// What plans, tables and figures need of a run's dataset and networks, without tensors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "frgan/core/json.h"
#include "frgan/nn/layer_description.h"

namespace frgan {

class Method;
struct Dataset;
struct RunOptions;

struct RunFacts {
  std::string data_digest;   // SHA-256 of the dataset
  int64_t train_images = 0;  // of the dataset
  int64_t steps_per_epoch = 0;
  // Means over the steps of a run.
  int64_t images_per_step = 0;  // images that enter a network
  double step_flop = 0;         // Stage::step_flop
  Json parameters;              // parameter count per network: {"discriminator": 787200, "generator": ...}
};

// Measures runs without training them. Loads each dataset once and keeps only its digest, shape and labels.
//
//   RunMeasurer measurer("data");
//   const RunFacts facts = measurer.measure(request.run, *request.method);
class RunMeasurer {
 public:
  // `data_root` is the folder in which datasets are searched.
  explicit RunMeasurer(std::filesystem::path data_root) : root_(std::move(data_root)) {}

  // Builds the method's networks; its options must be set. Throws an Error if the dataset cannot be loaded or has no
  // test images.
  RunFacts measure(const RunOptions& run, Method& method);
  // Draws the label split of a run. Throws like split_labels (data/label_split.h), for example if there are too few
  // labels.
  void check_labels(const RunOptions& run);
  const std::filesystem::path& data_root() const { return root_; }

 private:
  struct DataFacts {
    int64_t image_size = 0, channels = 0, classes = 0, train_images = 0;
    std::string digest;
    std::shared_ptr<const Dataset> labels;  // the dataset without pixels
  };
  const DataFacts& data_facts(const RunOptions& run);

  std::filesystem::path root_;
  std::map<std::string, DataFacts> known_;  // by dataset_id
};

// Text that is equal for runs with the same dataset options.
std::string dataset_id(const RunOptions& run);

bool has_generator(Method& method);

// Builds the method's networks for 32 x 32 x 3 images and 10 classes. Returns the layers of each in forward order, by
// name: "discriminator", "generator".
std::map<std::string, std::vector<LayerDescription>> network_layers(Method& method);

// The dataset of a run with these options ("data", "data-dir", ...; PlannedRun::options). Throws like load_dataset.
Dataset load_run_dataset(const Json& options, const std::filesystem::path& data_root);

// Square RGB images.
struct SquareImages {
  int64_t size = 0;             // S, pixels
  std::vector<uint8_t> pixels;  // N x S x S x 3, 0 to 255
};

// `count` random training images of the run's dataset, or all if there are fewer. Gray images get three equal channels.
SquareImages random_training_images(const Json& options, const std::filesystem::path& data_root, int64_t count);

}  // namespace frgan
