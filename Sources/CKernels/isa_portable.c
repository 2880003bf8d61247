// The kernels for any processor: four-float vectors, which are SSE on x86-64 and NEON on arm64.
#include "kernels_prelude.h"

#define VL 4  // floats in a vector
#define MR 6  // rows of a micro-kernel's tile: 12 accumulators of 16 registers
#if defined(__aarch64__)
#define HAS_FMA 1
#endif
#define TABLE dk_kernels_portable

#include "kernels.inc.h"
