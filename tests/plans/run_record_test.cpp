#include "frgan/plans/run_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../io/temporary_folder.h"
#include "frgan/core/error.h"
#include "frgan/io/files.h"
#include "run_records.h"

namespace frgan {
namespace {

using testing::HasSubstr;

TEST(RunRecord, RoundTrips) {
  const TemporaryFolder folder;
  const RunRecord record = record_with("run-a", "key-a", {3, 5, 7});
  write_run_record(folder.path(), record);
  const std::vector<RunRecord> back = read_run_records(folder.path());
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back[0].name, "run-a");
  EXPECT_EQ(back[0].key, "key-a");
  EXPECT_EQ(back[0].options, record.options);
  EXPECT_EQ(back[0].evaluations, record.evaluations);
  EXPECT_EQ(back[0].mistakes, record.mistakes);
  EXPECT_EQ(back[0].tflop, 12);
}

TEST(RunRecord, LastErrorAndMedianOfLast20) {
  const RunRecord record = record_with("a", "a", rows(100));
  EXPECT_DOUBLE_EQ(record.error(), 0.100);
  EXPECT_DOUBLE_EQ(record.median_error(), 0.1095);  // median of 0.100 to 0.119
}

TEST(RunRecord, McNemarTestPairsByImage) {
  const McNemarTest test = mcnemar_test(record_with("a", "a", rows(10)), record_with("b", "b", rows(30, 5)));
  EXPECT_EQ(test.only_first_wrong, 5);
  EXPECT_EQ(test.only_second_wrong, 25);
  EXPECT_LT(test.p_value, 0.001);
  EXPECT_THROW(mcnemar_test(record_with("a", "a", rows(10)), record_with("b", "b", rows(10), 500)), Error);
}

TEST(RunRecord, ErrorsNameTheDamagedFile) {
  const TemporaryFolder folder;
  EXPECT_TRUE(read_run_records(folder.path() / "absent").empty());
  write_run_record(folder.path(), record_with("run-a", "key-a", {3}));
  const std::string whole = read_file(folder.path() / "run-a.json");
  for (const std::string& text : {whole.substr(0, whole.size() / 2), std::string("[]"), std::string("{\"format\": 1}"),
                                  std::string("{\"format\": \"frgan run record 1\"}")}) {
    write_file_safely(folder.path() / "run-a.json", text);
    EXPECT_TRUE(read_run_records(folder.path()).empty());
    try {
      read_run_record(folder.path() / "run-a.json");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("run-a.json: "));
    }
  }
}

}  // namespace
}  // namespace frgan
