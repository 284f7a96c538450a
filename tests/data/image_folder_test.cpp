#include "frgan/data/image_folder.h"

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
#include "frgan/io/files.h"
#include "frgan/io/image_file.h"

namespace frgan {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

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
  EXPECT_THAT(gray_values(data.train), ElementsAre(10, 20, 25, 30, 41, 40));
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
                AllOf(HasSubstr("no readable image in class folder dog; 1 unreadable"), HasSubstr("dog/1.png")));
  }
  {
    Folder folder;
    folder.image("train/cat/1.png", 1);
    folder.image("train/dog/1.png", 1);
    folder.image("test/dogs/1.png", 1);
    EXPECT_THAT(folder.error(), HasSubstr("class \"dogs\" is not in train/; did you mean dog?"));
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
  folder.image("train/dog/1.png", 1);
  folder.image("test/dog/1.png", 1);
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
  folder.image("train/dog/1.png", 1);
  folder.image("test/dog/1.png", 1);
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
  folder.image("train/dog/1.png", 1);
  folder.write("test/dog/1.png", "broken");
  const Dataset data = folder.read();
  EXPECT_EQ(data.test.size(), 0);
  ASSERT_THAT(data.notes, SizeIs(2));
  EXPECT_THAT(data.notes[0], HasSubstr("test/dog/1.png"));
  EXPECT_THAT(data.notes[1], HasSubstr("no test error can be computed"));
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
  for (int i = 0; i < 12; ++i) folder.image(fmt::format("train/{}/{}.png", i % 2 == 0 ? "a" : "b", i), 10);
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
