// The loops of Winograd's convolution F(2x2, 3x3) (Lavin & Gray 2016) for one instruction set each. A 3x3 convolution
// of a 4x4 patch d to a 2x2 tile y is y = A^T [(G g G^T) o (B^T d B)] A: 16 products for 36. The products of all
// channels are 16 matrix products, one for each position p of the transformed tile.
#pragma once

#include <cstdint>

namespace frgan {

constexpr int kWinogradPositions = 16;           // of a transformed tile
constexpr int64_t kMostWinogradChannels = 4096;  // of input and output: outside of an image so many zeros are read

// A convolution's input and output as NHWC, cut into tiles of 2x2 outputs: tile t = (n * down + i) * across + j.
struct TileGrid {
  int64_t height, width, channels;  // of the images that are read or written
  int64_t down, across;             // tiles of an image
};

// Where transformed values lie: `panel` columns of a matrix row side by side in panels, so that a panel's rows are
// contiguous. Rows come in steps of `pair`: a bf16 product takes two at once. Element (row r, column c) of position p
// is at p * position + (c / panel) * panel_size + (r / pair) * panel * pair + (c % panel) * pair + r % pair.
struct PanelLayout {
  int64_t position, panel, panel_size;
};

// C (rows x columns) = A B, or += . Strides are in elements of their own matrix; a step of A and B is `pair` rows.
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

// What the output is turned into as it is written: y = leaky_relu(y + bias). Without: bias null, slope 1.
struct TileActivation {
  const float* bias;
  float slope;
};

struct WinogradKernels {
  int64_t lanes;    // channels of both sides must be a multiple
  int64_t panel;    // columns of a panel
  int64_t pair;     // rows of a step: 2 in bf16, 1 in fp32
  int64_t element;  // bytes of an element

  // B^T d B of the tiles first..first+count of x (NHWC), patches beginning `pad` above and left of their tile; the
  // images end in zeros. A row is a tile: out[p][t][c].
  void (*input_rows)(const void* x, const TileGrid& grid, int64_t pad, int64_t first, int64_t count, void* out,
                     int64_t position);
  // The same with tiles as the rows of panels. `count` is filled up with zeros to a multiple of `pair`.
  void (*input_panels)(const void* x, const TileGrid& grid, int64_t pad, int64_t first, int64_t count, void* out,
                       const PanelLayout& layout);
  // A dy A^T of the tiles of dy (NHWC), likewise.
  void (*gradient_panels)(const void* dy, const TileGrid& grid, int64_t first, int64_t count, void* out,
                          const PanelLayout& layout);
  // One of the 16 products; columns up to a panel.
  void (*multiply)(const PanelProduct& product);
  // A^T m A of m[p][t][panel] for `columns` channels from `channel` on, to y (NHWC).
  void (*output_tiles)(const float* m, int64_t position, const TileGrid& grid, int64_t first, int64_t count,
                       int64_t channel, int64_t columns, const TileActivation& activation, void* y);
  // G g G^T of g (outputs x 3 x 3 x inputs), to panels whose rows are inputs and whose columns are outputs, from
  // `first` to `last` output.
  void (*weight_panels)(const float* g, int64_t inputs, int64_t first, int64_t last, void* out,
                        const PanelLayout& layout);
  // The same of g turned by 180 degrees, with outputs as rows and inputs as columns: for the gradient of the input.
  void (*turned_weight_panels)(const float* g, int64_t inputs, int64_t first, int64_t last, void* out,
                               const PanelLayout& layout);
  // G^T u G of u[p][output][input], the gradient of the weights, for outputs first..last.
  void (*weight_gradient)(const float* u, int64_t outputs, int64_t inputs, int64_t first, int64_t last, float* g);
};

// Null where the processor cannot.
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
