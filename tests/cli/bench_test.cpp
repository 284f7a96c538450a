// Tests of frgan bench with a step that takes milliseconds.
#include <algorithm>
#include <filesystem>
#include <numeric>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "frgan/core/json.h"
#include "frgan/io/files.h"
#include "program.h"

namespace frgan {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::MatchesRegex;

Outcome bench(std::vector<std::string> more) {
  std::vector<std::string> arguments{"bench", "--width",  "0.0625", "--batch-size", "4",  "--threads",  "1", "--steps",
                                     "2",     "--images", "50",     "--gemm-size",  "64", "--precision"};
  arguments.push_back("fp32");
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_frgan(arguments);
}

double number(const Json& json, const char* key) {
  return json.at(key).get<double>();
}

double sum_of(const Json& rows, const char* field) {
  return std::accumulate(rows.begin(), rows.end(), 0.0,
                         [&](double sum, const Json& row) { return sum + number(row, field); });
}

TEST(Bench, JsonContainsAllMeasurements) {
  const Outcome outcome = bench({"--json", "-"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  const Json json = parse_json(outcome.out, "bench");
  EXPECT_EQ(json.at("method"), "fr-gan");
  EXPECT_EQ(json.at("precision"), "fp32");
  EXPECT_EQ(json.at("threads"), 1);
  EXPECT_EQ(json.at("options").at("width"), 0.0625);
  EXPECT_EQ(json.at("options").at("batch-size"), 4);
  for (const char* name : {"version", "commit", "libtorch", "processor", "capability", "kernels"}) {
    EXPECT_NE(json.at(name).get<std::string>(), "") << name;
  }
  EXPECT_EQ(json.at("steps").size(), 2U);
  const double seconds = number(json, "seconds_per_step");
  EXPECT_GT(seconds, 0);
  EXPECT_NEAR(number(json, "steps_per_second") * seconds, 1, 1e-9);
  EXPECT_NEAR(number(json, "images_per_second") * seconds, 5 * 4, 1e-6);
  EXPECT_NEAR(number(json, "gflop_per_step"), 0.08702, 0.00001);
  EXPECT_NEAR(number(json, "gflop_per_second") * seconds, number(json, "gflop_per_step"), 1e-9);
  const double gemm = number(json.at("gemm_gflop_per_second"), "fp32");
  EXPECT_NEAR(number(json, "share_of_gemm_rate") * gemm, number(json, "gflop_per_second"), 1e-6);
  EXPECT_NEAR(number(json, "seconds_at_gemm_rate") * gemm, number(json, "gflop_per_step"), 1e-9);
  EXPECT_GT(number(json, "peak_memory_bytes"), 10 << 20);

  ASSERT_EQ(json.at("phases").size(), 2U);
  EXPECT_EQ(json.at("phases").at(0).at("name"), "discriminator");
  EXPECT_EQ(json.at("phases").at(1).at("name"), "generator");
  const double profiled = number(json, "profiled_seconds_per_step");
  EXPECT_LE(sum_of(json.at("phases"), "seconds_per_step"), profiled);
  EXPECT_NEAR(sum_of(json.at("kinds"), "seconds_per_step"), profiled, 1e-6);
  EXPECT_EQ(sum_of(json.at("operators"), "calls_per_step"), number(json, "operators_per_step"));
  EXPECT_EQ(sum_of(json.at("kinds"), "calls_per_step"), number(json, "operators_per_step"));
  EXPECT_EQ(json.at("kinds").back().at("name"), "outside operators");
  std::vector<std::string> kinds;
  for (const Json& row : json.at("kinds")) kinds.push_back(row.at("name").text());
  for (const char* kind : {"weight norm, forward", "squeeze and excitation, forward", "optimizer and average",
                           "random numbers", "gather and augmentation", "activation and dropout"}) {
    EXPECT_THAT(kinds, testing::Contains(kind));
  }
  EXPECT_GT(number(json, "allocations_per_step"), 0);
  EXPECT_GT(number(json, "allocated_bytes_per_step"), 1 << 20);
  double convolution_seconds = 0;
  for (const Json& row : json.at("convolutions")) {
    convolution_seconds += number(row, "calls_per_step") * number(row, "seconds");
    EXPECT_GT(number(row, "gflop"), 0) << row.dump();
    EXPECT_GT(number(row, "seconds"), 0) << row.dump();
  }
  EXPECT_NEAR(number(json, "convolution_seconds_alone"), convolution_seconds, 1e-9);
  EXPECT_EQ(json.at("strong_augmentation").at("views"), 448);
  EXPECT_GT(number(json.at("strong_augmentation"), "seconds"), 0);
  EXPECT_EQ(json.at("classification").at("images"), 1024);
  EXPECT_GT(number(json.at("classification"), "seconds"),
            number(json.at("classification"), "convolution_seconds_alone") / 2);
  EXPECT_GT(number(json.at("classification"), "convolution_seconds_alone"), 0);
}

TEST(Bench, TableContainsAllMeasurements) {
  const Outcome outcome = bench({"--method", "supervised"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  for (const char* text :
       {"step          supervised, width 0.0625, batch 4, fp32: 0.01443 GFLOP\n", "\ntime          ",
        " s (median of 2, ", " steps/s, ", " images/s, ", "\npeak memory ", "\nGEMM rate     fp32 ",
        " % of the fp32 rate; at 100 % it would take ", "\nconvolutions  ", " operators per step, ", " allocations of ",
        "%  classifier\n", "%  convolution, backward (", "%  outside operators (0)\n",
        "%  aten::", "aten::convolution fp32 4x3x32x32, fp32 4x3x3x3 (1), "}) {
    EXPECT_THAT(outcome.out, HasSubstr(text));
  }
}

TEST(Bench, StepOnlyOmitsProfileAndGemmRate) {
  const Outcome table = bench({"--step-only"}), json = bench({"--step-only", "--json", "-"});
  EXPECT_THAT(table.out, HasSubstr("\ntime "));
  EXPECT_THAT(table.out, testing::Not(HasSubstr("GEMM")));
  const Json found = parse_json(json.out, "bench");
  EXPECT_GT(number(found, "seconds_per_step"), 0);
  EXPECT_FALSE(found.contains("operators_per_step"));
}

TEST(Bench, AdaptsTheNumberOfThreads) {
  const Outcome outcome = run_frgan({"bench", "--width=0.0625", "--batch-size=4", "--images=50", "--precision=fp32",
                                     "--step-only", "--adapt-threads", "--steps=3", "--json=-"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json found = parse_json(outcome.out, "bench");
  EXPECT_EQ(found.at("steps").size(), 3U);
  EXPECT_GT(number(found, "seconds_per_step"), 0);
  EXPECT_EQ(found.at("options").at("width"), 0.0625);
}

TEST(Bench, AppliesPresetAndTypedOptions) {
  const fs::path file = fs::path(testing::TempDir()) / fmt::format("frgan_bench_test.{}.json", getpid());
  const Outcome outcome = bench({"--preset", "demo-supervised", "--learning-rate=0.01", "--step-only",
                                 "--augmentation=none", "--json", file.string()});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("step          supervised, "));
  const Json json = parse_json(read_file(file), "bench");
  fs::remove(file);
  EXPECT_EQ(json.at("method"), "supervised");
  EXPECT_EQ(json.at("options").at("average-decay"), 0.999) << "from the preset";
  EXPECT_EQ(json.at("options").at("learning-rate"), 0.01) << "the command line overrides the preset";
  EXPECT_EQ(json.at("options").at("augmentation"), Json::array({"none"}));
}

// The message of `frgan bench` for options that are usage errors.
std::string bench_error(std::vector<std::string> options) {
  options.insert(options.begin(), "bench");
  const Outcome outcome = run_frgan(options);
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, "");
  return outcome.err;
}

TEST(Bench, RejectsOptionsThatTrainRejects) {
  EXPECT_EQ(bench_error({"--step-only", "--method", "supervised", "--gen-loss", "saturating"}),
            "frgan: option --gen-loss belongs to --method fr-gan, which this run does not use; remove it, or change "
            "--method\n");
  EXPECT_THAT(bench_error({"--step-only", "--batch-size", "1"}), HasSubstr("needs at least 2 images"));
  EXPECT_THAT(bench_error({"--step-only", "--steps", "0"}), HasSubstr("must be a whole number, 1 to 100000"));
  EXPECT_THAT(bench_error({"--step-only", "--preset", "dmeo"}), HasSubstr("did you mean 'demo'?"));
  EXPECT_THAT(bench_error({"--step-only", "--augmentation", "translate:99"}), HasSubstr("PIXELS must be 1 to 15"));
}

TEST(Bench, RejectsOptionsThatHaveNoEffect) {
  EXPECT_EQ(bench_error({"--contention", "--width", "1"}),
            "frgan: --contention accepts no other option: found --width; omit it\n");
  EXPECT_EQ(bench_error({"--preset=fast", "--contention"}),
            "frgan: --contention accepts no other option: found --preset; omit it\n");
  EXPECT_EQ(bench_error({"--adapt-threads"}), "frgan: --adapt-threads requires --step-only\n");
}

}  // namespace
}  // namespace frgan
