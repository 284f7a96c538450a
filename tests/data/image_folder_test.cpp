#include "frgan/data/image_folder.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/io/digests.h"
#include "frgan/io/files.h"
#include "frgan/io/image_file.h"

namespace frgan {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

// An image folder to which a test adds files.
class Folder {
 public:
  // Adds a PNG with a single gray value.
  void image(const std::string& name, uint8_t value, int64_t height = 20, int64_t width = 30) {
    const std::vector<uint8_t> pixels(static_cast<size_t>(height * width), value);
    write(name, encode_png(pixels, height, width, 1));
  }
  void write(const std::string& name, const std::string& bytes) {
    std::filesystem::create_directories((folder_ / name).parent_path());
    write_file_safely(folder_ / name, bytes);
  }
  Dataset read(int64_t size = 16, int64_t channels = 3) const {
    return read_image_folder(folder_.path(), size, channels);
  }
  std::string error() const {
    return error_of([&] { read(); });
  }
  const TemporaryFolder& root() const { return folder_; }

 private:
  TemporaryFolder folder_;
};

std::vector<int64_t> gray_values(const ImageSet& set) {
  std::vector<int64_t> values;
  for (int64_t i = 0; i < set.size(); ++i) values.push_back(set.images[i][8][8][0].item<int64_t>());
  return values;
}

// The gray value of a file.
int64_t value_of(const std::string& file, const ImageSet& set) {
  const auto found = std::find(set.files.begin(), set.files.end(), file);
  return found == set.files.end() ? -1 : gray_values(set)[static_cast<size_t>(found - set.files.begin())];
}

std::vector<int64_t> labels(const ImageSet& set) {
  return {set.labels.data_ptr<int64_t>(), set.labels.data_ptr<int64_t>() + set.labels.numel()};
}

TEST(ImageFolder, ReadsClassesUnlabeledAndTest) {
  Folder folder;
  folder.image("train/dog/1.png", 30);
  folder.image("train/cat/b.png", 20, 100, 7);
  folder.image("train/cat/a.png", 10, 16, 16);
  folder.image("train/cat/more/c.png", 25);
  folder.image("unlabeled/x.png", 40);
  folder.image("unlabeled/deep/er/y.png", 41);
  folder.image("test/dog/z.png", 50);
  const Dataset data = folder.read();
  EXPECT_EQ(data.name, "folder");
  EXPECT_EQ(data.source, folder.root().path().string());
  EXPECT_THAT(data.class_names, ElementsAre("cat", "dog"));
  EXPECT_EQ(data.train.images.sizes(), (at::IntArrayRef{6, 16, 16, 3}));
  EXPECT_THAT(gray_values(data.train), UnorderedElementsAre(10, 20, 25, 30, 41, 40));
  EXPECT_THAT(data.train.files, UnorderedElementsAre("train/cat/a.png", "train/cat/b.png", "train/cat/more/c.png",
                                                     "train/dog/1.png", "unlabeled/deep/er/y.png", "unlabeled/x.png"));
  EXPECT_EQ(value_of("train/cat/b.png", data.train), 20);
  EXPECT_EQ(value_of("train/dog/1.png", data.train), 30);
  EXPECT_EQ(value_of("unlabeled/x.png", data.train), 40);
  EXPECT_THAT(labels(data.train), ElementsAre(0, 0, 0, 1, -1, -1));
  EXPECT_THAT(gray_values(data.test), ElementsAre(50));
  EXPECT_THAT(labels(data.test), ElementsAre(1));
  EXPECT_THAT(data.notes, IsEmpty());
  EXPECT_EQ(folder.read(24, 1).train.images.sizes(), (at::IntArrayRef{6, 24, 24, 1}));
}

TEST(ImageFolder, NotesMissingTestImages) {
  Folder folder;
  folder.image("train/dog/1.png", 30);
  folder.image("train/cat/a.png", 10);
  const Dataset data = folder.read();
  EXPECT_EQ(data.test.size(), 0);
  ASSERT_THAT(data.notes, SizeIs(1));
  EXPECT_THAT(data.notes[0], AllOf(HasSubstr("no test images"), HasSubstr("no test error can be computed")));
}

TEST(ImageFolder, NamesAndCountsUnreadableFiles) {
  Folder folder;
  folder.image("train/dog/1.png", 30);
  folder.image("train/cat/a.png", 10);
  folder.write("train/cat/broken.png", "no image");
  folder.write("train/dog/0.png", encode_png(std::vector<uint8_t>(400, 1), 20, 20, 1).substr(0, 60));
  folder.write("train/dog/readme.txt", "hello");
  folder.write("train/dog/.hidden.png", "hello");
  folder.write("train/notes.txt", "hello");
  for (int i = 0; i < 12; ++i) folder.write("unlabeled/" + std::to_string(i) + ".jpg", "");
  folder.image("test/cat/t.png", 1);
  const Dataset data = folder.read();
  EXPECT_THAT(gray_values(data.train), ElementsAre(10, 30));
  EXPECT_THAT(labels(data.train), ElementsAre(0, 1));
  ASSERT_THAT(data.notes, SizeIs(2));
  EXPECT_THAT(data.notes[0], AllOf(HasSubstr("14 unreadable image files skipped"), HasSubstr("train/cat/broken.png"),
                                   HasSubstr("train/dog/0.png"), HasSubstr("; and 4 more")));
  EXPECT_THAT(data.notes[1],
              AllOf(HasSubstr("2 files skipped"), HasSubstr("train/dog/readme.txt"), HasSubstr("train/notes.txt")));
}

TEST(ImageFolder, DoesNotDependOnTheNumberOfThreads) {
  Folder folder;
  for (uint8_t i = 0; i < 20; ++i) folder.image(fmt::format("train/c{}/{}.png", i % 2, i), i);
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const std::string digest = folder.read().digest;
  at::set_num_threads(3);
  EXPECT_EQ(folder.read().digest, digest);
  at::set_num_threads(before);
}

TEST(ImageFolder, RejectsOtherLayouts) {
  {
    Folder folder;
    folder.image("cat/1.png", 1);
    EXPECT_THAT(folder.error(), AllOf(HasSubstr("no folder 'train'; expected"), HasSubstr("train/CLASS/")));
  }
  {
    Folder folder;
    folder.image("train/cat/1.png", 1);
    EXPECT_THAT(folder.error(), HasSubstr("too few class folders: 1; at least 2 are needed"));
    folder.image("train/dog/1.png", 1);
    folder.image("train/lost.png", 1);
    EXPECT_THAT(folder.error(), HasSubstr("train/lost.png: image outside the class folders; expected"));
  }
  {
    Folder folder;
    folder.image("train/cat/1.png", 1);
    folder.write("train/dog/1.png", "broken");
    EXPECT_THAT(folder.error(),
                AllOf(HasSubstr("no readable image in class dog; 1 unreadable"), HasSubstr("dog/1.png")));
  }
  {
    Folder folder;
    folder.image("train/cat/1.png", 1);
    folder.image("train/d\xff/1.png", 1);
    EXPECT_THAT(folder.error(), HasSubstr("invalid class name"));
  }
  EXPECT_THAT(error_of([] { read_image_folder("/nowhere", 16, 3); }), HasSubstr("/nowhere: no folder 'train'"));
  EXPECT_THAT(error_of([] { read_image_folder("/nowhere", 17, 3); }), HasSubstr("multiple of 8"));
}

TEST(ImageFolder, NotesIgnoredFolders) {
  Folder folder;
  folder.image("train/cat/1.png", 1);
  folder.image("train/dog/1.png", 2);
  folder.image("test/dog/1.png", 3);
  folder.image("unlabelled/1.png", 1);
  folder.image(".git/1.png", 1);
  folder.write("README", "hello");
  EXPECT_THAT(folder.read().notes,
              ElementsAre("folder \"unlabelled\" is ignored; only train, unlabeled and test are read; "
                          "did you mean unlabeled?"));
}

TEST(ImageFolder, SkipsDanglingAndFolderLinks) {
  Folder folder;
  folder.image("train/cat/1.png", 1);
  folder.image("train/dog/1.png", 2);
  folder.image("test/dog/1.png", 3);
  std::filesystem::create_symlink("loop.png", folder.root() / "train/dog/loop.png");
  std::filesystem::create_symlink("gone.png", folder.root() / "train/dog/lost.png");
  std::filesystem::create_directory_symlink("..", folder.root() / "train/dog/up");
  const Dataset data = folder.read();
  EXPECT_EQ(data.train.size(), 2);
  ASSERT_THAT(data.notes, SizeIs(2));
  EXPECT_THAT(data.notes[0],
              AllOf(HasSubstr("2 unreadable image files"), HasSubstr("loop.png"), HasSubstr("lost.png")));
  EXPECT_THAT(data.notes[1], AllOf(HasSubstr("1 file skipped"), HasSubstr("dog/up")));
}

TEST(ImageFolder, UnreadableTestImagesMeanNoTestSet) {
  Folder folder;
  folder.image("train/cat/1.png", 1);
  folder.image("train/dog/1.png", 2);
  folder.write("test/dog/1.png", "broken");
  const Dataset data = folder.read();
  EXPECT_EQ(data.test.size(), 0);
  ASSERT_THAT(data.notes, SizeIs(2));
  EXPECT_THAT(data.notes[0], HasSubstr("test/dog/1.png"));
  EXPECT_THAT(data.notes[1], HasSubstr("no test error can be computed"));
}

TEST(ImageFolder, NamesOfFilesDoNotChangeTheData) {
  Folder folder;
  for (uint8_t i = 0; i < 12; ++i) folder.image(fmt::format("train/{}/{}.png", i % 2 == 0 ? "ant" : "bee", i), i);
  for (uint8_t i = 12; i < 16; ++i) folder.image(fmt::format("unlabeled/{}.png", i), i);
  for (uint8_t i = 20; i < 24; ++i) folder.image(fmt::format("test/bee/{}.png", i), i);
  const Dataset before = folder.read();
  EXPECT_EQ(before.train.digests.size(), 16U);
  EXPECT_EQ(before.train.digests[0], file_digest(folder.root() / before.train.files[0]));
  const auto rename = [&](const std::string& from, const std::string& to) {
    std::filesystem::create_directories((folder.root() / to).parent_path());
    std::filesystem::rename(folder.root() / from, folder.root() / to);
  };
  rename("train/ant/0.png", "train/ant/zz.png");
  rename("train/bee/5.png", "train/bee/deep/0.png");
  rename("unlabeled/12.png", "unlabeled/99.png");
  rename("test/bee/23.png", "test/bee/1.png");
  const Dataset after = folder.read();
  EXPECT_EQ(after.digest, before.digest);
  EXPECT_TRUE(after.train.images.equal(before.train.images));
  EXPECT_TRUE(after.test.images.equal(before.test.images));
  EXPECT_EQ(after.train.digests, before.train.digests);
  EXPECT_NE(after.train.files, before.train.files);
  for (size_t i = 0; i < after.train.files.size(); ++i) {
    EXPECT_EQ(after.train.digests[i], file_digest(folder.root() / after.train.files[i]))
        << "digests follow their images";
  }
  // Another label is other data.
  rename("train/ant/zz.png", "train/bee/zz.png");
  EXPECT_NE(folder.read().digest, before.digest);
}

TEST(ImageFolder, SkipsCopiesOfTrainingImages) {
  Folder folder;
  folder.image("train/ant/1.png", 1);
  folder.image("train/bee/1.png", 2);
  folder.image("train/bee/2.png", 3);
  folder.image("test/bee/1.png", 4);
  const Dataset before = folder.read();
  EXPECT_THAT(before.notes, IsEmpty());
  folder.image("train/ant/2.png", 1);
  folder.image("unlabeled/1.png", 1);
  folder.image("train/bee/3.png", 1);
  const Dataset with_copies = folder.read();
  EXPECT_EQ(with_copies.digest, before.digest);
  EXPECT_THAT(with_copies.notes,
              ElementsAre("2 files skipped, identical to another training image: train/ant/2.png (same as "
                          "train/ant/1.png); unlabeled/1.png (same as train/ant/1.png)",
                          "1 file skipped, identical to an image of another class; correct the labels: train/bee/3.png "
                          "(same as train/ant/1.png)"));
  folder.image("test/bee/2.png", 3);
  const Dataset leaking = folder.read();
  EXPECT_EQ(leaking.test.size(), 2) << "a note only";
  EXPECT_EQ(leaking.notes.back(),
            "1 file in both training and test data, which makes the test error too low: "
            "test/bee/2.png (same as train/bee/2.png)");
}

// labels.csv gives the labels of a folder without class folders.
class LabelsTable : public testing::Test {
 protected:
  LabelsTable() {
    for (uint8_t i = 0; i < 6; ++i) folder.image(fmt::format("{}/{}.png", i < 3 ? "a" : "b", i), i);
    folder.image("top, level.png", 6);
    folder.image("test/dog/t.png", 7);
    folder.image("test/wasp/t.png", 8);
  }
  Dataset read(const std::string& text) const {
    write_file_safely(table(), text);
    return read_image_folder(folder.root().path(), 16, 3, {}, table());
  }
  // The message for these lines, without the name of the table.
  std::string error(const std::string& lines) const {
    const std::string message = error_of([&] { read("file,label\n" + lines); });
    EXPECT_THAT(message, testing::StartsWith(table().string()));
    return message.substr(table().string().size() + 2);
  }
  std::filesystem::path table() const { return folder.root() / "labels.csv"; }

  Folder folder;
};

TEST_F(LabelsTable, GivesLabelsAndClassNames) {
  const Dataset data = read(
      "\xef\xbb\xbf"
      "file,label\r\na/0.png,dog\r\nb/../a/1.png,cat\r\n\"top, level.png\",cat\r\n\r\n");
  EXPECT_THAT(data.class_names, ElementsAre("cat", "dog"));
  EXPECT_THAT(labels(data.train), ElementsAre(0, 0, 1, -1, -1, -1, -1));
  EXPECT_EQ(data.train.files[2], "a/0.png");
  EXPECT_THAT(std::vector(data.train.files.begin(), data.train.files.begin() + 2),
              UnorderedElementsAre("a/1.png", "top, level.png"));
  EXPECT_THAT(data.test.files, ElementsAre("test/dog/t.png"));
  EXPECT_THAT(data.notes, ElementsAre(HasSubstr("does not know, not in the test error: 1 image of 1 class: wasp (1)")));
}

TEST_F(LabelsTable, NamesTheLineOfAnError) {
  EXPECT_EQ(error("a/0.png,cat\na/9.png,dog\n"),
            "line 3: \"a/9.png\" is no image in " + folder.root().path().string() + "; did you mean 'a/0.png'?");
  EXPECT_EQ(error("a/0.png,cat\nlabels.csv,dog\n").substr(0, 36), "line 3: \"labels.csv\" is no image in ");
  EXPECT_THAT(error("test/dog/t.png,dog\na/0.png,cat\n"),
              HasSubstr("line 2: \"test/dog/t.png\" is a test image, which training must not use"));
  EXPECT_EQ(error("a/0.png,\n"), "line 2: no label for \"a/0.png\"; remove the line of an unlabeled image");
  EXPECT_EQ(error(",cat\n"), "line 2: no file");
  EXPECT_EQ(error("\na/0.png,cat\na/1.png,dog\na/0.png,dog\n"),
            "line 5: \"a/0.png\" has the label \"dog\", but \"cat\" in line 3; keep one of the two lines");
  EXPECT_EQ(error("a/0.png,cat,1\n"), "line 2: 3 fields; expected file,label; a name with a comma needs quotes");
  EXPECT_EQ(error("a/0.png\n"), "line 2: 1 field; expected file,label; a name with a comma needs quotes");
  EXPECT_THAT(error("a/0.png,\"c\"\"t\"\n"), HasSubstr("line 2: invalid class name"));
  EXPECT_EQ(error("a/0.png,\"cat\n"), "line 2: closing quote missing");
  EXPECT_EQ(error("a/0.png,cat\n"), "too few classes: 1; at least 2 are needed");
  EXPECT_EQ(error(""), "no labels; expected lines with file,label");
  EXPECT_THAT(error_of([&] { read("image;label\n"); }),
              HasSubstr("line 1: the header is \"image;label\"; expected file,label"));
  EXPECT_THAT(error_of([&] { read(""); }), HasSubstr("empty; expected the header file,label"));
  // The same line twice is no contradiction.
  EXPECT_EQ(read("file,label\na/0.png,cat\na/0.png,cat\na/1.png,dog\n").train.size(), 7);
  folder.write("a/broken.png", "broken");
  EXPECT_THAT(error("a/0.png,cat\na/broken.png,dog\n"), HasSubstr("no readable image in class dog; 1 unreadable"));
}

TEST(ImageFolder, CountsTestImagesOfUnknownClasses) {
  Folder folder;
  folder.image("train/cat/1.png", 1);
  folder.image("train/dog/1.png", 2);
  folder.image("test/cat/1.png", 3);
  folder.image("test/dogs/1.png", 4);
  folder.image("test/wasp/1.png", 5);
  folder.write("test/wasp/deep/2.png", "images of unknown classes are not decoded");
  const Dataset data = folder.read();
  EXPECT_THAT(gray_values(data.test), ElementsAre(3));
  EXPECT_THAT(data.notes, ElementsAre((folder.root() / "test").string() +
                                      ": classes that training does not know, not in the test error: 3 images of 2 "
                                      "classes: dogs (1), wasp (2); did you mean dog instead of dogs?"));
  for (const char* known : {"cat", "dogs", "wasp"}) std::filesystem::remove_all(folder.root() / "test" / known);
  folder.image("test/wasp/1.png", 5);
  EXPECT_EQ(folder.read().test.size(), 0);
}

TEST(TestImagesOfAFolder, NeedNoTrainingImages) {
  Folder folder;
  folder.image("dog/b.png", 3);
  folder.image("dog/a.png", 4);
  folder.write("dog/c.png", "broken");
  folder.image("ant/1.png", 5);
  folder.image("wasp/1.png", 6);
  folder.write("dog/notes.txt", "hello");
  const std::vector<std::string> names{"ant", "bee", "dog"};
  const TestImages test = read_test_images(folder.root().path(), names, 16, 3);
  EXPECT_THAT(test.set.files, ElementsAre("ant/1.png", "dog/a.png", "dog/b.png"));
  EXPECT_THAT(gray_values(test.set), ElementsAre(5, 4, 3));
  EXPECT_THAT(labels(test.set), ElementsAre(0, 2, 2));
  ASSERT_THAT(test.unreadable, SizeIs(1));
  EXPECT_EQ(test.unreadable[0].file, "dog/c.png");
  EXPECT_EQ(test.unreadable[0].label, 2);
  EXPECT_THAT(test.unreadable[0].error, HasSubstr("dog/c.png: not a PNG, JPEG or WebP image"));
  ASSERT_THAT(test.unknown_classes, SizeIs(1));
  EXPECT_EQ(unknown_classes_text(test.unknown_classes), "1 image of 1 class: wasp (1)");
  EXPECT_THAT(test.notes, ElementsAre(HasSubstr("the network does not know"), HasSubstr("1 unreadable image file"),
                                      HasSubstr("notes.txt")));
}

TEST(TestImagesOfAFolder, AreInTestOfADataset) {
  Folder folder;
  folder.image("train/ant/1.png", 1);
  folder.write("train/dog/1.png", "training images are not decoded");
  folder.image("unlabeled/1.png", 1);
  folder.image("test/dog/1.png", 3);
  const auto read = [&](const std::vector<std::string>& names) {
    return read_test_images(folder.root().path(), names, 16, 3);
  };
  EXPECT_THAT(read({"ant", "dog"}).set.files, ElementsAre("test/dog/1.png"));
  EXPECT_THAT(read({"ant", "dog"}).notes, IsEmpty());
  EXPECT_THAT(read({"dog", "test"}).set.files, ElementsAre("test/dog/1.png"));
  EXPECT_EQ(
      error_of([&] {
        read({"bee", "wasp"});
      }),
      fmt::format("{0}: no test images of the 2 classes of the network: bee; wasp; expected {0}/CLASS/ with images",
                  (folder.root() / "test").string()));
  std::filesystem::remove_all(folder.root() / "test");
  EXPECT_THAT(error_of([&] {
                read({"ant", "dog"});
              }),
              HasSubstr("no test images: has train/ but no test/; name other"));
}

TEST(TestImagesOfAFolder, MayHaveAClassNamedTest) {
  Folder folder;
  folder.image("test/1.png", 3);
  folder.image("dev/1.png", 4);
  EXPECT_THAT(read_test_images(folder.root().path(), {"dev", "test"}, 16, 3).set.files,
              ElementsAre("dev/1.png", "test/1.png"));
  EXPECT_THAT(error_of([&] {
                read_test_images(folder.root().path(), {"dev", "other"}, 16, 3);
              }),
              HasSubstr("test/1.png: image outside the class folders"));
  folder.write("dev/1.png", "broken");
  std::filesystem::remove(folder.root() / "test/1.png");
  EXPECT_THAT(error_of([&] {
                read_test_images(folder.root().path(), {"dev", "test"}, 16, 3);
              }),
              HasSubstr("no readable test image; 1 unreadable image file skipped"));
}

TEST(LooseImages, IncludeSubfolders) {
  Folder folder;
  folder.image("b.png", 20);
  folder.image("a/2.png", 10);
  folder.write("broken.png", "broken");
  folder.write("notes.txt", "text");
  const LooseImages loose = read_loose_images(folder.root().path(), 16, 1);
  EXPECT_EQ(loose.images.sizes(), (at::IntArrayRef{2, 16, 16, 1}));
  EXPECT_EQ(loose.images[0].min().item<int>(), 10);
  EXPECT_EQ(loose.images[1].max().item<int>(), 20);
  EXPECT_THAT(loose.notes, ElementsAre(HasSubstr("broken.png"), HasSubstr("notes.txt")));
}

TEST(LooseImages, RejectsAFolderWithoutImages) {
  Folder folder;
  folder.write("broken.png", "broken");
  EXPECT_THAT(error_of([&] { read_loose_images(folder.root().path(), 16, 1); }),
              AllOf(HasSubstr("no readable .png, .jpg, .jpeg or .webp file in this folder; 1 unreadable image file"),
                    HasSubstr("broken.png")));
}

TEST(ImageFolder, LoadingCanBeWatchedAndStopped) {
  Folder folder;
  for (int i = 0; i < 12; ++i)
    folder.image(fmt::format("train/{}/{}.png", i % 2 == 0 ? "a" : "b", i), static_cast<uint8_t>(i));
  std::atomic<int> asked = 0;
  LoadWatch watch;
  watch.stopped = [&] { return ++asked > 4; };
  try {
    read_image_folder(folder.root().path(), 16, 3, watch);
    FAIL() << "must stop";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kStopped);
  }
  EXPECT_LT(asked, 12) << "must not decode the rest";
  std::vector<int64_t> shown;
  watch.stopped = [] {
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    return false;
  };
  watch.progress = [&](int64_t done, int64_t total) {
    shown.push_back(done);
    EXPECT_EQ(total, 12);
  };
  EXPECT_EQ(read_image_folder(folder.root().path(), 16, 3, watch).train.size(), 12);
  EXPECT_FALSE(shown.empty());
}

}  // namespace
}  // namespace frgan
