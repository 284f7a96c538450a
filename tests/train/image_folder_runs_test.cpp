// Runs on image folders whose files are renamed, added or removed, and on tables of labels.
#include <atomic>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "../io/temporary_folder.h"
#include "frgan/classifier/checkpoint.h"
#include "frgan/core/run_files.h"
#include "frgan/data/image_folder.h"
#include "frgan/io/files.h"
#include "frgan/io/image_file.h"
#include "frgan/io/json_file.h"
#include "frgan/report/mistakes.h"
#include "frgan/train/diagnostics.h"
#include "frgan/train/training.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class ImageFolderRuns : public testing::Test {
 protected:
  ImageFolderRuns() {
    for (int i = 0; i < 12; ++i) image(fmt::format("train/{}/{}.png", i % 2 == 0 ? "ant" : "bee", i), i);
    for (int i = 12; i < 16; ++i) image(fmt::format("unlabeled/{}.png", i), i);
    for (int i = 20; i < 24; ++i) image(fmt::format("test/{}/{}.png", i % 2 == 0 ? "ant" : "bee", i), i);
  }

  void image(const std::string& name, int number) const {
    std::vector<uint8_t> pixels(16 * 16);
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * static_cast<size_t>(number + 3));
    fs::create_directories((data / name).parent_path());
    write_png(data / name, pixels, 16, 16, 1);
  }
  void rename(const std::string& from, const std::string& to) const {
    fs::create_directories((data / to).parent_path());
    fs::rename(data / from, data / to);
  }

  std::unique_ptr<RunRequest> request(const Json& more = Json::object()) const {
    Json options = {{"data", data.string()}, {"image-size", 16},    {"channels", 1},     {"labels", 4},
                    {"dev-images", 3},       {"steps", 3},          {"width", 1.0 / 16}, {"batch-size", 4},
                    {"init-images", 8},      {"precision", "fp32"}, {"device", "cpu"},   {"threads", 1},
                    {"tensorboard", false}};
    options.update(more);
    return make_run_request("supervised", options);
  }
  RunResult whole(const std::string& name, const Json& more = Json::object()) const {
    return Training::start(request(more), {.folder = root / name}).run();
  }
  // Starts a run in the folder "run" and stops it before its first step.
  void start_and_stop() const {
    std::ostringstream text;
    Progress progress({text, [] { return 0; }, [] { return 0.0; }}, 3, /*quiet=*/true);
    const std::atomic<int> signal = 2;
    Training::start(request(), {.folder = root / "run"}).run(progress, signal);
  }
  RunResult resume() {
    notes.clear();
    Messages messages;
    messages.note = [this](const std::string& note) { notes.push_back(note); };
    return Training::resume(root / "run", {.messages = messages}).run();
  }
  static void expect_same_weights(const RunResult& one, const RunResult& other) {
    EXPECT_TRUE(read_file(one.checkpoint / "model.safetensors") == read_file(other.checkpoint / "model.safetensors"));
    EXPECT_EQ(one.summary.test->error, other.summary.test->error);
    EXPECT_EQ(one.summary.split_digest, other.summary.split_digest);
  }

  const TemporaryFolder root;
  const fs::path data = root / "data";
  std::vector<std::string> notes;
};

TEST_F(ImageFolderRuns, ContinueWithRenamedFiles) {
  const RunResult expected = whole("whole");
  start_and_stop();
  for (int i = 0; i < 12; i += 2) rename(fmt::format("train/ant/{}.png", i), fmt::format("train/ant/x{}.png", 40 - i));
  rename("unlabeled/13.png", "unlabeled/deep/0.png");
  rename("test/ant/20.png", "test/ant/z.png");
  expect_same_weights(resume(), expected);
  EXPECT_THAT(notes, ElementsAre());
}

TEST_F(ImageFolderRuns, ContinueWithoutAddedFiles) {
  const RunResult expected = whole("whole");
  start_and_stop();
  image("train/ant/new.png", 30);
  image("train/bee/new.png", 31);
  image("unlabeled/new.png", 32);
  image("test/bee/new.png", 33);
  expect_same_weights(resume(), expected);
  EXPECT_THAT(notes,
              ElementsAre(fmt::format("{}: 4 images added since the run began; the run does not use them; to use "
                                      "them, start a new run with --init-from {}",
                                      data.string(), (root / "run").string())));
}

TEST_F(ImageFolderRuns, NameWhatIsMissingOrChanged) {
  start_and_stop();
  image("train/ant/new.png", 30);
  fs::rename(data / "train/bee/1.png", root / "aside.png");
  EXPECT_THAT(error_of([&] { resume(); }),
              HasSubstr("trained on: train/bee/1.png is missing or unreadable; restore the original data"));
  image("train/bee/1.png", 34);
  EXPECT_THAT(error_of([&] { resume(); }), HasSubstr("train/bee/1.png is missing or unreadable; restore"));
  fs::rename(root / "aside.png", data / "train/bee/1.png");
  image("train/wasp/new.png", 35);
  EXPECT_THAT(error_of([&] { resume(); }),
              HasSubstr("trained on: the classes are ant; bee; wasp instead of ant; bee;"));
  fs::remove_all(data / "train/wasp");
  resume();
}

TEST_F(ImageFolderRuns, TakeTheLabelsOfAnotherRun) {
  const RunResult first = whole("first");
  image("train/ant/new.png", 30);
  rename("train/bee/1.png", "train/bee/a.png");
  const Json split{{"labels", 0}, {"dev-images", 0}, {"labels-file", (root / "first/labels.json").string()}};
  const RunResult second = whole("second", split);
  EXPECT_EQ(second.summary.split_digest, first.summary.split_digest);
  EXPECT_NE(second.summary.data_digest, first.summary.data_digest);
  fs::remove(data / "train/bee/a.png");
  for (int i = 3; i < 12; i += 2) fs::remove(data / fmt::format("train/bee/{}.png", i));
  image("train/bee/new.png", 31);
  EXPECT_THAT(error_of([&] { whole("third", split); }),
              testing::ContainsRegex("in 'labeled' not found in .*data, 16x16x1, any more, by content: train/bee/"));
}

TEST_F(ImageFolderRuns, WriteAndReadATableOfLabels) {
  whole("first");
  const std::string table = (root / "first/labels.csv").string();
  const std::string text = read_file(table);
  EXPECT_THAT(text, StartsWith("file,label\ntrain/ant/"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5);
  const auto labeled = [&](const std::string& run) {
    return read_json_object((root / run / "labels.json").string()).at("labeled");
  };
  const RunResult second = whole("second", {{"labels", 0}, {"dev-images", 0}, {"labels-file", table}});
  EXPECT_EQ(labeled("second"), labeled("first"));
  EXPECT_EQ(read_file(root / "second/labels.csv"), text);
  // A split is drawn from the labels of the table.
  whole("third", {{"labels", 2}, {"dev-images", 1}, {"labels-file", table}});
  EXPECT_EQ(labeled("third").size(), 2U);
  EXPECT_EQ(read_json_object((root / "third/labels.json").string()).at("dev").size(), 1U);
  EXPECT_THAT(error_of([&] {
                whole("fourth", {{"labels", 6}, {"dev-images", 0}, {"labels-file", table}});
              }),
              HasSubstr("has only 4 labeled training images"));
  EXPECT_THAT(error_of([&] {
                whole("fifth", {{"data", "mnist"}, {"data-dir", "/nowhere"}, {"labels-file", table}});
              }),
              StartsWith("--labels-file " + table + ": a table of labels needs an image folder; --data is mnist"));
}

TEST_F(ImageFolderRuns, NameTheFilesOfMistakes) {
  const Dataset set = read_image_folder(data, 16, 1);
  const Diagnosis diagnosis{
      {0, 1, 0, 0}, {0.9F, 0.8F, 0.7F, 0.6F}, {2, 0, 0, 1, 1, 0, 1, 0}, {}};  // of 2 ants and 2 bees
  write_diagnostics(root.path(), diagnosis, {set.test, EvaluatedImages::kTest, set.class_names, "d", "s"},
                    {.class_names = set.class_names});
  const Mistakes found = read_mistakes(root / "mistakes.json");
  ASSERT_EQ(found.mistakes.size(), 3U);
  EXPECT_EQ(found.mistakes[0].file, set.test.files[1]);
  EXPECT_EQ(found.mistakes[2].file, set.test.files[3]);
  EXPECT_THAT(found.mistakes[2].file, StartsWith("test/bee/"));
}

// The images and the table may have moved together.
TEST_F(ImageFolderRuns, ContinueWithAMovedTableOfLabels) {
  whole("first");
  fs::rename(root / "first/labels.csv", data / "labels.csv");
  const auto start = [&](const std::string& name) {
    return Training::start(request({{"labels", 0}, {"dev-images", 0}, {"labels-file", (data / "labels.csv").string()}}),
                           {.folder = root / name});
  };
  std::ostringstream text;
  Progress progress({text, [] { return 0; }, [] { return 0.0; }}, 3, /*quiet=*/true);
  const std::atomic<int> signal = 2;
  start("run").run(progress, signal);
  const RunResult expected = start("whole").run();
  const fs::path moved = root / "moved";
  fs::rename(data, moved);
  const auto resume_with = [&](const std::string& table) {
    return Training::resume(root / "run", {.change = [&](OptionSet& set) {
                              set.set("data", moved.string(), "test");
                              set.set("labels-file", table, "test");
                            }});
  };
  EXPECT_THAT(error_of([&] { resume_with((root / "first/labels.json").string()); }),
              StartsWith("--labels-file cannot be combined with --resume"));
  const RunResult result = resume_with((moved / "labels.csv").string()).run();
  expect_same_weights(result, expected);
  EXPECT_THAT(result.summary.command, HasSubstr("--labels-file=" + (moved / "labels.csv").string()));
}

}  // namespace
}  // namespace frgan
