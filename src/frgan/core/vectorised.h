// FRGAN_VECTORISED before a function: one source, three instruction sets, chosen when the program is loaded. For the
// loops of our own, in files without a precompiled header: GCC 12 crashes on this attribute beside one. An attribute
// cannot be written but by a macro.
#pragma once

#define FRGAN_VECTORISED __attribute__((target_clones("avx512f", "avx2", "default")))
