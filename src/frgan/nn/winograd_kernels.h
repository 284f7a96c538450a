// Kernels of Winograd's convolution F(2x2, 3x3) (Lavin & Gray 2016), one set for each instruction set. The 3x3
// convolution of a 4x4 patch d with weights g to a 2x2 tile y is y = A^T [(G g G^T) o (B^T d B)] A. It needs 16
// multiplications instead of 36. Over all channels, these are 16 matrix products, one for each position p of the
// transformed tile.
#pragma once

#include <cstdint>

namespace frgan {

constexpr int kWinogradPositions = 16;          // positions of a transformed tile
constexpr int64_t kMaxWinogradChannels = 4096;  // of input and output; the length of the zeros read outside an image

// The NHWC input or output of a convolution, divided into tiles of 2x2 outputs. The tile in row i and column j of image
// n has index t = (n * down + i) * across + j.
struct TileGrid {
  int64_t height, width, channels;  // of the images read or written
  int64_t down, across;             // rows and columns of tiles in an image
};

// Memory layout of transformed values. The columns of a matrix are divided into panels of `panel` columns, whose rows
// are contiguous. Rows are grouped into steps of `pair` rows, because a bf16 product processes two at once. The offset
// of element (row r, column c) of position p is p * position + (c / panel) * panel_size + (r / pair) * panel * pair +
// (c % panel) * pair + r % pair.
struct PanelLayout {
  int64_t position, panel, panel_size;
};

// C (rows x columns) = A B, or C += A B with `accumulate`. Strides are in elements of the respective matrix. A step
// covers `pair` rows of B and columns of A.
struct PanelProduct {
  int64_t rows, columns, steps;
  const void* a;
  int64_t a_row, a_step;
  const void* b;
  int64_t b_step;
  float* c;
  int64_t c_row;
  bool accumulate;
};

// Activation applied when the output is written: y = leaky_relu(y + bias). For none, bias is null and slope is 1.
struct TileActivation {
  const float* bias;
  float slope;
};

struct WinogradKernels {
  int64_t lanes;    // input and output channels must be multiples of this
  int64_t panel;    // columns per panel
  int64_t pair;     // rows per step: 2 in bf16, 1 in fp32
  int64_t element;  // bytes per element

  // B^T d B of the tiles first..first+count of x (NHWC). A patch starts `pad` pixels above and left of its tile; pixels
  // outside the image are 0. The result is out[p][t][c]; `position` is the stride of p.
  void (*input_rows)(const void* x, const TileGrid& grid, int64_t pad, int64_t first, int64_t count, void* out,
                     int64_t position);
  // The same, written to panels whose rows are tiles. `count` is padded with zeros to a multiple of `pair`.
  void (*input_panels)(const void* x, const TileGrid& grid, int64_t pad, int64_t first, int64_t count, void* out,
                       const PanelLayout& layout);
  // A dy A^T of the tiles of dy (NHWC), in the same layout.
  void (*gradient_panels)(const void* dy, const TileGrid& grid, int64_t first, int64_t count, void* out,
                          const PanelLayout& layout);
  // One of the 16 matrix products, with at most `panel` columns.
  void (*multiply)(const PanelProduct& product);
  // A^T m A of m[p][t][panel] for `columns` channels from `channel` on, with the activation, written to y (NHWC).
  void (*output_tiles)(const float* m, int64_t position, const TileGrid& grid, int64_t first, int64_t count,
                       int64_t channel, int64_t columns, const TileActivation& activation, void* y);
  // G g G^T of g (outputs x 3 x 3 x inputs) for outputs first..last, written to panels whose rows are inputs and whose
  // columns are outputs.
  void (*weight_panels)(const float* g, int64_t inputs, int64_t first, int64_t last, void* out,
                        const PanelLayout& layout);
  // The same for g rotated by 180 degrees, with outputs as rows and inputs as columns, for the input gradient.
  void (*rotated_weight_panels)(const float* g, int64_t inputs, int64_t first, int64_t last, void* out,
                                const PanelLayout& layout);
  // G^T u G of u[p][output][input], which is the weight gradient, for outputs first..last.
  void (*weight_gradient)(const float* u, int64_t outputs, int64_t inputs, int64_t first, int64_t last, float* g);
};

// The kernels for this CPU; null if it lacks the instructions or LibTorch is faster.
const WinogradKernels* winograd_kernels_bf16();
const WinogradKernels* winograd_kernels_fp32();

namespace winograd_avx512_bf16 {
extern const WinogradKernels kKernels;
}
namespace winograd_avx512 {
extern const WinogradKernels kKernels;
}
namespace winograd_avx2 {
extern const WinogradKernels kKernels;
}

}  // namespace frgan
