// Normal numbers from uniform ones (Box-Muller transform), with a logarithm, a sine and a cosine of our own: those of
// the standard library differ between libraries and devices. Only additions, products, quotients and square roots,
// which IEEE 754 defines exactly. Compile without contraction to fused multiply-add (-ffp-contract=off). Inline and
// free of branches, so that compilers vectorize loops.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <numbers>

namespace frgan {

// Numbers of terms of the series below: what they leave out is below half a unit in the last place.
template <class T>
struct SeriesTerms;
template <>
struct SeriesTerms<float> {
  using Bits = int32_t;
  static constexpr int kMantissa = 23, kLog = 6, kSine = 5;
};
template <>
struct SeriesTerms<double> {
  using Bits = int64_t;
  static constexpr int kMantissa = 52, kLog = 12, kSine = 10;
};

// log(x) for a normal number x > 0. With x = 2^e m, m from sqrt(1/2) to sqrt(2), and s = (m - 1) / (m + 1):
// log(x) = e log(2) + 2 (s + s^3 / 3 + s^5 / 5 + ...).
template <class T>
inline T natural_log(T x) {
  using Terms = SeriesTerms<T>;
  using Bits = typename Terms::Bits;
  Bits bits;
  std::memcpy(&bits, &x, sizeof(x));
  const T root_half = T{0.5} * std::numbers::sqrt2_v<T>;
  Bits low;
  std::memcpy(&low, &root_half, sizeof(low));
  const Bits exponent = (bits - low) >> Terms::kMantissa;
  bits -= exponent * (Bits{1} << Terms::kMantissa);
  T m;
  std::memcpy(&m, &bits, sizeof(m));
  const T s = (m - 1) / (m + 1), square = s * s;
  T series = T{1} / (2 * Terms::kLog - 1);
  for (int k = Terms::kLog - 2; k > 0; --k) series = series * square + T{1} / static_cast<T>(2 * k + 1);
  return static_cast<T>(exponent) * std::numbers::ln2_v<T> + (2 * s + 2 * s * square * series);
}

// Sine and cosine of `turn` full turns, 0 <= turn < 1. The turn is reduced to an eighth exactly; then Taylor's series.
template <class T>
inline void sine_cosine(T turn, T* sine, T* cosine) {
  const auto quarter = static_cast<int32_t>(4 * turn + T{0.5});  // 0 to 4
  const T x = (turn - static_cast<T>(quarter) * T{0.25}) * (2 * std::numbers::pi_v<T>);
  const T square = x * x;
  T s = 1, c = 1;
  for (int k = SeriesTerms<T>::kSine; k > 0; --k) {
    s = 1 - s * square * (T{1} / static_cast<T>(2 * k * (2 * k + 1)));
    c = 1 - c * square * (T{1} / static_cast<T>((2 * k - 1) * 2 * k));
  }
  s *= x;
  const bool is_odd = (quarter & 1) != 0;
  const T along = is_odd ? c : s, across = is_odd ? s : c;
  *sine = (quarter & 2) != 0 ? -along : along;
  *cosine = ((quarter + 1) & 2) != 0 ? -across : across;
}

// Two independent normal numbers from two uniform ones: `unit` in (0, 1], `turn` in [0, 1).
template <class T>
inline void normal_pair(T unit, T turn, T* first, T* second) {
  const T radius = std::sqrt(T{-2} * natural_log(unit));
  T sine, cosine;
  sine_cosine(turn, &sine, &cosine);
  *first = radius * cosine;
  *second = radius * sine;
}

}  // namespace frgan
