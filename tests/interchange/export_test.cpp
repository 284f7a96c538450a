// The folder of an exported model. tests/cli/export_test.py compares its model.onnx with frgan predict.
#include "frgan/interchange/export.h"

#include <cmath>
#include <filesystem>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "../io/temporary_folder.h"
#include "../nn/random_tensors.h"
#include "frgan/classifier/checkpoint.h"
#include "frgan/classifier/classifier.h"
#include "frgan/classifier/exported_model.h"
#include "frgan/core/json.h"
#include "frgan/interchange/export_folder.h"
#include "frgan/interchange/model_card.h"
#include "frgan/io/files.h"
#include "frgan/io/json_file.h"
#include "frgan/io/safetensors.h"
#include "frgan/methods/method.h"
#include "frgan/methods/methods.h"
#include "frgan/nn/network.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr ImageShape kExportedShape{16, 3, 3};
const Hardware kOnCpu{.device = "cpu"};

// A run folder whose checkpoint has random weights.
struct SavedRun {
  explicit SavedRun(const fs::path& path, const std::string& method_name = "supervised",
                    const std::string& network = "conv-large")
      : folder(path) {
    const std::unique_ptr<Method> method = create_method(method_name);
    OptionSet options;
    method->describe(options);
    options.find("width", "test").set(1.0 / 16, "test");
    if (options.contains("network")) options.find("network", "test").set(network, "test");
    classifier = method->make_classifier({.shape = kExportedShape, .seed = 5});
    fill_with_random_values(*classifier);
    state.step = 40;
    state.method = method_name;
    state.options = options.values();
    state.options["data"] = "/home/someone/my_photos/";
    state.shape = kExportedShape;
    state.class_names = {"ant", "bee", "cat"};
    state.frgan_version = "0.1.0";
    state.calibration = {1.6, "development images", {}};
    state.label_split = {{"train_images", 900}, {"labeled", {4, 8, 15}}};
  }

  void save() const {
    fs::create_directories(folder / "checkpoints");
    save_checkpoint(folder / "checkpoints" / "step-00000040", state, {{"average", named_tensors(*classifier)}});
  }

  fs::path folder;
  NetworkPtr classifier;
  CheckpointState state;
};

std::vector<uint8_t> pixels_of(int64_t images) {
  std::vector<uint8_t> pixels(static_cast<size_t>(images * kExportedShape.values()));
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * i * 7919 >> 6);
  return pixels;
}

TEST(Export, WritesAllFiles) {
  const TemporaryFolder folder;
  const SavedRun run(folder / "run");
  run.save();
  const ExportSummary done = export_model({.checkpoint = run.folder, .folder = folder / "out/"});
  EXPECT_EQ(done.checkpoint, run.folder / "checkpoints/step-00000040");
  EXPECT_EQ(done.network, "conv-large");
  EXPECT_EQ(done.onnx_bytes, static_cast<int64_t>(fs::file_size(folder / "out/model.onnx")));
  for (const char* const name : {"model.onnx", "model.safetensors", "config.json", "README.md"}) {
    EXPECT_TRUE(fs::exists(folder / "out" / name)) << name;
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "out"), {}), 4);
  EXPECT_EQ(folder.count(), 2);  // no temporary folder
  int64_t numbers = 0;
  const SafetensorsFile file = read_safetensors(folder / "out/model.safetensors");
  for (const auto& [name, tensor] : file.tensors()) {
    EXPECT_THAT(name, Not(HasSubstr("gain")));
    numbers += static_cast<int64_t>(tensor.bytes.size()) / 4;
  }
  EXPECT_EQ(done.weights, numbers);
  const Json config = read_json_object(folder / "out/config.json");
  EXPECT_EQ(config.at("id2label").at("1"), "bee");
  EXPECT_EQ(config.at("label2id").at("cat"), 2);
  EXPECT_EQ(config.at("image_size"), 16);
  EXPECT_EQ(config.at("options").at("network"), "conv-large");
  EXPECT_THAT(read_file(folder / "out/config.json"), Not(HasSubstr("someone")));
}

TEST(Export, IsReadByTheClassifier) {
  for (const auto& [method, network] : std::vector<std::pair<std::string, std::string>>{
           {"supervised", "conv-large"}, {"supervised", "resnet18"}, {"mean-teacher", "wrn-28-2"}, {"m1m2", ""}}) {
    SCOPED_TRACE(method + " " + network);
    const TemporaryFolder folder;
    const SavedRun run(folder / "run", method, network);
    run.save();
    export_model({.checkpoint = run.folder, .folder = folder / "out"});
    EXPECT_TRUE(is_exported_model(folder / "out"));
    EXPECT_FALSE(is_exported_model(run.folder));
    const Classifier exported = Classifier::load(folder / "out", kOnCpu),
                     original = Classifier::load(run.folder, kOnCpu);
    EXPECT_EQ(exported.class_names(), original.class_names());
    const std::vector<float> expected = original.probabilities(pixels_of(3)),
                             found = exported.probabilities(pixels_of(3));
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-4);
  }
}

TEST(Export, RefusesFoldersWithFiles) {
  const TemporaryFolder folder;
  const SavedRun run(folder / "run");
  run.save();
  const fs::path out = folder / "out";
  const auto write = [&](bool overwrite = false) {
    export_model({.checkpoint = run.folder, .folder = out, .overwrite = overwrite});
  };
  fs::create_directory(out);
  EXPECT_NO_THROW(write());  // empty
  const std::string before = read_file(out / "config.json");
  EXPECT_THAT(error_of([&] { write(); }), AllOf(HasSubstr(out.string() + ": not empty: holds "),
                                                HasSubstr("or --overwrite to replace an earlier export")));
  EXPECT_EQ(read_file(out / "config.json"), before);
  EXPECT_NO_THROW(write(/*overwrite=*/true));
  write_file_safely(out / "notes.txt", "mine");
  EXPECT_EQ(error_of([&] { write(/*overwrite=*/true); }),
            out.string() + ": not empty: holds notes.txt; give a new or empty folder");
  EXPECT_EQ(read_file(out / "notes.txt"), "mine");
  write_file_safely(folder / "file", "mine");
  EXPECT_THAT(error_of([&] { export_model({.checkpoint = run.folder, .folder = folder / "file"}); }),
              HasSubstr("file: not a folder; give a new or empty folder for the exported model"));
  EXPECT_THAT(error_of([&] { export_model({.checkpoint = run.folder, .folder = folder / "file/out"}); }),
              HasSubstr("file"));
}

TEST(Export, RefusesUnusableRuns) {
  const TemporaryFolder folder;
  SavedRun run(folder / "run");
  const auto message = [&] {
    run.save();
    return error_of([&] { export_model({.checkpoint = run.folder, .folder = folder / "out"}); });
  };
  EXPECT_THAT(error_of([&] { export_model({.checkpoint = folder / "none", .folder = folder / "out"}); }),
              HasSubstr("none: no such folder; expected a run or a checkpoint"));
  run.state.classifier_trained = false;
  EXPECT_THAT(message(), HasSubstr("the classifier is not trained yet"));
  run.state.classifier_trained = true;
  const torch::NoGradGuard no_grad;
  run.classifier->named_parameters()["dense.bias"].fill_(NAN);
  EXPECT_THAT(message(), HasSubstr("cannot be exported: dense.bias is NaN or infinite"));
  EXPECT_FALSE(fs::exists(folder / "out"));
  fs::remove(run.folder / "checkpoints/step-00000040/average.safetensors");
  EXPECT_NE(error_of([&] { export_model({.checkpoint = run.folder, .folder = folder / "out"}); }), "");
}

TEST(Export, NotesWhatDiffersFromPredict) {
  const TemporaryFolder folder;
  SavedRun run(folder / "run");
  run.state.resize = ResizeRule::kOpenCvArea;
  run.state.precision = Precision::kBf16;
  run.save();
  std::vector<std::string> notes;
  Messages messages;
  messages.note = [&](const std::string& text) { notes.push_back(text); };
  export_model({.checkpoint = run.folder, .folder = folder / "out"}, messages);
  EXPECT_THAT(notes, testing::ElementsAre(HasSubstr("older rule 'opencv-area'"), HasSubstr("computes in fp32")));
}

TEST(ExportConfig, RejectsInvalidValues) {
  const TemporaryFolder folder;
  SavedRun run(folder / "run");
  run.state.calibration = {1.5, "development images", {{0.9, true}}};
  const Json valid = export_config(run.state);
  const auto message = [&](const auto& change) {
    Json config = valid;
    change(config);
    write_file_safely(folder / "config.json", config.dump());
    return error_of([&] { read_export_config(folder / "config.json"); });
  };
  write_file_safely(folder / "config.json", valid.dump());
  EXPECT_EQ(read_export_config(folder / "config.json").calibration.temperature, 1.5);
  EXPECT_EQ(read_export_config(folder / "config.json").calibration.held_out.size(), 1U);
  EXPECT_THAT(message([](Json& config) { config["calibration"]["temperature"] = -1; }), HasSubstr("config.json"));
  EXPECT_THAT(message([](Json& config) { config["resize"] = "x"; }), HasSubstr("unknown resize rule 'x'"));
  EXPECT_THAT(message([](Json& config) { config["format"] = "x"; }), HasSubstr("not the config of a model exported"));
  EXPECT_THAT(message([](Json& config) { config["image_size"] = 17; }), HasSubstr("17"));
  EXPECT_THAT(message([](Json& config) { config["id2label"] = Json::object(); }), HasSubstr("fewer than two classes"));
  EXPECT_THAT(message([](Json& config) { config.erase("method"); }), HasSubstr("method"));
}

TEST(ModelCard, StatesWhatIsKnown) {
  const TemporaryFolder folder;
  SavedRun run(folder / "run");
  run.state.encoder = {
      {"architecture", "resnet18.a1"}, {"license", "apache-2.0"}, {"source", "timm/resnet18"}, {"sha256", "ab"}};
  run.state.calibration = {1.25, "development images", {}};
  const Json summary = parse_json(
      R"({"test": {"step": 40, "test_error": 0.123, "error_low": 0.1, "error_high": 0.15, "images": 1000}})", "test");
  const Quality quality{.macro_f1 = 0.8,
                        .baselines = {{"guessing", 0.9}, {"pixels", 0.5}},
                        .uncalibrated = {.error = 0.3},
                        .calibrated = {.error = 0.05},
                        .warnings = {"a class has 3 labels"}};
  const std::string card = model_card(
      {.state = run.state, .summary = summary, .quality = quality, .network = "conv-large", .weights = 12345});
  for (const char* const text :
       {"license: apache-2.0\n", "| Error on 1000 test images | 12.30 % (95 % interval: 10.00 % to 15.00 %) |",
        "| Error of the baseline: guessing | 90.00 % |", "| Error of the baseline: pixels | 50.00 % |",
        "| Macro F1 score | 80.00 % |", "| 30.00 %, 5.00 % |", "| Warning | a class has 3 labels |",
        "| Data | my\\_photos |", "| Labeled training images | 3 |", "| Training images | 900 |",
        "| License of the encoder | apache-2.0 |", "| Source of the encoder | timm/resnet18 |", "| 1 | bee |",
        "temperature 1.25, which was fitted to development images", "## Limits", "InferenceSession",
        "Classifier::load"}) {
    EXPECT_THAT(card, HasSubstr(text));
  }
  EXPECT_THAT(card, Not(HasSubstr("someone")));
}

TEST(ModelCard, StatesWhatIsUnknown) {
  const TemporaryFolder folder;
  SavedRun run(folder / "run");
  run.state.calibration = {};
  run.state.class_names[0] = "a|b\n# <b>";
  const std::string card = model_card({.state = run.state, .summary = {}, .network = "conv-large"});
  EXPECT_THAT(card, AllOf(HasSubstr("The run has no result for this checkpoint"),
                          HasSubstr("The probabilities are not calibrated"), Not(HasSubstr("license:")),
                          HasSubstr("| 0 | a\\|b"), Not(HasSubstr("\n# \\<b")), Not(HasSubstr("<b>"))));
}

}  // namespace
}  // namespace frgan
