#include "frgan/io/safetensors.h"

#include <array>
#include <cstring>
#include <limits>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "frgan/io/files.h"
#include "temporary_folder.h"

namespace frgan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

template <class T>
std::vector<T> numbers(const TensorView& view) {
  std::vector<T> values(view.bytes.size() / sizeof(T));
  std::memcpy(values.data(), view.bytes.data(), view.bytes.size());
  return values;
}

// The bytes of a file with this header and data.
std::string file_of(std::string_view header, std::string_view data) {
  const uint64_t size = header.size();
  return std::string(reinterpret_cast<const char*>(&size), sizeof(size)).append(header).append(data);
}

SafetensorsFile parse(std::string_view bytes) {
  return parse_safetensors(bytes_of(bytes), "x.safetensors");
}

std::string safetensors_refusal(std::string_view header, std::string_view data) {
  return error_of([&] { parse(file_of(header, data)); });
}

TEST(Safetensors, ReadsFileOfTheReferenceImplementation) {
  const SafetensorsFile file = read_safetensors(FRGAN_SOURCE_DIR "/tests/io/golden/reference.safetensors");
  EXPECT_EQ(file.metadata(), (TensorMetadata{{"format", "np"}, {"quote", "a \"b\"\n"}}));
  EXPECT_EQ(file.tensors().size(), 10U);

  EXPECT_EQ(file.tensor("double").dtype, DType::kF64);
  EXPECT_THAT(numbers<double>(file.tensor("double")), ElementsAre(0.5, -2.0));
  EXPECT_EQ(file.tensor("single").dtype, DType::kF32);
  EXPECT_THAT(file.tensor("single").shape, ElementsAre(2, 3));
  EXPECT_THAT(numbers<float>(file.tensor("single")), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_EQ(file.tensor("half").dtype, DType::kF16);
  EXPECT_THAT(numbers<uint16_t>(file.tensor("half")), ElementsAre(0x3c00, 0x7bff));
  EXPECT_EQ(file.tensor("long").dtype, DType::kI64);
  EXPECT_THAT(file.tensor("long").shape, ElementsAre(2, 1));
  EXPECT_THAT(numbers<int64_t>(file.tensor("long")),
              ElementsAre(std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()));
  EXPECT_EQ(file.tensor("int").dtype, DType::kI32);
  EXPECT_THAT(numbers<int32_t>(file.tensor("int")), ElementsAre(-1, 7));
  EXPECT_EQ(file.tensor("byte").dtype, DType::kU8);
  EXPECT_THAT(numbers<uint8_t>(file.tensor("byte")), ElementsAre(0, 255, 3));
  EXPECT_EQ(file.tensor("bool").dtype, DType::kBool);
  EXPECT_THAT(numbers<uint8_t>(file.tensor("bool")), ElementsAre(1, 0, 1));
  EXPECT_THAT(file.tensor("scalar").shape, IsEmpty());
  EXPECT_THAT(numbers<float>(file.tensor("scalar")), ElementsAre(1.5F));
  EXPECT_THAT(file.tensor("empty").shape, ElementsAre(0, 4));
  EXPECT_THAT(file.tensor("empty").bytes, IsEmpty());
  EXPECT_THAT(numbers<uint8_t>(file.tensor("grüße")), ElementsAre(1));
  for (const auto& [name, view] : file.tensors())
    EXPECT_EQ(reinterpret_cast<uintptr_t>(view.bytes.data()) % 16, 0U) << name;
}

TEST(Safetensors, WritesLargeItemsFirstAndPadsTheHeader) {
  const TemporaryFolder folder;
  const std::array<uint8_t, 3> bytes = {1, 2, 3};
  const std::array<float, 1> floats = {1.0F};
  write_safetensors(folder / "file",
                    {{"a", {DType::kU8, {3}, std::as_bytes(std::span(bytes))}},
                     {"b", {DType::kF32, {}, std::as_bytes(std::span(floats))}}},
                    {{"k", "v"}});
  const std::string header = R"({"__metadata__":{"k":"v"},"b":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
                             R"("a":{"dtype":"U8","shape":[3],"data_offsets":[4,7]}})";
  EXPECT_EQ(header.size() % 8, 2U);
  EXPECT_EQ(read_file(folder / "file"), file_of(header + "      ", std::string_view("\0\0\x80\x3f\1\2\3", 7)));
}

TEST(Safetensors, WriteAndReadRoundTrip) {
  const TemporaryFolder folder;
  const std::array<int64_t, 2> longs = {-5, 6};
  const TensorViews tensors = {{"line\nbreak \"quoted\" é", {DType::kI64, {1, 2, 1}, std::as_bytes(std::span(longs))}},
                               {"", {DType::kBF16, {7, 0}, {}}}};
  write_safetensors(folder / "file", tensors, {{"", ""}, {"π", "\t"}});
  SafetensorsFile file = read_safetensors(folder / "file");
  const SafetensorsFile moved = std::move(file);
  EXPECT_EQ(moved.metadata(), (TensorMetadata{{"", ""}, {"π", "\t"}}));
  EXPECT_THAT(numbers<int64_t>(moved.tensor("line\nbreak \"quoted\" é")), ElementsAre(-5, 6));
  EXPECT_THAT(moved.tensor("").shape, ElementsAre(7, 0));

  write_safetensors(folder / "file", {}, {});
  EXPECT_THAT(read_safetensors(folder / "file").tensors(), IsEmpty());
  EXPECT_EQ(folder.count(), 1);
}

TEST(Safetensors, AlignsTensorsInMemory) {
  const SafetensorsFile file = parse(file_of(R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                                             R"("f":{"dtype":"F64","shape":[1],"data_offsets":[1,9]}})",
                                             std::string_view("\7\0\0\0\0\0\0\xf0\x3f", 9)));
  EXPECT_THAT(numbers<double>(file.tensor("f")), ElementsAre(1.0));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(file.tensor("f").bytes.data()) % 16, 0U);
}

TEST(Safetensors, RejectsWritingInvalidTensors) {
  const TemporaryFolder folder;
  const std::array<float, 2> floats = {};
  const auto bytes = std::as_bytes(std::span(floats));
  const auto write = [&](const std::string& name, const TensorView& view) {
    return error_of([&] { write_safetensors(folder / "file", {{name, view}}); });
  };
  EXPECT_THAT(write("a\nb", {DType::kF32, {3}, bytes}),
              HasSubstr(R"(file: wrong size of tensor "a\nb" of type F32 and shape [3]: 8 bytes)"));
  EXPECT_THAT(write("a", {DType::kF32, {-1, -2}, bytes}), HasSubstr("shape [-1, -2]"));
  EXPECT_THAT(write("a", {DType::kF32, {int64_t{1} << 62, 4}, {}}), HasSubstr(": 0 bytes"));
  EXPECT_THAT(write("__metadata__", {DType::kF32, {2}, bytes}), HasSubstr("reserved tensor name __metadata__"));
  EXPECT_THAT(write("\xff", {DType::kF32, {2}, bytes}), HasSubstr("not valid UTF-8"));
  EXPECT_THAT(error_of([&] { write_safetensors(folder.path() / "none" / "file", {}); }), HasSubstr("cannot write"));
  EXPECT_EQ(folder.count(), 0);
}

TEST(Safetensors, NamesMissingTensorsAndMetadata) {
  const SafetensorsFile file = parse(file_of("{}", ""));
  EXPECT_THAT(error_of([&] { file.tensor("w"); }), StartsWith("x.safetensors: missing tensor \"w\""));
  EXPECT_THAT(error_of([&] { file.metadata("k"); }), StartsWith("x.safetensors: missing metadata \"k\""));
}

TEST(Safetensors, RejectsFilesTruncatedAnywhere) {
  const std::string whole = read_file(FRGAN_SOURCE_DIR "/tests/io/golden/reference.safetensors");
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_THAT(error_of([&] { parse(std::string_view(whole).substr(0, size)); }), StartsWith("x.safetensors: "));
  EXPECT_THAT(error_of([&] { parse(whole + "x"); }), HasSubstr("80 bytes of data; expected 79"));
}

TEST(Safetensors, RejectsHostileHeaders) {
  const std::string data(8, '\0');
  EXPECT_THAT(error_of([] { parse("1234567"); }), HasSubstr("too small: 7 bytes; at least 8 are needed"));
  EXPECT_THAT(error_of([] { parse(std::string(8, '\xff')); }),
              HasSubstr("declares a header of 18446744073709551615 bytes"));
  EXPECT_THAT(safetensors_refusal("", ""), HasSubstr("does not begin with {"));
  EXPECT_THAT(safetensors_refusal("[]", ""), HasSubstr("does not begin with {"));
  EXPECT_THAT(safetensors_refusal(" {}", ""), HasSubstr("does not begin with {"));
  EXPECT_THAT(safetensors_refusal("{", ""), HasSubstr("not JSON, or truncated"));
  EXPECT_THAT(safetensors_refusal("{}}", ""), HasSubstr("not JSON, or truncated"));
  EXPECT_THAT(safetensors_refusal("{\"\xff\":{}}", ""), HasSubstr("not JSON, or truncated"));
  EXPECT_THAT(safetensors_refusal(R"({"a":1})", ""), HasSubstr(R"(the entry of tensor "a" is not an object)"));
  EXPECT_THAT(safetensors_refusal(R"({"a":{}})", ""), HasSubstr("has no dtype"));
  EXPECT_THAT(safetensors_refusal(R"({"a":{"dtype":"F8_E4M3"}})", ""),
              HasSubstr(R"(has unsupported dtype "F8_E4M3"; must be F64, F32)"));
  EXPECT_THAT(safetensors_refusal(R"({"a":{"dtype":"U8"}})", ""), HasSubstr("has no list 'shape'"));
  EXPECT_THAT(safetensors_refusal(R"({"a":{"dtype":"U8","shape":[8]}})", data),
              HasSubstr("has no list 'data_offsets'"));
  const auto with = [&](std::string_view shape, std::string_view offsets) {
    return safetensors_refusal(fmt::format(R"({{"a":{{"dtype":"U8","shape":{},"data_offsets":{}}}}})", shape, offsets),
                               data);
  };
  EXPECT_THAT(with("[-1]", "[0,8]"), HasSubstr("has invalid shape: \"[-1]\""));
  EXPECT_THAT(with("[8.0]", "[0,8]"), HasSubstr("has invalid shape"));
  EXPECT_THAT(with("[\"8\"]", "[0,8]"), HasSubstr("has invalid shape"));
  EXPECT_THAT(with("[18446744073709551615]", "[0,8]"), HasSubstr("has invalid shape"));
  EXPECT_THAT(with("[4294967296,4294967296,16]", "[0,0]"), HasSubstr("has 0 bytes"));
  EXPECT_THAT(with("[7]", "[0,8]"), HasSubstr("of type U8 and shape [7] has 8 bytes"));
  EXPECT_THAT(with("[8]", "[8,0]"), HasSubstr("has invalid data_offsets: [8, 0]"));
  EXPECT_THAT(with("[8]", "[0,8,8]"), HasSubstr("has invalid data_offsets"));
  EXPECT_THAT(with("[7]", "[1,8]"), HasSubstr("begins at byte 1 of the data; expected 0"));
  EXPECT_THAT(with("[7]", "[0,7]"), HasSubstr("8 bytes of data; expected 7"));
  EXPECT_THAT(with("[9]", "[0,9]"), HasSubstr("8 bytes of data; expected 9"));
  EXPECT_THAT(with("[[[8]]]", "[0,8]"), HasSubstr("has invalid shape"));
  EXPECT_THAT(with("[" + std::string(200, '1').replace(1, 199, std::string(99, ',') + "1") + "]", "[0,8]"),
              HasSubstr("not JSON"));
}

TEST(Safetensors, RejectsDeepAndLongHeaders) {
  std::string ones = "1";
  for (int i = 0; i < 64; ++i) ones += ",1";
  EXPECT_THAT(safetensors_refusal(R"({"a":{"dtype":"U8","shape":[)" + ones + R"(],"data_offsets":[0,1]}})", "x"),
              HasSubstr("more than 64 numbers"));
  EXPECT_THAT(safetensors_refusal("{\"a\":" + std::string(100'000, '['), ""),
              HasSubstr("nested more than 64 levels deep"));
}

// Quadratic time would take minutes.
TEST(Safetensors, ReadsManyTensors) {
  std::string header = "{";
  for (int i = 0; i < 50'000; ++i)
    header += fmt::format(R"("{}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}},)", i);
  header.back() = '}';
  EXPECT_EQ(parse(file_of(header, "")).tensors().size(), 50'000U);
}

TEST(Safetensors, WritesManyTensors) {
  const TemporaryFolder folder;
  TensorViews tensors;
  for (int i = 0; i < 10'000; ++i) tensors[fmt::format("{}", i)] = {DType::kF32, {0}, {}};
  write_safetensors(folder / "file", tensors);
  EXPECT_EQ(read_safetensors(folder / "file").tensors().size(), tensors.size());
}

TEST(Safetensors, RejectsDuplicateNamesAndOverlaps) {
  const std::string entry = R"({"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
  EXPECT_THAT(safetensors_refusal(R"({"a":)" + entry + R"(,"a":)" + entry + "}", "x"),
              HasSubstr("key \"a\" occurs twice"));
  EXPECT_THAT(safetensors_refusal(R"({"a":)" + entry + R"(,"b":)" + entry + "}", "x"),
              HasSubstr("tensor \"b\" begins at byte 0 of the data; expected 1"));
  EXPECT_THAT(safetensors_refusal(R"({"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "x"),
              HasSubstr("key \"dtype\" occurs twice"));
  // The same key in two tensors is allowed.
  EXPECT_EQ(parse(file_of(R"({"a":)" + entry + R"(,"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", "xy"))
                .tensors()
                .size(),
            2U);
}

TEST(Safetensors, RejectsInvalidMetadata) {
  EXPECT_THAT(safetensors_refusal(R"({"__metadata__":[]})", ""), HasSubstr("the metadata is not an object"));
  EXPECT_THAT(safetensors_refusal(R"({"__metadata__":{"a":1}})", ""), HasSubstr("metadata \"a\" is not a string"));
}

TEST(Safetensors, RejectsInvalidBooleans) {
  EXPECT_THAT(safetensors_refusal(R"({"a":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}})", "\1\2"),
              HasSubstr("bytes other than 0 and 1"));
}

TEST(Safetensors, ReportsAMissingFile) {
  EXPECT_THAT(error_of([] { read_safetensors("none.safetensors"); }),
              StartsWith("none.safetensors: cannot read: No such file or directory"));
}

}  // namespace
}  // namespace frgan
