// Tests of frgan evaluate, predict and generate as child processes.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tiny_runs.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<std::vector<std::string>> csv_rows(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    rows.emplace_back();
    for (std::string field; std::getline(fields, field, ',');) rows.back().push_back(field);
  }
  return rows;
}

class InferenceCommands : public TinyRuns {};

TEST_F(InferenceCommands, EvaluateReproducesErrorOfRun) {
  const nlohmann::json found = json_of({"evaluate", "fr-gan", "--json"});
  const nlohmann::json summary = nlohmann::json::parse(text_of("fr-gan/summary.json"));
  EXPECT_EQ(found["images"], 10);
  EXPECT_EQ(found["step"], 2);
  EXPECT_EQ(found["method"], "fr-gan");
  EXPECT_EQ(found["error"], summary["test"]["test_error"]);
  EXPECT_EQ(found["error_low"], summary["test"]["error_low"]);
  EXPECT_EQ(found["classes"][0]["name"], "ant");
  EXPECT_EQ(found["classes"][1]["images"], 5);
  EXPECT_EQ(found["confusion"][0][0].get<int>() + found["confusion"][0][1].get<int>(), 5);
  const nlohmann::json dev = json_of({"evaluate", "fr-gan", "--json", "--on", "dev"});
  EXPECT_EQ(dev["images"], 4);
  EXPECT_EQ(dev["error"], summary["dev"]["dev_error"]);
}

TEST_F(InferenceCommands, EvaluateShowsBaselinesAndCalibration) {
  const nlohmann::json quality = json_of({"evaluate", "fr-gan", "--json"})["quality"];
  const nlohmann::json of_run = nlohmann::json::parse(text_of("fr-gan/quality.json"));
  EXPECT_EQ(quality["baselines"].size(), 3);
  for (const char* key : {"role", "wrong", "baselines", "temperature"}) EXPECT_EQ(quality[key], of_run[key]) << key;
  // The numbers of threads differ.
  const auto loss = [](const nlohmann::json& of) { return of["calibrated"]["log_loss"].get<double>(); };
  EXPECT_NEAR(loss(quality), loss(of_run), 1e-5);
  EXPECT_EQ(quality["calibrated_on"], "development images");
  EXPECT_EQ(quality["calibration_images"], 4);
  const Outcome outcome = run({"evaluate", "fr-gan"});
  EXPECT_THAT(outcome.out,
              testing::ContainsRegex("\nbaselines   error of guessing 50.00 %, always '(ant|bee)' 50.00 %, "
                                     "linear classifier on 8x8 pixels [0-9.]+ %\n"));
  EXPECT_THAT(outcome.out, HasSubstr("fitted to 4 development images; calibration error"));
}

TEST_F(InferenceCommands, PredictMarksUnknownImages) {
  const auto labels = [&](const std::string& threshold) {
    const auto rows = csv_rows(run({"predict", "fr-gan", "data/test/bee", "--threshold", threshold}).out);
    std::vector<std::pair<std::string, double>> found;
    for (size_t i = 1; i < rows.size(); ++i) found.emplace_back(rows[i][1], std::stod(rows[i][2]));
    return found;
  };
  const auto all = labels("0");
  ASSERT_EQ(all.size(), 5U);
  const double middle = all[2].second;
  const auto some = labels(fmt::format("{:.6f}", middle + 1e-5));
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(some[i].first, all[i].second < middle + 1e-5 ? "unknown" : all[i].first);
    EXPECT_EQ(some[i].second, all[i].second);
  }
  EXPECT_EQ(some[2].first, "unknown");
}

TEST_F(InferenceCommands, PredictRefusesAnErrorThatItCannotCertify) {
  const Outcome few = run({"predict", "fr-gan", "data/test/bee", "--max-error", "5%"});
  EXPECT_EQ(few.code, 1);
  EXPECT_EQ(few.out, "");
  EXPECT_THAT(few.err, HasSubstr("cannot certify an error of at most 5 % with 95 % confidence: at least 59 images"));
  EXPECT_THAT(few.err, HasSubstr("; the run has 4, "));
  const Outcome invalid = run({"predict", "fr-gan", "data/test/bee", "--max-error", "5x"});
  EXPECT_EQ(invalid.code, 2);
  EXPECT_EQ(invalid.err, "frgan: --max-error: invalid share '5x'; use e.g. 5% or 0.05\n");
  const Outcome both = run({"predict", "fr-gan", "data/test/bee", "--max-error", "5%", "--threshold", "0.5"});
  EXPECT_EQ(both.code, 2);
}

TEST_F(InferenceCommands, EvaluatePrintsText) {
  const nlohmann::json found = json_of({"evaluate", "supervised", "--json"});
  const Outcome outcome = run({"evaluate", "supervised"});
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out, StartsWith("checkpoint  supervised/checkpoints/step-00000002 (supervised, step 2)\n"));
  EXPECT_THAT(outcome.out, testing::ContainsRegex("images      10 test images of /.*/data\n"));
  EXPECT_THAT(outcome.out,
              HasSubstr(fmt::format("\nerror       {:.2f} % (95 % interval {:.2f} to {:.2f} %)\n",
                                    100 * found["error"].get<double>(), 100 * found["error_low"].get<double>(),
                                    100 * found["error_high"].get<double>())));
  EXPECT_THAT(outcome.out, HasSubstr(fmt::format("     0 {:>5} {:>5}  ant\n", found["confusion"][0][0].get<int>(),
                                                 found["confusion"][0][1].get<int>())));
}

TEST_F(InferenceCommands, EvaluateComparesTwoRuns) {
  const nlohmann::json found =
      json_of({"evaluate", "fr-gan", "--json", "--compare", "supervised", "--predictions", "first.csv"})["compare"];
  json_of({"evaluate", "supervised", "--json", "--predictions", "second.csv"});
  const auto first = csv_rows(text_of("first.csv")), second = csv_rows(text_of("second.csv"));
  ASSERT_EQ(first.size(), 11U);
  ASSERT_EQ(second.size(), 11U);
  EXPECT_THAT(first[0], testing::ElementsAre("image", "file", "label", "prediction", "probability", "error"));
  int only_first = 0, only_second = 0, second_wrong = 0;
  for (size_t i = 1; i < first.size(); ++i) {
    EXPECT_EQ(first[i][0], std::to_string(i - 1));
    EXPECT_EQ(first[i][1], fmt::format("test/{}/{}.png", i <= 5 ? "ant" : "bee", (i - 1) % 5));
    EXPECT_EQ(first[i][2], i <= 5 ? "ant" : "bee");
    const bool a = first[i][3] != first[i][2], b = second[i][3] != second[i][2];
    only_first += a && !b;
    only_second += b && !a;
    second_wrong += b;
  }
  EXPECT_EQ(found["only_first_wrong"], only_first);
  EXPECT_EQ(found["only_second_wrong"], only_second);
  EXPECT_EQ(found["wrong"], second_wrong);

  const nlohmann::json same = json_of({"evaluate", "fr-gan", "--json", "--compare", "fr-gan"})["compare"];
  EXPECT_EQ(same["only_first_wrong"], 0);
  EXPECT_EQ(same["only_second_wrong"], 0);
  EXPECT_EQ(same["mcnemar_p"], 1);
  EXPECT_THAT(run({"evaluate", "fr-gan", "--compare", "fr-gan"}).out,
              EndsWith("McNemar     p = 1 (exact, two-sided)\n"));
}

TEST_F(InferenceCommands, EvaluateAcceptsOtherDataWithSameClasses) {
  for (int i = 0; i < 2; ++i) {
    draw(*folder / fmt::format("other/test/ant/{}.png", i), 200, 90, i);
    draw(*folder / fmt::format("other/test/bee/{}.png", i), 90, 200, i);
  }
  const Outcome outcome = run({"evaluate", "fr-gan", "--json", "--data", "other"});
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["images"], 4);
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["unknown_classes"].size(), 0u);

  fs::rename(*folder / "other/test", *folder / "other/train");
  EXPECT_THAT(refusal({"evaluate", "fr-gan", "other"}, 1),
              StartsWith("frgan: other: no test images: has train/ but no test/; name other data with --data"));
  fs::remove_all(*folder / "other");
}

// A folder of class folders needs no training images. Other classes and unreadable files are counted separately.
TEST_F(InferenceCommands, EvaluateNamesTheFilesOfAFolder) {
  for (int i = 0; i < 2; ++i) {
    draw(*folder / fmt::format("photos/ant/{}.png", i), 200, 90, i);
    draw(*folder / fmt::format("photos/wasp/{}.png", i), 90, 200, i);
  }
  draw(*folder / "photos/bee/,x.png", 90, 200, 1);
  draw(*folder / "photos/fly/1.png", 90, 90, 1);
  std::ofstream(*folder / "photos/ant/e.jpg") << "no image";
  const Outcome outcome = run({"evaluate", "fr-gan", "photos", "--predictions", "photos.csv"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("images      3 test images of photos\n"
                                     "unreadable  1 image, not in the error\n"
                                     "unknown     3 images of 2 classes: fly (1), wasp (2), not in the error\nwrong "));
  EXPECT_THAT(outcome.err, HasSubstr("note: photos: classes that the network does not know"));
  EXPECT_THAT(outcome.err, HasSubstr("note: 1 unreadable image file skipped: photos/ant/e.jpg: not a PNG"));
  const std::string csv = text_of("photos.csv");
  EXPECT_THAT(csv, StartsWith("image,file,label,prediction,probability,error\n0,ant/0.png,ant,"));
  EXPECT_THAT(csv, HasSubstr("\n2,\"bee/,x.png\",bee,"));
  EXPECT_THAT(csv, HasSubstr("\n,ant/e.jpg,ant,,,\"photos/ant/e.jpg: not a PNG, JPEG or WebP image\"\n"));
  const nlohmann::json json = json_of({"evaluate", "fr-gan", "photos", "--json", "--quiet"});
  EXPECT_EQ(json["images"], 3);
  EXPECT_EQ(json["unreadable"], 1);
  EXPECT_EQ(json["unknown_classes"][1]["name"], "wasp");
  EXPECT_EQ(json["unknown_classes"][1]["images"], 2);
  EXPECT_THAT(refusal({"evaluate", "fr-gan", "photos", "--data", "data"}, 2), HasSubstr("give one of them"));
  fs::remove_all(*folder / "photos");
}

TEST_F(InferenceCommands, EvaluateNotesChangedTestImages) {
  fs::copy(*folder / "data", *folder / "copy", fs::copy_options::recursive);
  draw(*folder / "data/test/ant/0.png", 1, 2, 3);
  fs::remove(*folder / "data/train/ant/0.png");  // training images are not needed
  EXPECT_THAT(run({"evaluate", "fr-gan"}).err,
              StartsWith("note: the test images changed since the run: test/ant/0.png was changed\n"));
  fs::remove_all(*folder / "data");
  fs::rename(*folder / "copy", *folder / "data");
  EXPECT_EQ(run({"evaluate", "fr-gan"}).err, "");
}

TEST_F(InferenceCommands, HelpShowsUsage) {
  for (const std::string command : {"evaluate", "predict", "generate"}) {
    const Outcome outcome = run({command, "--help"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(outcome.out, StartsWith(fmt::format("Usage: frgan {} CHECKPOINT", command)));
    EXPECT_THAT(outcome.out, HasSubstr("\n  --precision WORD\n"));
  }
}

TEST_F(InferenceCommands, RejectFoldersWithoutCheckpoint) {
  for (const std::string command : {"evaluate", "predict", "generate"}) {
    std::vector<std::string> arguments{command, "data"};
    if (command == "predict") arguments.push_back("data/test");
    if (command == "generate") arguments.push_back("never.png");
    EXPECT_THAT(refusal(arguments, 1), StartsWith("frgan: data: no checkpoint found; pass a run folder"));
    EXPECT_THAT(refusal({command}, 2),
                StartsWith(fmt::format("frgan: missing argument; usage: frgan {} CHECKPOINT", command)));
  }
  EXPECT_FALSE(fs::exists(*folder / "never.png"));
}

TEST_F(InferenceCommands, RejectTruncatedCheckpoint) {
  const fs::path copy = *folder / "copy";
  fs::copy(*folder / "fr-gan/checkpoints/step-00000002", copy);
  fs::resize_file(copy / "average.safetensors", fs::file_size(copy / "average.safetensors") - 1);
  EXPECT_THAT(refusal({"predict", "copy", "data/test"}, 1), HasSubstr("average.safetensors"));
  fs::remove_all(copy);
}

TEST_F(InferenceCommands, PredictAgreesWithEvaluate) {
  json_of({"evaluate", "fr-gan", "--json", "--predictions", "evaluated.csv"});
  const Outcome outcome = run({"predict", "fr-gan", "data/test"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  const auto evaluated = csv_rows(text_of("evaluated.csv")), predicted = csv_rows(outcome.out);
  ASSERT_EQ(predicted.size(), 11U);
  EXPECT_THAT(predicted[0], testing::ElementsAre("file", "label", "probability", "p(ant)", "p(bee)", "error"));
  EXPECT_EQ(predicted[1][0], "data/test/ant/0.png");
  EXPECT_EQ(predicted[10][0], "data/test/bee/4.png");
  for (size_t i = 1; i < 11; ++i) {
    EXPECT_EQ(predicted[i][0], "data/" + evaluated[i][1]);
    EXPECT_EQ(predicted[i][1], evaluated[i][3]);
    EXPECT_NEAR(std::stod(predicted[i][2]), std::stod(evaluated[i][4]), 2e-6);
    EXPECT_NEAR(std::stod(predicted[i][3]) + std::stod(predicted[i][4]), 1, 2e-6);
  }
}

TEST_F(InferenceCommands, PredictReportsUnreadableFilesAndContinues) {
  const fs::path odd = *folder / "odd";
  draw(odd / "a, \"b\".png", 200, 90, 1);
  draw(odd / "below" / "c.PNG", 200, 90, 2);
  draw(odd / ".hidden" / "d.png", 200, 90, 2);
  std::ofstream(odd / "e.jpg") << "no image";
  std::ofstream(odd / "notes.txt") << "ignored";
  const Outcome outcome = run({"predict", "fr-gan", "odd", "odd/missing.png"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("\n\"odd/a, \"\"b\"\".png\","));
  EXPECT_THAT(outcome.out, HasSubstr("\nodd/below/c.PNG,"));
  EXPECT_THAT(outcome.out, HasSubstr("\nodd/e.jpg,,,,,\"odd/e.jpg: not a PNG, JPEG or WebP image\"\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\nodd/missing.png,,,,,odd/missing.png: "));
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 5);
  EXPECT_THAT(outcome.err, HasSubstr("odd/e.jpg: "));
  EXPECT_THAT(outcome.err, HasSubstr("odd/missing.png: "));
  EXPECT_THAT(outcome.err, EndsWith("frgan: 2 of 4 images are unreadable\n"));

  const Outcome json = run({"predict", "fr-gan", "odd", "--format", "json", "--output", "odd.json"});
  EXPECT_EQ(json.code, 1);
  EXPECT_EQ(json.out, "");
  const nlohmann::json list = nlohmann::json::parse(text_of("odd.json"));
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0]["file"], "odd/a, \"b\".png");
  EXPECT_EQ(list[0]["probability"], list[0]["probabilities"][list[0]["label"].get<std::string>()]);
  EXPECT_EQ(list[0]["probabilities"].size(), 2U);
  EXPECT_EQ(list[2]["file"], "odd/e.jpg");
  EXPECT_TRUE(list[2]["label"].is_null());
  EXPECT_EQ(list[2]["error"], "odd/e.jpg: not a PNG, JPEG or WebP image");

  const Outcome none = run({"predict", "fr-gan", "odd/missing.png", "--format=json"});
  EXPECT_EQ(none.code, 1);
  EXPECT_EQ(nlohmann::json::parse(none.out)[0]["file"], "odd/missing.png");
  fs::create_directory(odd / "empty");
  EXPECT_EQ(refusal({"predict", "fr-gan", "odd/empty"}, 1),
            "frgan: odd/empty: no .png, .jpg, .jpeg or .webp file in this folder\n");
  EXPECT_THAT(refusal({"predict", "fr-gan", "data/test", "--output", "odd/notes.txt/x"}, 1),
              HasSubstr("odd/notes.txt"));
}

// File names may hold escape sequences for the terminal and formulas for spreadsheets.
TEST_F(InferenceCommands, PredictEscapesFileNames) {
  const std::string name = "=cmd(1,2)\x1b[31m.png";
  draw(*folder / "plain.png", 200, 90, 1);
  fs::rename(*folder / "plain.png", *folder / name);
  const Outcome csv = run({"predict", "fr-gan", name, "missing\x1b[31m.png"});
  EXPECT_EQ(csv.code, 1);
  EXPECT_THAT(csv.out, HasSubstr("\n\"'=cmd(1,2)\\x1b[31m.png\","));
  EXPECT_THAT(csv.err, HasSubstr("missing\\x1b[31m.png: "));
  EXPECT_THAT(csv.out + csv.err, testing::Not(HasSubstr("\x1b")));
  EXPECT_EQ(json_of({"predict", "fr-gan", name, "--format", "json"})[0]["file"], name);
}

TEST_F(InferenceCommands, GenerateWritesGrid) {
  EXPECT_EQ(run({"generate", "fr-gan", "grid.png", "--count", "6", "--columns", "3"}).out, "grid.png\n");
  // 3 x 2 images of 16 pixels with gaps of 2 pixels. A PNG header stores width and height from byte 16 on.
  const std::string png = text_of("grid.png");
  EXPECT_EQ(png[19], 3 * 18 - 2);
  EXPECT_EQ(png[23], 2 * 18 - 2);
  run({"generate", "fr-gan", "again.png", "--count", "6", "--columns", "3"});
  EXPECT_EQ(text_of("again.png"), png);
  run({"generate", "fr-gan", "other.png", "--count", "6", "--columns", "3", "--seed", "2"});
  EXPECT_NE(text_of("other.png"), png);
}

TEST_F(InferenceCommands, GenerateReproducesGridOfRun) {
  EXPECT_EQ(run({"generate", "fr-gan", "run.png", "--seed", "3"}).code, 0);
  EXPECT_EQ(text_of("run.png"), text_of("fr-gan/samples/step-00000002.png"));
}

TEST_F(InferenceCommands, GeneratedSeparateImagesDoNotDependOnCount) {
  EXPECT_EQ(run({"generate", "fr-gan", "few", "--separate", "--count", "2"}).code, 0);
  EXPECT_EQ(run({"generate", "fr-gan", "many", "--separate", "--count", "101"}).code, 0);
  EXPECT_FALSE(fs::exists(*folder / "few/000002.png"));
  EXPECT_TRUE(fs::exists(*folder / "many/000100.png"));
  EXPECT_FALSE(fs::exists(*folder / "many/000101.png"));
  EXPECT_EQ(text_of("few/000001.png"), text_of("many/000001.png"));
  EXPECT_NE(text_of("many/000000.png"), text_of("many/000100.png"));
}

// The classes take turns, or --class selects one by its name or number.
TEST_F(InferenceCommands, GeneratesImagesOfAClass) {
  train("m1m2", {"--m1-units", "64", "--m2-units", "64", "--normalization", "zca"});
  EXPECT_EQ(run({"generate", "m1m2", "both", "--separate", "--count", "4"}).code, 0);
  EXPECT_EQ(run({"generate", "m1m2", "bees", "--separate", "--count", "4", "--class", "bee"}).code, 0);
  EXPECT_EQ(run({"generate", "m1m2", "second", "--separate", "--count", "4", "--class", "1"}).code, 0);
  for (const char* image : {"000001.png", "000003.png"}) {
    EXPECT_EQ(text_of(fmt::format("both/{}", image)), text_of(fmt::format("bees/{}", image)));
  }
  EXPECT_NE(text_of("both/000000.png"), text_of("bees/000000.png"));
  EXPECT_EQ(text_of("bees/000002.png"), text_of("second/000002.png"));
  EXPECT_EQ(run({"generate", "m1m2", "classes.png", "--count", "8"}).code, 0);
  EXPECT_EQ(text_of("classes.png")[19], 2 * 18 - 2);  // a column per class
  EXPECT_EQ(run({"generate", "m1m2", "run.png", "--seed", "3"}).code, 0);
  EXPECT_THAT(refusal({"generate", "m1m2", "x.png", "--class", "beee"}, 2),
              HasSubstr("unknown class 'beee'; give a class name of the run, or a number from 0 to 1; did you mean "
                        "'bee'?"));
  EXPECT_THAT(refusal({"generate", "fr-gan", "x.png", "--class", "bee"}, 1),
              HasSubstr("the generator of method 'fr-gan' is not class-conditional; remove --class"));
}

// A loaded run classifies as it did at the end of its training.
TEST_F(InferenceCommands, TheStatisticsOfTheNormalizationAreStored) {
  for (const char* normalization : {"zca", "pca"}) {
    const std::string name = fmt::format("with-{}", normalization);
    train(name, "m1m2", {"--m1-units", "64", "--m2-units", "64", "--normalization", normalization});
    const nlohmann::json summary = nlohmann::json::parse(text_of(name + "/summary.json"));
    EXPECT_EQ(json_of({"evaluate", name, "--json"})["error"], summary["test"]["test_error"]);
    EXPECT_EQ(run({"generate", name, name + ".png", "--count", "4"}).code, 0);
  }
}

TEST_F(InferenceCommands, GenerateRejectsInvalidRequests) {
  EXPECT_THAT(refusal({"generate", "supervised", "x.png"}, 1),
              HasSubstr("trained with method 'supervised', which has no generator"));
  EXPECT_THAT(refusal({"generate", "fr-gan", "x.jpg"}, 2), HasSubstr("invalid output 'x.jpg': a grid is a .png file"));
  EXPECT_THAT(refusal({"generate", "fr-gan", "x.png", "--count", "10001"}, 2), HasSubstr("a grid holds at most 10000"));
  EXPECT_THAT(refusal({"generate", "fr-gan", "x.png", "--count", "0"}, 2), HasSubstr("must be a whole number, 1 to"));
  EXPECT_FALSE(fs::exists(*folder / "x.png"));
}

}  // namespace
}  // namespace frgan
