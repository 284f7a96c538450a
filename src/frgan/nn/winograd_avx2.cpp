// Winograd kernels for AVX2, in float.
#include <cstdint>

#include <immintrin.h>

#include "frgan/nn/winograd_kernels.h"

namespace frgan::winograd_avx2 {
namespace {

struct Isa {
  using Element = float;
  using Vector = __m256;
  using Operand = __m256;
  static constexpr int kLanes = 8, kVectors = 2, kRows = 6, kPair = 1;

  static Vector load(const Element* p) { return _mm256_loadu_ps(p); }
  static void store(Element* p, Vector v) { _mm256_storeu_ps(p, v); }
  static void store_step(Element* p, Vector row, Vector /*unused: kPair is 1*/) { _mm256_storeu_ps(p, row); }
  static Vector load_float(const float* p) { return _mm256_loadu_ps(p); }
  static void store_float(float* p, Vector v) { _mm256_storeu_ps(p, v); }
  static Vector max(Vector a, Vector b) { return _mm256_max_ps(a, b); }
  static Operand operand(const Element* p) { return _mm256_loadu_ps(p); }
  static Operand broadcast(const Element* p) { return _mm256_set1_ps(*p); }
  static Vector multiply_add(Vector sum, Operand a, Operand b) { return _mm256_fmadd_ps(a, b, sum); }
  static Element element(float value) { return value; }
};

}  // namespace
#include "frgan/nn/winograd_loops.h"
}  // namespace frgan::winograd_avx2
