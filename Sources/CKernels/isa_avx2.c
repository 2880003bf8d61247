// The kernels for x86-64 with AVX2 and FMA.
#if defined(__x86_64__)
#include "kernels_prelude.h"
#include <immintrin.h>

#define VL 8  // floats in a vector
#define MR 6  // rows of a micro-kernel's tile: 12 accumulators of 16 registers
#define HAS_FMA 1
#define TABLE dk_kernels_avx2
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

static inline __attribute__((always_inline)) __m256i first_lanes(long n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
static inline __attribute__((always_inline)) __m256 load_first(const float *p, long n) {
    return _mm256_maskload_ps(p, first_lanes(n));
}
static inline __attribute__((always_inline)) void store_first(float *p, __m256 v, long n) {
    _mm256_maskstore_ps(p, first_lanes(n), v);
}
#define HAS_MASKED_MOVES 1
typedef __m256i select_mask;
static inline __attribute__((always_inline)) __m256 select_lanes(select_mask mask, __m256 a, __m256 b) {
    return _mm256_blendv_ps(b, a, _mm256_castsi256_ps(mask));
}
#define HAS_SELECT 1
/// The larger and the smaller of two; b where either is a NaN.
static inline __attribute__((always_inline)) __m256 max_or_second(__m256 a, __m256 b) { return _mm256_max_ps(a, b); }
static inline __attribute__((always_inline)) __m256 min_or_second(__m256 a, __m256 b) { return _mm256_min_ps(a, b); }
#define HAS_BOUNDS 1

#include "kernels.inc.h"
#pragma clang attribute pop
#endif
