// The loops behind nn/winograd_kernels.h for an instruction set `Isa`. Each winograd_avx*.cpp includes this file in its
// own namespace, compiled with its own flags. This file must not use inline functions from other headers: the linker
// keeps only one copy of each, which could be the one compiled for AVX-512.
#pragma once

#include <cstdint>

#include "frgan/nn/winograd_kernels.h"

// This file is the body of three sources, so definitions are intended. Its small products fit into an int.
// NOLINTBEGIN(misc-definitions-in-headers,bugprone-implicit-widening-of-multiplication-result)
namespace {

constexpr int kSide = 4, kPositions = kWinogradPositions;
constexpr int64_t kPanel = int64_t{Isa::kLanes} * Isa::kVectors;
alignas(64) const Isa::Element kZeros[kMaxWinogradChannels] = {};

using Vector = Isa::Vector;
using Element = Isa::Element;

struct Tile {
  int64_t image, row, column;  // position of the tile's first output
};
Tile tile_at(const TileGrid& grid, int64_t t) {
  const int64_t line = t / grid.across;
  return {line / grid.down, line % grid.down * 2, t % grid.across * 2};
}

// The addresses of a square of kPixels x kPixels pixels. Pixels outside the image point to zeros.
template <int kPixels>
void pixels_of(const Element* x, const TileGrid& grid, const Tile& tile, int64_t pad,
               const Element* (&pixels)[kPixels * kPixels]) {
  for (int i = 0; i < kPixels; ++i) {
    const int64_t row = tile.row - pad + i;
    for (int j = 0; j < kPixels; ++j) {
      const int64_t column = tile.column - pad + j;
      const bool inside = row >= 0 && row < grid.height && column >= 0 && column < grid.width;
      pixels[i * kPixels + j] =
          inside ? x + ((tile.image * grid.height + row) * grid.width + column) * grid.channels : kZeros;
    }
  }
}

// One column of B^T d.
inline __attribute__((always_inline)) void input_column(const Vector (&d)[kSide], Vector (&v)[kSide]) {
  v[0] = d[0] - d[2];
  v[1] = d[1] + d[2];
  v[2] = d[2] - d[1];
  v[3] = d[1] - d[3];
}

// B^T d B at channel c.
inline __attribute__((always_inline)) void input_tile(const Element* const (&pixels)[kPositions], int64_t c,
                                                      Vector (&v)[kPositions]) {
  Vector down[kSide][kSide];
#pragma GCC unroll 4
  for (int j = 0; j < kSide; ++j) {
    const Vector d[kSide] = {Isa::load(pixels[j] + c), Isa::load(pixels[4 + j] + c), Isa::load(pixels[8 + j] + c),
                             Isa::load(pixels[12 + j] + c)};
    Vector column[kSide];
    input_column(d, column);
#pragma GCC unroll 4
    for (int i = 0; i < kSide; ++i) down[i][j] = column[i];
  }
#pragma GCC unroll 4
  for (int i = 0; i < kSide; ++i) {
    Vector row[kSide];
    input_column(down[i], row);
#pragma GCC unroll 4
    for (int j = 0; j < kSide; ++j) v[i * kSide + j] = row[j];
  }
}

// A dy A^T at channel c.
inline __attribute__((always_inline)) void gradient_tile(const Element* const (&pixels)[4], int64_t c,
                                                         Vector (&z)[kPositions]) {
  const Vector y00 = Isa::load(pixels[0] + c), y01 = Isa::load(pixels[1] + c), y10 = Isa::load(pixels[2] + c),
               y11 = Isa::load(pixels[3] + c);
  const Vector left[kSide] = {y00, y00 + y10, y00 - y10, -y10}, right[kSide] = {y01, y01 + y11, y01 - y11, -y11};
#pragma GCC unroll 4
  for (int i = 0; i < kSide; ++i) {
    z[i * kSide] = left[i];
    z[i * kSide + 1] = left[i] + right[i];
    z[i * kSide + 2] = left[i] - right[i];
    z[i * kSide + 3] = -right[i];
  }
}

void input_rows(const void* x, const TileGrid& grid, int64_t pad, int64_t first, int64_t count, void* out,
                int64_t position) {
  const Element* pixels[kPositions];
  Vector v[kPositions];
  for (int64_t t = 0; t < count; ++t) {
    pixels_of<kSide>(static_cast<const Element*>(x), grid, tile_at(grid, first + t), pad, pixels);
    Element* to = static_cast<Element*>(out) + t * grid.channels;
    for (int64_t c = 0; c < grid.channels; c += Isa::kLanes) {
      input_tile(pixels, c, v);
#pragma GCC unroll 16
      for (int p = 0; p < kPositions; ++p) Isa::store(to + p * position + c, v[p]);
    }
  }
}

// Writes tiles as rows of panels. `transform(pixels, c, v)` transforms kPixels x kPixels pixels at channel c. The tiles
// of one step are processed together.
template <int kPixels, class Transform>
inline __attribute__((always_inline)) void tile_panels(const Element* x, const TileGrid& grid, int64_t pad,
                                                       int64_t first, int64_t count, Element* out,
                                                       const PanelLayout& layout, const Transform& transform) {
  const Element* pixels[Isa::kPair][kPixels * kPixels];
  Vector v[Isa::kPair][kPositions];
  for (int64_t step = 0; step * Isa::kPair < count; ++step) {
    for (int i = 0; i < Isa::kPair; ++i) {
      const int64_t t = step * Isa::kPair + i;
      if (t < count) {
        pixels_of<kPixels>(x, grid, tile_at(grid, first + t), pad, pixels[i]);
      } else {
        for (const Element*& pixel : pixels[i]) pixel = kZeros;
      }
    }
    for (int64_t first_channel = 0; first_channel < grid.channels; first_channel += layout.panel) {
      Element* to = out + first_channel / layout.panel * layout.panel_size + step * layout.panel * Isa::kPair;
      const int64_t last = first_channel + layout.panel < grid.channels ? first_channel + layout.panel : grid.channels;
      for (int64_t c = first_channel; c < last; c += Isa::kLanes) {
        for (int i = 0; i < Isa::kPair; ++i) transform(pixels[i], c, v[i]);
#pragma GCC unroll 16
        for (int p = 0; p < kPositions; ++p) Isa::store_step(to + p * layout.position, v[0][p], v[Isa::kPair - 1][p]);
        to += Isa::kLanes * Isa::kPair;
      }
    }
  }
}

void input_panels(const void* x, const TileGrid& grid, int64_t pad, int64_t first, int64_t count, void* out,
                  const PanelLayout& layout) {
  tile_panels<kSide>(
      static_cast<const Element*>(x), grid, pad, first, count, static_cast<Element*>(out), layout,
      [](const auto& pixels, int64_t c, auto& v) __attribute__((always_inline)) { input_tile(pixels, c, v); });
}

void gradient_panels(const void* dy, const TileGrid& grid, int64_t first, int64_t count, void* out,
                     const PanelLayout& layout) {
  tile_panels<2>(
      static_cast<const Element*>(dy), grid, 0, first, count, static_cast<Element*>(out), layout,
      [](const auto& pixels, int64_t c, auto& v) __attribute__((always_inline)) { gradient_tile(pixels, c, v); });
}

// Computes a block of C of kRows x kVectors vector registers.
template <int kRows, int kVectors>
void multiply_block(const PanelProduct& m, const Element* a, float* c) {
  Vector sum[kRows][kVectors];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      sum[r][v] = m.accumulate ? Isa::load_float(c + r * m.c_row + v * Isa::kLanes) : Vector{};
    }
  }
  const Element* b = static_cast<const Element*>(m.b);
  for (int64_t step = 0; step < m.steps; ++step) {
    Isa::Operand row[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) row[v] = Isa::operand(b + v * Isa::kLanes * Isa::kPair);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Isa::Operand left = Isa::broadcast(a + r * m.a_row);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[r][v] = Isa::multiply_add(sum[r][v], left, row[v]);
    }
    a += m.a_step;
    b += m.b_step;
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) Isa::store_float(c + r * m.c_row + v * Isa::kLanes, sum[r][v]);
  }
}

template <int kVectors>
void multiply_columns(const PanelProduct& m) {
  const Element* a = static_cast<const Element*>(m.a);
  float* c = m.c;
  int64_t row = 0;
  for (; row + Isa::kRows <= m.rows; row += Isa::kRows) {
    multiply_block<Isa::kRows, kVectors>(m, a, c);
    a += Isa::kRows * m.a_row;
    c += Isa::kRows * m.c_row;
  }
  switch (m.rows - row) {
    case 1:
      return multiply_block<1, kVectors>(m, a, c);
    case 2:
      return multiply_block<2, kVectors>(m, a, c);
    case 3:
      return multiply_block<3, kVectors>(m, a, c);
    case 4:
      return multiply_block<4, kVectors>(m, a, c);
    case 5:
      return multiply_block<5, kVectors>(m, a, c);
    default:
      return;
  }
}

void multiply(const PanelProduct& m) {
  static_assert(Isa::kRows == 6 && (Isa::kVectors == 4 || Isa::kVectors == 2));
  switch (m.columns / Isa::kLanes) {
    case 1:
      return multiply_columns<1>(m);
    case 2:
      return multiply_columns<2>(m);
    case 3:
      return multiply_columns < Isa::kVectors == 4 ? 3 : 1 > (m);
    default:
      return multiply_columns<Isa::kVectors>(m);
  }
}

void output_tiles(const float* m, int64_t position, const TileGrid& grid, int64_t first, int64_t count, int64_t channel,
                  int64_t columns, const TileActivation& activation, void* y) {
  Element* const images = static_cast<Element*>(y);
  for (int64_t t = 0; t < count; ++t) {
    const Tile tile = tile_at(grid, first + t);
    Element* const to =
        images + ((tile.image * grid.height + tile.row) * grid.width + tile.column) * grid.channels + channel;
    const bool right = tile.column + 1 < grid.width, below = tile.row + 1 < grid.height;
    for (int64_t c = 0; c < columns; c += Isa::kLanes) {
      const float* const from = m + t * kPanel + c;
      Vector upper[kSide], lower[kSide];
#pragma GCC unroll 4
      for (int j = 0; j < kSide; ++j) {
        const Vector m0 = Isa::load_float(from + j * position), m1 = Isa::load_float(from + (4 + j) * position),
                     m2 = Isa::load_float(from + (8 + j) * position), m3 = Isa::load_float(from + (12 + j) * position);
        upper[j] = m0 + m1 + m2;
        lower[j] = m1 - m2 - m3;
      }
      Vector out[4] = {upper[0] + upper[1] + upper[2], upper[1] - upper[2] - upper[3], lower[0] + lower[1] + lower[2],
                       lower[1] - lower[2] - lower[3]};
      if (activation.bias != nullptr) {
        const Vector bias = Isa::load_float(activation.bias + channel + c);
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
          out[i] = out[i] + bias;
          out[i] = Isa::max(out[i], out[i] * activation.slope);  // leaky ReLU, because slope <= 1
        }
      }
      Isa::store(to + c, out[0]);
      if (right) Isa::store(to + grid.channels + c, out[1]);
      if (below) Isa::store(to + grid.width * grid.channels + c, out[2]);
      if (right && below) Isa::store(to + (grid.width + 1) * grid.channels + c, out[3]);
    }
  }
}

// G g G^T of the 3x3 weights whose tap (i, j) is at g + i * row + j * column.
inline __attribute__((always_inline)) void weight_tile(const float* g, int64_t row, int64_t column,
                                                       Vector (&u)[kPositions]) {
  Vector down[kSide][3];
#pragma GCC unroll 3
  for (int j = 0; j < 3; ++j) {
    const Vector g0 = Isa::load_float(g + j * column), g1 = Isa::load_float(g + row + j * column),
                 g2 = Isa::load_float(g + 2 * row + j * column);
    const Vector outer = (g0 + g2) * 0.5F, inner = g1 * 0.5F;
    down[0][j] = g0;
    down[1][j] = outer + inner;
    down[2][j] = outer - inner;
    down[3][j] = g2;
  }
#pragma GCC unroll 4
  for (int i = 0; i < kSide; ++i) {
    const Vector outer = (down[i][0] + down[i][2]) * 0.5F, inner = down[i][1] * 0.5F;
    u[i * kSide] = down[i][0];
    u[i * kSide + 1] = outer + inner;
    u[i * kSide + 2] = outer - inner;
    u[i * kSide + 3] = down[i][2];
  }
}

void weight_panels(const float* g, int64_t inputs, int64_t first, int64_t last, void* out, const PanelLayout& layout) {
  alignas(64) float lanes[Isa::kLanes];
  Vector u[kPositions];
  for (int64_t o = first; o < last; ++o) {
    for (int64_t i = 0; i < inputs; i += Isa::kLanes) {
      weight_tile(g + o * 9 * inputs + i, 3 * inputs, inputs, u);
      Element* const to = static_cast<Element*>(out) + o / layout.panel * layout.panel_size +
                          (i / Isa::kPair * layout.panel + o % layout.panel) * Isa::kPair;
      for (int p = 0; p < kPositions; ++p) {
        Isa::store_float(lanes, u[p]);
        for (int64_t k = 0; k < Isa::kLanes; ++k) {
          to[p * layout.position + k / Isa::kPair * layout.panel * Isa::kPair + k % Isa::kPair] =
              Isa::element(lanes[k]);
        }
      }
    }
  }
}

void rotated_weight_panels(const float* g, int64_t inputs, int64_t first, int64_t last, void* out,
                           const PanelLayout& layout) {
  Vector u[Isa::kPair][kPositions];
  for (int64_t o = first; o < last; o += Isa::kPair) {
    for (int64_t i = 0; i < inputs; i += Isa::kLanes) {
      for (int k = 0; k < Isa::kPair; ++k) {
        weight_tile(g + ((o + k) * 9 + 8) * inputs + i, -3 * inputs, -inputs, u[k]);
      }
      Element* const to = static_cast<Element*>(out) + i / layout.panel * layout.panel_size +
                          (o / Isa::kPair * layout.panel + i % layout.panel) * Isa::kPair;
#pragma GCC unroll 16
      for (int p = 0; p < kPositions; ++p) Isa::store_step(to + p * layout.position, u[0][p], u[Isa::kPair - 1][p]);
    }
  }
}

void weight_gradient(const float* u, int64_t outputs, int64_t inputs, int64_t first, int64_t last, float* g) {
  const int64_t position = outputs * inputs;
  for (int64_t o = first; o < last; ++o) {
    for (int64_t i = 0; i < inputs; i += Isa::kLanes) {
      const float* const from = u + o * inputs + i;
      Vector down[3][kSide];
#pragma GCC unroll 4
      for (int j = 0; j < kSide; ++j) {
        const Vector u0 = Isa::load_float(from + j * position), u1 = Isa::load_float(from + (4 + j) * position),
                     u2 = Isa::load_float(from + (8 + j) * position), u3 = Isa::load_float(from + (12 + j) * position);
        const Vector sum = (u1 + u2) * 0.5F;
        down[0][j] = u0 + sum;
        down[1][j] = (u1 - u2) * 0.5F;
        down[2][j] = sum + u3;
      }
      float* const to = g + o * 9 * inputs + i;
#pragma GCC unroll 3
      for (int r = 0; r < 3; ++r) {
        const Vector sum = (down[r][1] + down[r][2]) * 0.5F;
        Isa::store_float(to + 3 * r * inputs, down[r][0] + sum);
        Isa::store_float(to + (3 * r + 1) * inputs, (down[r][1] - down[r][2]) * 0.5F);
        Isa::store_float(to + (3 * r + 2) * inputs, sum + down[r][3]);
      }
    }
  }
}

}  // namespace

extern const WinogradKernels kKernels = {
    Isa::kLanes, kPanel,       Isa::kPair,    sizeof(Isa::Element),  input_rows,      input_panels, gradient_panels,
    multiply,    output_tiles, weight_panels, rotated_weight_panels, weight_gradient,
};
// NOLINTEND(misc-definitions-in-headers,bugprone-implicit-widening-of-multiplication-result)
