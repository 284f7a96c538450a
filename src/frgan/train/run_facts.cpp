#include "frgan/train/run_facts.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include <fmt/format.h>

#include "frgan/core/error.h"
#include "frgan/data/dataset.h"
#include "frgan/data/label_split.h"
#include "frgan/data/load_dataset.h"
#include "frgan/device/random.h"
#include "frgan/methods/method.h"
#include "frgan/nn/layer_list.h"
#include "frgan/nn/named_tensors.h"
#include "frgan/train/run_options.h"

namespace frgan {
namespace {

struct ImageCounts {
  int64_t train, labeled;
};

// Training images of a run, and those among them that have a label.
ImageCounts image_counts(const SplitOptions& options, const Dataset& data) {
  const int64_t all = data.train.size();
  if (!options.is_written()) {
    const int64_t train = options.train_images > 0 ? options.train_images : all - options.dev_images;
    return {train, options.labels > 0 ? options.labels : train};
  }
  const LabelSplit split = split_labels(data, options);
  const int64_t kept = std::ssize(split.kept);
  return {kept > 0 ? kept : all - std::ssize(split.dev), std::ssize(split.labeled)};
}

// The dataset without pixels and without test images: enough to draw label splits.
std::shared_ptr<const Dataset> without_pixels(const Dataset& data) {
  auto labels = std::make_shared<Dataset>();
  labels->name = data.name;
  labels->source = data.source;
  labels->train = {at::empty({data.train.size(), 0}, at::kByte), data.train.labels, data.train.files,
                   data.train.digests};
  labels->class_names = data.class_names;
  labels->image_size = data.image_size;
  labels->channels = data.channels;
  labels->digest = data.digest;
  return labels;
}

}  // namespace

std::string dataset_id(const RunOptions& run) {
  return fmt::format("{}\n{}\n{}\n{}\n{}", run.data.data, run.data.data_dir, run.data.image_size, run.data.channels,
                     with_labels(run.data, run.split.labels_file).labels_table);
}

const RunMeasurer::DataFacts& RunMeasurer::data_facts(const RunOptions& run) {
  const std::string id = dataset_id(run);
  if (const auto known = known_.find(id); known != known_.end()) return known->second;
  const Dataset data = load_dataset(with_labels(run.data, run.split.labels_file), root_);
  if (data.test.size() == 0) {
    throw Error(fmt::format("{}: has no test images, but the tables of a plan need a test set", data.source));
  }
  return known_[id] = {data.image_size,   data.channels, data.classes(),
                       data.train.size(), data.digest,   without_pixels(data)};
}

void RunMeasurer::check_labels(const RunOptions& run) {
  split_labels(*data_facts(run).labels, run.split);
}

RunFacts RunMeasurer::measure(const RunOptions& run, Method& method) {
  const DataFacts& data = data_facts(run);
  const ImageCounts images = image_counts(run.split, *data.labels);
  method.build({.shape = {data.image_size, data.channels, data.classes},
                .seed = 0,
                .train_images = images.train,
                .labeled_images = images.labeled});
  const std::vector<Stage> stages = method.stages();
  const double epoch_steps = static_cast<double>(images.train) / mean_over_stages(stages, epoch_images_per_step);
  RunFacts facts{.data_digest = data.digest,
                 .train_images = data.train_images,
                 .steps_per_epoch = std::max<int64_t>(1, static_cast<int64_t>(epoch_steps)),
                 .images_per_step = std::llround(mean_over_stages(stages, frgan::images_per_step)),
                 .step_flop = mean_step_flop(stages),
                 .parameters = {}};
  for (const Player& player : method.players()) facts.parameters[player.name] = parameter_count(*player.network);
  return facts;
}

bool has_generator(Method& method) {
  return method.sampler().has_value();
}

std::map<std::string, std::vector<LayerDescription>> network_layers(Method& method) {
  method.build({});
  std::map<std::string, std::vector<LayerDescription>> layers;
  for (const Player& player : method.players()) {
    if (const auto* const network = dynamic_cast<const LayerList*>(player.network.get())) {
      layers[player.name] = network->layers();
    }
  }
  return layers;
}

Dataset load_run_dataset(const Json& options, const std::filesystem::path& data_root) {
  DataOptions data;
  OptionSet set;
  describe(set, data);
  for (Option& option : set.all()) option.set(options.at(option.name), "the plan");
  return load_dataset(with_labels(data, options.value("labels-file", "")), data_root);
}

SquareImages random_training_images(const Json& options, const std::filesystem::path& data_root, int64_t count) {
  const Dataset data = load_run_dataset(options, data_root);
  const at::Tensor order = random_permutation(data.train.size(), random_key(1, Stream::kSampling));
  const at::Tensor images = data.train.images.index_select(0, order.slice(0, 0, count));  // N x S x S x C
  const at::Tensor rgb = images.expand({-1, -1, -1, 3}).contiguous();
  const auto* const first = rgb.data_ptr<uint8_t>();
  return {data.image_size, {first, first + rgb.numel()}};
}

}  // namespace frgan
