#include "frgan/tables/paper_layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace frgan {
namespace {

using testing::HasSubstr;

TEST(PaperLayers, MatchTable1) {
  const std::string text = markdown_of(layers_table(PaperNetworks()));
  EXPECT_THAT(text,
              HasSubstr("| SE block | squeeze-and-excitation, 128 to 8 to 128 | se_block2 | 128 × 8 × 8 | 2048 |"));
  EXPECT_THAT(text, HasSubstr("| 3×3 conv 256, lReLU, WN | 3x3 convolution to 256, stride 1, no padding"));
  EXPECT_THAT(text, HasSubstr("| Reshape 512×4×4 | reshape to 512x4x4 | reshape | 512 × 4 × 4 | 0 |"));
  EXPECT_THAT(text, HasSubstr("| – | total | – | – | 793684 |"));
  for (const TableSection& section : layers_table(PaperNetworks()).sections) {
    for (size_t i = 0; i + 1 < section.rows.size(); ++i) {
      EXPECT_NE(section.rows[i][0].text, "–") << "layer without a row in the paper: " << section.rows[i][1].text;
    }
  }
}

TEST(PaperLayers, DrawingsShowShapes) {
  const PaperNetworks networks;
  const std::string frame = frame_drawing(networks), block = squeeze_excitation_drawing(networks);
  for (const char* words : {"9 convolutions", "128 × 8 × 8", "10 logits", "100, U[−1, 1]", "3 × 32 × 32"}) {
    EXPECT_THAT(frame, HasSubstr(words));
  }
  for (const char* words : {"128 × 8 × 8", "128 → 8", "8 → 128", "2048 parameters"})
    EXPECT_THAT(block, HasSubstr(words));
}

}  // namespace
}  // namespace frgan
