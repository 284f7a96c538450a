// Winograd kernels for AVX-512, in float.
#include <cstdint>

#include <immintrin.h>

#include "frgan/nn/winograd_kernels.h"

namespace frgan::winograd_avx512 {
namespace {

struct Isa {
  using Element = float;
  using Vector = __m512;
  using Operand = __m512;
  static constexpr int kLanes = 16, kVectors = 4, kRows = 6, kPair = 1;

  static Vector load(const Element* p) { return _mm512_loadu_ps(p); }
  static void store(Element* p, Vector v) { _mm512_storeu_ps(p, v); }
  static void store_step(Element* p, Vector row, Vector /*unused: kPair is 1*/) { _mm512_storeu_ps(p, row); }
  static Vector load_float(const float* p) { return _mm512_loadu_ps(p); }
  static void store_float(float* p, Vector v) { _mm512_storeu_ps(p, v); }
  static Vector max(Vector a, Vector b) { return _mm512_max_ps(a, b); }
  static Operand operand(const Element* p) { return _mm512_loadu_ps(p); }
  static Operand broadcast(const Element* p) { return _mm512_set1_ps(*p); }
  static Vector multiply_add(Vector sum, Operand a, Operand b) { return _mm512_fmadd_ps(a, b, sum); }
  static Element element(float value) { return value; }
};

}  // namespace
#include "frgan/nn/winograd_loops.h"
}  // namespace frgan::winograd_avx512
