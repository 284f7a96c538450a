// Winograd kernels for AVX-512 BF16: inputs and outputs in bfloat16, sums in float.
#include <cstdint>

#include <immintrin.h>

#include "frgan/nn/winograd_kernels.h"

namespace frgan::winograd_avx512_bf16 {
namespace {

struct Isa {
  using Element = uint16_t;
  using Vector = __m512;
  using Operand = __m512bh;
  static constexpr int kLanes = 16, kVectors = 4, kRows = 6, kPair = 2;

  static Vector load(const Element* p) {
    const __m512i bits = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    return _mm512_castsi512_ps(_mm512_slli_epi32(bits, 16));
  }
  static void store(Element* p, Vector v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), (__m256i)_mm512_cvtneps_pbh(v));
  }
  // Interleaves two rows: first[0] second[0] first[1] ...
  static void store_step(Element* p, Vector first, Vector second) {
    const __m512i both = (__m512i)_mm512_cvtne2ps_pbh(second, first);
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                                           21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    _mm512_storeu_si512(p, _mm512_permutexvar_epi16(order, both));
  }
  static Vector load_float(const float* p) { return _mm512_loadu_ps(p); }
  static void store_float(float* p, Vector v) { _mm512_storeu_ps(p, v); }
  static Vector max(Vector a, Vector b) { return _mm512_max_ps(a, b); }
  static Operand operand(const Element* p) { return (__m512bh)_mm512_loadu_si512(p); }
  static Operand broadcast(const Element* p) {
    return (__m512bh)_mm512_set1_epi32(*reinterpret_cast<const int32_t __attribute__((may_alias, aligned(2)))*>(p));
  }
  static Vector multiply_add(Vector sum, Operand a, Operand b) { return _mm512_dpbf16_ps(sum, a, b); }
  static Element element(float value) {
    const __m128bh rounded = _mm_cvtneps_pbh(_mm_set_ss(value));
    return static_cast<Element>(_mm_extract_epi16((__m128i)rounded, 0));
  }
};

}  // namespace
#include "frgan/nn/winograd_loops.h"
}  // namespace frgan::winograd_avx512_bf16
