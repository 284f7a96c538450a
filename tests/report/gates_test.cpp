#include "frgan/report/gates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/io/files.h"

namespace frgan {
namespace {

using testing::HasSubstr;

TEST(Gates, RoundTripThroughFile) {
  const TemporaryFolder folder;
  write_gates(folder / "gates.json",
              {{"se_block2", {0.50004, 0.25}, {0, 0.125}, {{0.5, 0.3}, {0.5, 0.2}}, {{0, 0.1}, {0, 0.12344}}}});
  EXPECT_EQ(read_file(folder / "gates.json"),
            R"({"blocks":[{"block":"se_block2","mean":[0.5,0.25],"deviation":[0.0,0.125],)"
            R"("class_mean":[[0.5,0.3],[0.5,0.2]],"class_deviation":[[0.0,0.1],[0.0,0.1234]]}],)"
            R"("crc32c":"4b47b6d7"})"
            "\n");
  const std::vector<GateStatistics> gates = read_gates(folder / "gates.json");
  ASSERT_EQ(gates.size(), 1U);
  EXPECT_EQ(gates[0].block, "se_block2");
  EXPECT_EQ(gates[0].class_mean[1][1], 0.2);
  EXPECT_EQ(gates[0].class_deviation[0][1], 0.1);
}

TEST(Gates, ClassDeviationIsOptional) {
  const Json json =
      parse_json(R"({"blocks":[{"block":"b","mean":[1],"deviation":[1],"class_mean":[[1],[1]]}]})", "test");
  EXPECT_EQ(gates_from_json(json, "g.json").at(0).class_deviation.size(), 0U);
}

TEST(Gates, RejectInconsistentFiles) {
  const auto message = [](const char* text) {
    return error_of([&] { gates_from_json(parse_json(text, "test"), "g.json"); });
  };
  EXPECT_THAT(message("{}"), HasSubstr("g.json: not a valid gates file"));
  EXPECT_THAT(message(R"({"blocks":[{"block":"b","mean":[1,2],"deviation":[1],"class_mean":[]}]})"),
              HasSubstr("g.json: block 'b': 1 values for 2 channels"));
  EXPECT_THAT(message(R"({"blocks":[{"block":"b","mean":[1],"deviation":[1],"class_mean":[[1,2]]}]})"),
              HasSubstr("block 'b': 2 values for 1 channels"));
  EXPECT_THAT(message(R"({"blocks":[{"block":"b","mean":[1],"deviation":[1],"class_mean":[[1],[1]],)"
                      R"("class_deviation":[[1]]}]})"),
              HasSubstr("block 'b': class_mean has 2 classes, class_deviation 1"));
}

}  // namespace
}  // namespace frgan
