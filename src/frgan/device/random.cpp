#include "frgan/device/random.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>
#include <utility>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/record_function.h>

#include "frgan/core/vectorised.h"
#include "frgan/device/normal.h"
#include "frgan/device/philox.h"

namespace frgan {
namespace {

// Numbers are drawn in tiles. A tile depends only on (key, tile), so any thread can draw any tile. Word i + 256 w of a
// tile is word w of its Philox block i. This order needs no shuffles in vector registers.
constexpr int64_t kTileBlocks = 256;
constexpr int64_t kTileWords = 4 * kTileBlocks;
constexpr int64_t kHalf = kTileWords / 2;
using TileWords = std::array<uint32_t, kTileWords>;

FRGAN_VECTORISED void draw_words(uint64_t key, uint64_t tile, uint32_t* words) {
  alignas(64) uint32_t rows[4][kTileBlocks];
  for (uint64_t i = 0; i < kTileBlocks; ++i) {
    const PhiloxBlock block = philox(key, tile * kTileBlocks + i);
    rows[0][i] = block.words[0];
    rows[1][i] = block.words[1];
    rows[2][i] = block.words[2];
    rows[3][i] = block.words[3];
  }
  std::memcpy(words, rows, sizeof(rows));
}

// [0, 1) in steps of 2^-24. The word becomes signed because every instruction set converts signed integers.
inline float unit_float(uint32_t word) {
  return static_cast<float>(static_cast<int32_t>(word >> 8)) * 0x1p-24F;
}
// [0, 1) in steps of 2^-53.
inline double unit_double(uint32_t high, uint32_t low) {
  return (static_cast<double>(static_cast<int32_t>(high >> 5)) * 0x1p26 + static_cast<int32_t>(low >> 6)) * 0x1p-53;
}
inline uint64_t join(uint32_t high, uint32_t low) {
  return uint64_t{high} << 32 | low;
}
// 0 to range - 1 from 64 random bits. The probabilities differ by less than range / 2^64.
inline uint64_t below(uint64_t range, uint64_t bits) {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(bits) * range) >> 64);
}

FRGAN_VECTORISED void uniform_tile(const uint32_t* words, float low, float width, float* to) {
  for (int64_t i = 0; i < kTileWords; ++i) to[i] = low + width * unit_float(words[i]);
}
FRGAN_VECTORISED void uniform_tile(const uint32_t* words, double low, double width, double* to) {
  for (int64_t i = 0; i < kHalf; ++i) to[i] = low + width * unit_double(words[i], words[i + kHalf]);
}

FRGAN_VECTORISED void normal_tile(const uint32_t* words, float* to) {
  for (int64_t i = 0; i < kHalf; ++i) {
    const float unit =
        (static_cast<float>(words[i]) + 1) * 0x1p-32F;  // (0, 1]; steps are fine near 0, which gives the tail
    normal_pair(unit, unit_float(words[i + kHalf]), to + i, to + i + kHalf);
  }
}
FRGAN_VECTORISED void normal_tile(const uint32_t* words, double* to) {
  constexpr int64_t kQuarter = kHalf / 2;
  for (int64_t i = 0; i < kQuarter; ++i) {
    const double unit = 1 - unit_double(words[i], words[i + kHalf]);
    const double turn = unit_double(words[i + kQuarter], words[i + kHalf + kQuarter]);
    normal_pair(unit, turn, to + i, to + i + kQuarter);
  }
}

// How many numbers of type T one tile yields.
template <class T>
constexpr int64_t kTileNumbers = sizeof(T) == sizeof(uint32_t) ? kTileWords : kHalf;

// Fills `out` tile by tile. `convert(words, to)` turns the random words of one tile into numbers.
template <class T, class Convert>
void fill(const at::Tensor& out, uint64_t key, Convert convert) {
  RECORD_FUNCTION("frgan::random", c10::ArrayRef<const c10::IValue>{});
  constexpr int64_t kNumbers = kTileNumbers<T>;
  constexpr int64_t kGrain = 16;
  T* const data = out.data_ptr<T>();
  const int64_t count = out.numel();
  at::parallel_for(0, (count + kNumbers - 1) / kNumbers, kGrain, [&](int64_t begin, int64_t end) {
    TileWords words;
    std::array<T, kNumbers> last;
    for (int64_t tile = begin; tile < end; ++tile) {
      draw_words(key, static_cast<uint64_t>(tile), words.data());
      const int64_t first = tile * kNumbers;
      if (count - first >= kNumbers) {
        convert(words.data(), data + first);
      } else {
        convert(words.data(), last.data());
        std::copy_n(last.data(), count - first, data + first);
      }
    }
  });
}

// splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): one step.
uint64_t splitmix64(uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

}  // namespace

at::Generator seeded_generator(at::Device device, uint64_t key) {
  at::Generator generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_current_seed(key);
  return generator;
}

uint64_t random_key(uint64_t seed, Stream stream, uint64_t step, uint64_t part) {
  uint64_t key = splitmix64(seed);
  for (const uint64_t word : {static_cast<uint64_t>(stream), step, part}) key = splitmix64(key ^ word);
  return key;
}

uint64_t random_bits(uint64_t key, uint64_t position) {
  const PhiloxBlock block = philox(key, position / 2);
  const uint64_t word = position % 2 * 2;
  return join(block.words[word], block.words[word + 1]);
}

uint64_t random_below(uint64_t range, uint64_t key, uint64_t position) {
  return below(range, random_bits(key, position));
}

at::Tensor random_uniform(at::IntArrayRef shape, double low, double high, uint64_t key, at::TensorOptions options) {
  const at::Tensor out = at::empty(shape, options);
  if (out.is_meta()) return out;
  if (!out.is_cpu()) return out.uniform_(low, high, seeded_generator(out.device(), key));
  if (out.scalar_type() == at::kDouble) {
    fill<double>(out, key, [=](const uint32_t* words, double* to) { uniform_tile(words, low, high - low, to); });
  } else {
    const auto start = static_cast<float>(low), width = static_cast<float>(high - low);
    fill<float>(out, key, [=](const uint32_t* words, float* to) { uniform_tile(words, start, width, to); });
  }
  return out;
}

at::Tensor random_normal(at::IntArrayRef shape, uint64_t key, at::TensorOptions options) {
  const at::Tensor out = at::empty(shape, options);
  if (out.is_meta()) return out;
  if (!out.is_cpu()) return out.normal_(0, 1, seeded_generator(out.device(), key));
  if (out.scalar_type() == at::kDouble) {
    fill<double>(out, key, [](const uint32_t* words, double* to) { normal_tile(words, to); });
  } else {
    fill<float>(out, key, [](const uint32_t* words, float* to) { normal_tile(words, to); });
  }
  return out;
}

at::Tensor random_noise(const NoiseRequest& request, uint64_t key, at::TensorOptions options) {
  const std::array<int64_t, 2> shape{request.count, request.size};
  if (request.kind == NoiseKind::kNormal) return random_normal(shape, key, options);
  return random_uniform(shape, request.kind == NoiseKind::kUnit ? 0 : -1, 1, key, options);
}

at::Tensor random_integers(at::IntArrayRef shape, int64_t low, int64_t high, uint64_t key, at::Device device) {
  TORCH_CHECK(low < high, "random_integers: empty range from ", low, " to below ", high);
  const at::Tensor out = at::empty(shape, at::TensorOptions(at::kLong).device(device));
  if (out.is_meta()) return out;
  if (!out.is_cpu()) return out.random_(low, high, seeded_generator(out.device(), key));
  const uint64_t range = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  fill<int64_t>(out, key, [=](const uint32_t* words, int64_t* to) {
    for (int64_t i = 0; i < kHalf; ++i) {
      to[i] = static_cast<int64_t>(static_cast<uint64_t>(low) + below(range, join(words[i], words[i + kHalf])));
    }
  });
  return out;
}

at::Tensor random_permutation(int64_t count, uint64_t key) {
  const at::Tensor out = at::arange(count, at::kLong);
  int64_t* const rows = out.data_ptr<int64_t>();
  for (int64_t i = count - 1; i > 0; --i) {
    const uint64_t range = static_cast<uint64_t>(i) + 1;
    std::swap(rows[i], rows[random_below(range, key, static_cast<uint64_t>(i))]);
  }
  return out;
}

}  // namespace frgan
