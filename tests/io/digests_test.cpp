#include "frgan/io/digests.h"

#include <gmock/gmock.h>

#include "frgan/io/files.h"
#include "temporary_folder.h"

namespace frgan {
namespace {

using ::testing::HasSubstr;

// Test vectors of FIPS 180-2, appendix B, and the empty text.
TEST(Digests, Sha256MatchesPublishedVectors) {
  EXPECT_EQ(sha256(bytes_of("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256(bytes_of("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(bytes_of(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Digests, DoNotDependOnThePieces) {
  const std::string text(1000, 'x');
  for (const size_t piece : {1, 55, 56, 63, 64, 65, 999}) {
    Digest digest;
    digest.update(bytes_of(std::string_view(text).substr(0, piece)));
    digest.update(bytes_of(std::string_view(text).substr(piece)));
    EXPECT_EQ(digest.hex(), sha256(bytes_of(text))) << piece;
  }
}

TEST(Digests, FileDigestMatchesItsBytes) {
  const TemporaryFolder folder;
  const std::string text((size_t{1} << 20) + 7, 'x');  // more than one block
  write_file_safely(folder / "file", text);
  EXPECT_EQ(file_digest(folder / "file"), sha256(bytes_of(text)));
  EXPECT_THAT(error_of([&] { file_digest(folder / "none"); }), HasSubstr("cannot read"));
}

}  // namespace
}  // namespace frgan
