// The kernels for x86-64 with AVX-512.
#if defined(__x86_64__)
#include "kernels_prelude.h"
#include <immintrin.h>

#define VL 16  // floats in a vector
#define MR 12  // rows of a micro-kernel's tile: 24 accumulators of 32 registers
#define HAS_FMA 1
#define TABLE dk_kernels_avx512
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), apply_to = function)

static inline __attribute__((always_inline)) __m512 load_first(const float *p, long n) {
    return _mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
}
static inline __attribute__((always_inline)) void store_first(float *p, __m512 v, long n) {
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), v);
}
#define HAS_MASKED_MOVES 1
/// By mask registers, where comparisons leave their results: the round trip through a vector folds away.
typedef __m512i select_mask;
static inline __attribute__((always_inline)) __m512 select_lanes(select_mask mask, __m512 a, __m512 b) {
    return _mm512_mask_blend_ps(_mm512_movepi32_mask(mask), b, a);
}
#define HAS_SELECT 1
/// The lower half of a and the upper half of b, by a mask that the compiler does not know: it would make a permutation
/// of it, which costs twice as much.
static inline __attribute__((always_inline)) __m512 merge_halves(__m512 a, __m512 b) {
    __mmask16 upper = 0xff00;
    __asm__("" : "+Yk"(upper));
    return _mm512_mask_blend_ps(upper, a, b);
}
#define HAS_MERGE 1
/// The larger and the smaller of two; b where either is a NaN.
static inline __attribute__((always_inline)) __m512 max_or_second(__m512 a, __m512 b) { return _mm512_max_ps(a, b); }
static inline __attribute__((always_inline)) __m512 min_or_second(__m512 a, __m512 b) { return _mm512_min_ps(a, b); }
#define HAS_BOUNDS 1
static inline __attribute__((always_inline)) __m512 scale(__m512 p, __m512 k) { return _mm512_scalef_ps(p, k); }
#define HAS_SCALE 1

#include "kernels.inc.h"
#pragma clang attribute pop
#endif
