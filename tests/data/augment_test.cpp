#include "frgan/data/augment.h"

#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "meta_kernels.h"
#include "tiny_dataset.h"

namespace frgan {
namespace {

using ::testing::HasSubstr;

at::Tensor by_operators(const at::Tensor& images, const at::Tensor& rows, const Augmentation& augmentation,
                        uint64_t key, at::ScalarType dtype) {
  const AugmentationPlan plan = plan_augmentation(rows.numel(), images.size(1), images.size(2), augmentation, key);
  return augmented_by_operators(images, rows, plan, dtype);
}

TEST(ParseAugmentation, ReadsWords) {
  const Augmentation all = parse_augmentation({"translate:2", "noise:0.15", "flip"});
  EXPECT_EQ(all.translate, 2);
  EXPECT_EQ(all.noise, 0.15);
  EXPECT_TRUE(all.flip);
  for (const std::vector<std::string>& words : {std::vector<std::string>{"none"}, {}}) {
    const Augmentation none = parse_augmentation(words);
    EXPECT_EQ(none.translate, 0);
    EXPECT_EQ(none.noise, 0);
    EXPECT_FALSE(none.flip);
  }
  EXPECT_EQ(parse_augmentation({"translate:15"}).translate, 15);
}

TEST(ParseAugmentation, RejectsOtherWords) {
  const auto error = [](const std::vector<std::string>& words) {
    return error_of([&] { parse_augmentation(words, "my.toml:3"); });
  };
  EXPECT_EQ(error({"transalte:2"}),
            "my.toml:3: unknown augmentation 'transalte:2'; did you mean 'translate'? allowed: translate:PIXELS, "
            "noise:DEVIATION, flip, none, randaugment:N, cutout:SHARE, names of operations");
  EXPECT_THAT(error({""}), HasSubstr("unknown augmentation ''; allowed: "));
  for (const char* word : {"translate", "translate:", "translate:0", "translate:16", "translate:-1", "translate:1.5",
                           "translate:2x", "translate: 2"}) {
    EXPECT_THAT(error({word}), HasSubstr("PIXELS must be 1 to 15, as in translate:2")) << word;
  }
  for (const char* word : {"noise", "noise:0", "noise:-1", "noise:2.1", "noise:nan", "noise:inf", "noise:x"}) {
    EXPECT_THAT(error({word}), HasSubstr("DEVIATION must be above 0, at most 2, as in noise:0.15")) << word;
  }
  EXPECT_EQ(error({"flip:1"}), "my.toml:3: invalid augmentation 'flip:1'; use 'flip' without a number");
  EXPECT_EQ(error({"none:"}), "my.toml:3: invalid augmentation 'none:'; use 'none' without a number");
  EXPECT_EQ(error({"flip", "flip"}), "my.toml:3: flip is given twice");
  EXPECT_EQ(error({"flip", "none"}), "my.toml:3: 'none' cannot be combined with others: got 'flip,none'");
}

TEST(ParseAugmentation, ReadsMagnitudes) {
  const Augmentation augmentation =
      parse_augmentation({"randaugment:2", "rotate:-10:20", "brightness:0.5:1.5", "color"});
  ASSERT_EQ(augmentation.choices.size(), 3U);
  EXPECT_EQ(augmentation.choices[0].low, -10);
  EXPECT_EQ(augmentation.choices[0].high, 20);
  EXPECT_EQ(augmentation.choices[1].high, 1.5);
  EXPECT_EQ(augmentation.choices[2].low, 0.05);  // of FixMatch
  const auto error = [](const std::string& word) {
    return error_of([&] { parse_augmentation({"randaugment:2", word}, "my.toml:3"); });
  };
  EXPECT_EQ(error("rotate:-200:10"),
            "my.toml:3: invalid augmentation 'rotate:-200:10'; LOW and HIGH must be -180 to 180 (degrees "
            "counterclockwise), as in rotate:-30:30");
  for (const char* word : {"rotate:10", "rotate:10:", "rotate:20:10", "rotate:x:10", "rotate:1:2:3", "rotate:nan:3"}) {
    EXPECT_THAT(error(word), HasSubstr("LOW and HIGH must be -180 to 180")) << word;
  }
  EXPECT_THAT(error("equalize:0:1"), HasSubstr("use 'equalize' without a number"));
}

// With one operation, every image gets it, with a magnitude of the range.
TEST(Augmented, MagnitudesAreThoseOfTheRange) {
  const at::Tensor images = at::full({50, 16, 16, 1}, 100, at::kByte);
  const auto words = std::vector<std::string>{"randaugment:1", "brightness:1.5:1.6"};
  const at::Tensor x = augmented(images, at::arange(50, at::kLong), parse_augmentation(words), 3, at::kDouble);
  const at::Tensor pixels = to_pixels(x).to(at::kDouble);
  EXPECT_GE(pixels.min().item<double>(), 150);
  EXPECT_LE(pixels.max().item<double>(), 160);
  EXPECT_GT(pixels.std().item<double>(), 1);
}

TEST(AugmentationPolicies, HaveNames) {
  AugmentationOptions options;
  options.policies = {"mine=translate:4+flip", "other=noise:0.1"};
  options.strong = {"mine", "cutout:0.2"};
  const Policies policies = augmentation_policies(options);
  EXPECT_EQ(policies.size(), 6U);
  EXPECT_EQ(policies.at("weak").translate, 2);
  EXPECT_EQ(policies.at("strong").translate, 4);
  EXPECT_TRUE(policies.at("strong").flip);
  EXPECT_EQ(policies.at("strong").cutout, 0.2);
  EXPECT_EQ(policies.at("other").noise, 0.1);
  EXPECT_EQ(policies.at("none").translate, 0);
  EXPECT_EQ(policies.at("noise").noise, 0.15);
  const auto error = [](const std::vector<std::string>& definitions, const std::vector<std::string>& words) {
    return error_of([&] { augmentation_policies({.augmentation = words, .policies = definitions}); });
  };
  EXPECT_THAT(error({"mine=flip"}, {"mne"}),
              HasSubstr("--augmentation: unknown augmentation 'mne'; did you mean 'mine'?"));
  EXPECT_THAT(error({"mine=flop"}, {"none"}),
              HasSubstr("--policies: mine: unknown augmentation 'flop'; did you mean 'flip'?"));
  EXPECT_EQ(error({"flip=translate:2"}, {"none"}),
            "--policies: 'flip' is a word of augmentations; choose another name");
  EXPECT_EQ(error({"strong=flip"}, {"none"}),
            "--policies: the policy 'strong' exists already; set its words with --strong-augmentation");
  EXPECT_EQ(error({"a=flip", "a=flip"}, {"none"}), "--policies: the policy 'a' is defined twice");
  for (const char* definition : {"a", "=flip", "a b=flip", ""}) {
    EXPECT_THAT(error({definition}, {"none"}), HasSubstr("write NAME=WORD+WORD")) << definition;
  }
}

TEST(AugmentationPolicies, DoNotFlipDigits) {
  const auto error = [](const AugmentationOptions& options, std::string_view dataset) {
    return error_of([&] { check_flips(augmentation_policies(options), dataset); });
  };
  EXPECT_EQ(error({.augmentation = {"translate:2", "flip"}}, "svhn"),
            "augmentation policy 'weak': 'flip' mirrors images, and mirrored digits are not digits (svhn); remove it");
  EXPECT_THAT(error({.strong = {"mine"}, .policies = {"mine=flip"}}, "mnist"), HasSubstr("policy 'mine'"));
  EXPECT_NO_THROW(check_flips(augmentation_policies({}), "svhn"));
  for (const char* dataset : {"fashion-mnist", "folder", "pets"}) {
    EXPECT_NO_THROW(check_flips(augmentation_policies({.augmentation = {"flip"}}), dataset)) << dataset;
  }
}

TEST(AugmentationOptions, SetTheAugmentation) {
  AugmentationOptions chosen;
  OptionSet options;
  describe(options, chosen);
  EXPECT_EQ(parse_augmentation(chosen.augmentation).translate, 2);
  options.find("augmentation", "test").set_text("noise:0.5,flip", "test");
  EXPECT_EQ(parse_augmentation(chosen.augmentation).noise, 0.5);
}

TEST(Normalised, MapsPixelsToMinusOneToOne) {
  const at::Tensor images = at::tensor({0, 51, 102, 153, 204, 255}, at::kByte).view({1, 1, 2, 3});
  const at::Tensor x = normalised(images, at::kDouble);
  EXPECT_EQ(x.sizes(), (at::IntArrayRef{1, 3, 1, 2}));
  EXPECT_TRUE(at::allclose(x, at::tensor({-1.0, 0.2, -0.6, 0.6, -0.2, 1.0}, at::kDouble).view({1, 3, 1, 2})));
  EXPECT_EQ(x.min().item<double>(), -1);
  EXPECT_EQ(normalised(images, at::kFloat).max().item<float>(), 1);
}

TEST(Augmented, DefaultOnlyNormalizes) {
  const at::Tensor images = tiny_images(5, 16, 3);
  const at::Tensor rows = at::tensor({4, 0, 4, 2}, at::kLong);
  for (const at::ScalarType dtype : {at::kFloat, at::kDouble}) {
    const at::Tensor x = augmented(images, rows, {}, 1, dtype);
    EXPECT_EQ(x.sizes(), (at::IntArrayRef{4, 3, 16, 16}));
    EXPECT_EQ(x.scalar_type(), dtype);
    EXPECT_TRUE(x.is_contiguous(at::MemoryFormat::ChannelsLast));
    EXPECT_TRUE(x.equal(normalised(images.index_select(0, rows), dtype)));
  }
}

// All shifts of an image by -2 to 2 pixels with reflected borders, cut from the padded image.
std::vector<at::Tensor> all_shifts(const at::Tensor& image) {  // 1 x C x H x W
  const int64_t size = image.size(2);
  const at::Tensor padded = at::reflection_pad2d(image, {2, 2, 2, 2});
  std::vector<at::Tensor> shifts;
  for (int64_t y = 0; y < 5; ++y)
    for (int64_t x = 0; x < 5; ++x) shifts.push_back(padded.narrow(2, y, size).narrow(3, x, size));
  return shifts;
}

// Number of candidates that equal the image; adds their indices to `seen`.
size_t count_matches(const at::Tensor& image, const std::vector<at::Tensor>& candidates, std::set<size_t>& seen) {
  size_t matches = 0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (!image.equal(candidates[i])) continue;
    seen.insert(i);
    ++matches;
  }
  return matches;
}

TEST(Augmented, TranslatesByAllShiftsWithReflectedBorders) {
  const at::Tensor images = at::randint(0, 256, {1, 16, 16, 3}, at::kByte);
  const std::vector<at::Tensor> shifts = all_shifts(normalised(images, at::kFloat));
  const at::Tensor x = augmented(images, at::zeros({400}, at::kLong), {.translate = 2}, 42, at::kFloat);
  std::set<size_t> seen;
  for (int64_t i = 0; i < 400; ++i) ASSERT_EQ(count_matches(x.narrow(0, i, 1), shifts, seen), 1U) << i;
  EXPECT_EQ(seen.size(), 25U);
}

TEST(Augmented, FlipsHalfOfTheImages) {
  const at::Tensor images = at::randint(0, 256, {1, 16, 24, 3}, at::kByte);
  const at::Tensor image = normalised(images, at::kFloat);
  const at::Tensor x = augmented(images, at::zeros({400}, at::kLong), {.flip = true}, 42, at::kFloat);
  std::set<size_t> seen;
  int mirrored = 0;
  for (int64_t i = 0; i < 400; ++i) {
    ASSERT_EQ(count_matches(x.narrow(0, i, 1), {image, image.flip({3})}, seen), 1U) << i;
    mirrored += x[i].equal(image[0]) ? 0 : 1;
  }
  EXPECT_NEAR(mirrored, 200, 50);
}

TEST(Augmented, CombinesFlipsAndTranslations) {
  const at::Tensor images = at::randint(0, 256, {1, 16, 16, 1}, at::kByte);
  std::vector<at::Tensor> changed = all_shifts(normalised(images, at::kFloat));
  for (size_t i = 0; i < 25; ++i) changed.push_back(changed[i].flip({3}));
  const at::Tensor x = augmented(images, at::zeros({800}, at::kLong), {.translate = 2, .flip = true}, 42, at::kFloat);
  std::set<size_t> seen;
  for (int64_t i = 0; i < 800; ++i) ASSERT_EQ(count_matches(x.narrow(0, i, 1), changed, seen), 1U) << i;
  EXPECT_EQ(seen.size(), 50U);
}

TEST(Augmented, AddsNoiseToNormalizedPixels) {
  const at::Tensor images = tiny_images(20, 16, 3);
  const at::Tensor rows = at::arange(20, at::kLong);
  const at::Tensor noise = augmented(images, rows, {.translate = 2, .noise = 0.15}, 7, at::kDouble) -
                           augmented(images, rows, {.translate = 2}, 7, at::kDouble);
  EXPECT_NEAR(noise.mean().item<double>(), 0, 5 * 0.15 / std::sqrt(15360.0));
  EXPECT_NEAR(noise.std().item<double>(), 0.15, 0.005);
  EXPECT_FALSE(noise[0].equal(noise[1]));
}

Augmentation strong_views() {
  return parse_augmentation({"translate:4", "randaugment:2", "cutout:0.5"});
}

TEST(Augmented, DependsOnlyOnKeyAndPosition) {
  const at::Tensor images = tiny_images(6, 16, 1);
  const at::Tensor rows = at::tensor({3, 1, 5, 5, 0, 2, 4, 1}, at::kLong);
  for (const Augmentation& augmentation : {Augmentation{.translate = 3, .noise = 0.1, .flip = true}, strong_views()}) {
    const auto views = [&](const at::Tensor& some, uint64_t key) {
      return augmented(images, some, augmentation, key, at::kFloat);
    };
    const at::Tensor x = views(rows, 9);
    EXPECT_TRUE(x.equal(views(rows, 9)));
    EXPECT_FALSE(x.equal(views(rows, 10)));
    EXPECT_TRUE(x.slice(0, 0, 3).equal(views(rows.slice(0, 0, 3), 9)));

    const int before = at::get_num_threads();
    at::set_num_threads(3);
    EXPECT_TRUE(x.equal(views(rows, 9)));
    at::set_num_threads(before);
  }
}

TEST(Augmented, LoopMatchesOperators) {
  const at::Tensor rows = at::tensor({3, 0, 7, 7, 2, 1}, at::kLong);
  for (const int64_t channels : {1, 3}) {
    const at::Tensor images = at::randint(0, 256, {8, 16, 16, channels}, at::kByte);
    for (const Augmentation& augmentation :
         {Augmentation{}, Augmentation{.translate = 2}, Augmentation{.translate = 15, .flip = true},
          Augmentation{.translate = 1, .noise = 0.2, .flip = true}, strong_views(),
          parse_augmentation({"randaugment:3"})}) {
      for (const at::ScalarType dtype : {at::kFloat, at::kDouble}) {
        const at::Tensor loop = augmented(images, rows, augmentation, 5, dtype);
        const at::Tensor operators = by_operators(images, rows, augmentation, 5, dtype);
        EXPECT_TRUE(loop.equal(operators)) << channels << ' ' << augmentation.translate;
        EXPECT_EQ(loop.strides(), operators.strides());
      }
    }
  }
}

TEST(Augmented, ReadsNothingBackFromTheDevice) {
  const MetaKernels kernels;
  const at::Tensor images = at::empty({8, 16, 16, 3}, at::TensorOptions(at::kByte).device(at::kMeta));
  const at::Tensor rows = at::empty({5}, at::TensorOptions(at::kLong).device(at::kMeta));
  for (const Augmentation& augmentation : {Augmentation{}, Augmentation{.translate = 2, .noise = 0.15, .flip = true}}) {
    const at::Tensor x = augmented(images, rows, augmentation, 1, at::kFloat);
    EXPECT_TRUE(x.is_meta());
    EXPECT_EQ(x.sizes(), (at::IntArrayRef{5, 3, 16, 16}));
    EXPECT_TRUE(x.is_contiguous(at::MemoryFormat::ChannelsLast));
  }
}

TEST(Augmented, RejectsRowsAndShiftsOutOfRange) {
  const at::Tensor images = tiny_images(3, 16, 1);
  for (const int64_t row : {-1, 3}) {
    EXPECT_THROW(augmented(images, at::full({2}, row, at::kLong), {}, 1, at::kFloat), c10::Error);
  }
  EXPECT_THROW(augmented(images, at::zeros({1}, at::kLong), {.translate = 16}, 1, at::kFloat), c10::Error);
}

TEST(ToPixels, RoundsAndClamps) {
  const at::Tensor row = at::tensor({-2.0F, -1.0F, 0.0F, 1.0F, 2.0F, 0.01F}).reshape({1, 1, 1, 6});
  EXPECT_TRUE(to_pixels(row).flatten().equal(at::tensor({0, 0, 128, 255, 255, 129}, at::kByte)));
}

TEST(ToPixels, PutsChannelsLast) {
  const at::Tensor rgb = at::tensor({-1.0F, -1.0F, 0.0F, 0.0F, 1.0F, 1.0F}).reshape({1, 3, 1, 2});
  const at::Tensor pixels = to_pixels(rgb);
  EXPECT_EQ(pixels.sizes(), (at::IntArrayRef{1, 1, 2, 3}));
  EXPECT_TRUE(pixels.flatten().equal(at::tensor({0, 128, 255, 0, 128, 255}, at::kByte)));
}

TEST(ToPixels, InvertsTheNormalizationOfEveryPixelValue) {
  const at::Tensor values = at::arange(256, at::kByte).reshape({1, 16, 16, 1});
  EXPECT_TRUE(to_pixels(normalised(values, at::kFloat)).equal(values));
}

TEST(ToPixels, RejectsNonFiniteValues) {
  EXPECT_THROW(to_pixels(at::full({1, 1, 2, 2}, std::nan(""))), Error);
  EXPECT_THROW(to_pixels(at::full({1, 1, 2, 2}, INFINITY)), Error);
}

// ---- Strong augmentation

Augmentation strong(std::vector<std::string> words) {
  return parse_augmentation(words, "--strong-augmentation");
}

TEST(Augmented, OperationsEqualTheirOperators) {
  const at::Tensor images = at::randint(0, 256, {20, 16, 16, 3}, at::kByte), rows = at::arange(20, at::kLong);
  const Augmentation augmentation = strong({"translate:2", "randaugment:3", "cutout:0.5"});
  const at::Tensor found = augmented(images, rows, augmentation, 7, at::kDouble);
  EXPECT_TRUE(found.equal(by_operators(images, rows, augmentation, 7, at::kDouble)));
  EXPECT_FALSE(found.equal(augmented(images, rows, augmentation, 8, at::kDouble)));
  EXPECT_FALSE(found.equal(augmented(images, rows, strong({"translate:2"}), 7, at::kDouble)));
  EXPECT_EQ(found.sizes(), (at::IntArrayRef{20, 3, 16, 16}));
}

// The change of row i depends on the key and i only.
TEST(Augmented, OperationsDoNotDependOnTheBatch) {
  const at::Tensor images = at::randint(0, 256, {20, 16, 16, 3}, at::kByte), rows = at::arange(20, at::kLong);
  const Augmentation augmentation = strong({"randaugment:2", "cutout:0.5"});
  const at::Tensor all = augmented(images, rows, augmentation, 7, at::kFloat);
  EXPECT_TRUE(augmented(images, rows.narrow(0, 0, 5), augmentation, 7, at::kFloat).equal(all.narrow(0, 0, 5)));
}

// With one operation to choose from, the result is that operation: inversion maps x to -x.
TEST(Augmented, ChoosesFromTheNamedOperations) {
  const at::Tensor images = at::randint(0, 256, {8, 16, 16, 1}, at::kByte), rows = at::arange(8, at::kLong);
  const at::Tensor inverted = augmented(images, rows, strong({"randaugment:1", "invert"}), 7, at::kDouble);
  EXPECT_TRUE(at::allclose(inverted, -normalised(images, at::kDouble), 0, 1e-12));
  const at::Tensor twice = augmented(images, rows, strong({"randaugment:2", "invert"}), 7, at::kDouble);
  EXPECT_TRUE(twice.equal(normalised(images, at::kDouble)));
}

// FixMatch's cutout: a gray square whose side is uniform up to the given share.
TEST(Augmented, CutsOutGraySquares) {
  const at::Tensor images = at::full({200, 32, 32, 1}, 255, at::kByte);
  const at::Tensor x = augmented(images, at::arange(200, at::kLong), strong({"cutout:0.5"}), 7, at::kDouble);
  const at::Tensor gray = x.ne(1).sum({1, 2, 3}).to(at::kDouble);
  EXPECT_LE(gray.max().item<double>(), 16 * 16);
  EXPECT_GT(gray.max().item<double>(), 14 * 14);
  EXPECT_LT(gray.min().item<double>(), 4);
  EXPECT_NEAR(gray.mean().item<double>(), 32 * 32 / 12.0 * 0.85,
              20);  // E[side^2] = (32/2)^2 / 3, less the border's part
}

TEST(ParseAugmentation, ReadsStrongAugmentation) {
  EXPECT_EQ(strong({"randaugment:2"}).choices.size(), 14U);
  EXPECT_EQ(strong({"randaugment:2", "rotate", "solarize"}).choices.size(), 2U);
  EXPECT_EQ(strong({"cutout:0.25"}).cutout, 0.25);
  EXPECT_EQ(strong({"cutout:0.25"}).operations, 0);
  EXPECT_EQ(error_of([] { strong({"randaugment:9"}); }),
            "--strong-augmentation: invalid augmentation 'randaugment:9'; N must be 1 to 8, as in randaugment:2");
  EXPECT_EQ(
      error_of([] { strong({"cutout:1.5"}); }),
      "--strong-augmentation: invalid augmentation 'cutout:1.5'; SHARE must be above 0, at most 1, as in cutout:0.5");
  EXPECT_EQ(error_of([] { strong({"rotate"}); }),
            "--strong-augmentation: 'rotate' needs randaugment:N, the number of operations");
  EXPECT_THAT(error_of([] { strong({"rotat:3"}); }), testing::HasSubstr("did you mean 'rotate'?"));
}

}  // namespace
}  // namespace frgan
