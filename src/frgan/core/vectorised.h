// FRGAN_VECTORISED before a function compiles it for three instruction sets; the loader selects one at program start.
// Use it for hot loops, in files without a precompiled header: GCC 12 crashes if this attribute meets one. It is a
// macro because C++ has no other name for an attribute.
#pragma once

#define FRGAN_VECTORISED __attribute__((target_clones("avx512f", "avx2", "default")))
