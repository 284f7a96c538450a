#include "frgan/train/run_facts.h"

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../cli/tiny_mnist.h"
#include "../io/temporary_folder.h"
#include "../methods/small_methods.h"
#include "frgan/data/label_split.h"
#include "frgan/data/load_dataset.h"
#include "frgan/io/files.h"
#include "frgan/train/run_options.h"

namespace frgan {
namespace {

// A folder with 60 training images of MNIST's format.
class RunFactsTest : public testing::Test {
 protected:
  RunFactsTest() {
    std::filesystem::create_directories(folder / "mnist");
    write_images(folder / "mnist", "train", 60);
    run.data.data = "mnist";
  }

  TemporaryFolder folder;
  RunOptions run;
};

TEST_F(RunFactsTest, MeasuresDatasetAndNetworks) {
  write_images(folder / "mnist", "t10k", 20);
  RunMeasurer measurer(folder.path());
  const std::unique_ptr<Method> method = small_method("fr-gan");
  run.split.dev_images = 8;
  const RunFacts facts = measurer.measure(run, *method);
  EXPECT_EQ(facts.data_digest.size(), 64u);
  EXPECT_EQ(facts.train_images, 60);
  EXPECT_EQ(facts.steps_per_epoch, (60 - 8) / 4);
  EXPECT_GT(facts.images_per_step, 0);
  EXPECT_EQ(facts.step_flop, mean_step_flop(method->stages()));
  EXPECT_GT(facts.parameters.at("generator").get<int64_t>(), 0);
  run.split.train_images = 20;
  EXPECT_EQ(measurer.measure(run, *method).steps_per_epoch, 20 / 4);
  const RunFacts supervised = measurer.measure(run, *small_method("supervised"));
  EXPECT_EQ(supervised.data_digest, facts.data_digest);
  EXPECT_FALSE(supervised.parameters.contains("generator"));
}

TEST_F(RunFactsTest, CountsTheImagesOfALabelsFile) {
  write_images(folder / "mnist", "t10k", 20);
  const std::unique_ptr<Method> method = small_method("m1m2");
  run.split.labels = 10;
  const double work = RunMeasurer(folder.path()).measure(run, *method).step_flop;
  const LabelSplit split = split_labels(load_dataset(run.data, folder.path()), run.split);
  run.split.labels = 0;
  run.split.labels_file = (folder / "labels.json").string();
  write_file_safely(run.split.labels_file, label_split_json(split).dump());
  EXPECT_EQ(RunMeasurer(folder.path()).measure(run, *method).step_flop, work);
}

TEST_F(RunFactsTest, PlansNeedTestImages) {
  write_images(folder / "mnist", "t10k", 0);
  EXPECT_THAT(error_of([&] { RunMeasurer(folder.path()).measure(run, *small_method("fr-gan")); }),
              testing::HasSubstr("has no test images"));
}

TEST_F(RunFactsTest, DrawsTrainingImagesAsRgb) {
  write_images(folder / "mnist", "t10k", 20);
  const Json options = {{"data", "mnist"}, {"data-dir", ""}, {"image-size", 0}, {"channels", 0}};
  const SquareImages images = random_training_images(options, folder.path(), 7);
  ASSERT_EQ(images.pixels.size(), static_cast<size_t>(7 * images.size * images.size * 3));
  for (size_t i = 0; i < images.pixels.size(); i += 3) {
    ASSERT_EQ(images.pixels[i], images.pixels[i + 1]);
    ASSERT_EQ(images.pixels[i], images.pixels[i + 2]);
  }
  EXPECT_GT(*std::max_element(images.pixels.begin(), images.pixels.end()), 100);
  EXPECT_EQ(random_training_images(options, folder.path(), 7).pixels, images.pixels) << "always the same images";
}

TEST(NetworkLayers, ListsLayersOfEachNetwork) {
  const auto layers = network_layers(*small_method("fr-gan"));
  ASSERT_EQ(layers.size(), 2u);
  EXPECT_EQ(layers.at("discriminator").back().name, "dense");
  EXPECT_EQ(layers.at("generator").back().output, (std::vector<int64_t>{3, 32, 32}));
  EXPECT_FALSE(network_layers(*small_method("supervised")).contains("generator"));
}

TEST(HasGenerator, DependsOnTheMethod) {
  EXPECT_TRUE(has_generator(*small_method("fr-gan")));
  EXPECT_FALSE(has_generator(*small_method("supervised")));
}

}  // namespace
}  // namespace frgan
