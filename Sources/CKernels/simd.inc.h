// Vectors of VL floats, by clang's vector extensions.

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
#define SCALAR_LOOP _Pragma("clang loop vectorize(disable)")

typedef float vf __attribute__((vector_size(VL * 4)));
typedef int32_t vi __attribute__((vector_size(VL * 4)));
typedef float vf_unaligned __attribute__((vector_size(VL * 4), aligned(4), may_alias));

INLINE vf vload(const float *p) { return *(const vf_unaligned *)p; }
INLINE void vstore(float *p, vf v) { *(vf_unaligned *)p = v; }
/// All lanes x. (Adding x to zero would lose the sign of −0.)
INLINE vf vset(float x) { return x - (vf){0}; }
INLINE vi vseti(int32_t x) { return x + (vi){0}; }

/// a·b + c, fused where the processor can.
INLINE vf vfma(vf a, vf b, vf c) {
#ifdef HAS_FMA
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}

/// a where the mask's lanes are −1, b where they are 0.
INLINE vf vselect(vi mask, vf a, vf b) {
#ifdef HAS_SELECT
    return (vf)select_lanes((select_mask)mask, a, b);
#else
    return (vf)((mask & (vi)a) | (~mask & (vi)b));
#endif
}
/// Lower and upper bounds that let a NaN through.
#ifdef HAS_BOUNDS
INLINE vf vmax(vf x, float low) { return max_or_second(vset(low), x); }
INLINE vf vmin(vf x, float high) { return min_or_second(vset(high), x); }
#else
INLINE vf vmax(vf x, float low) { return vselect(x < vset(low), vset(low), x); }
INLINE vf vmin(vf x, float high) { return vselect(x > vset(high), vset(high), x); }
#endif
INLINE vf vabs(vf x) { return (vf)((vi)x & 0x7fffffff); }
INLINE vf vsqrt(vf x) { return __builtin_elementwise_sqrt(x); }

/// The first n (1 ≤ n ≤ VL) floats at p, zeros in the other lanes; touches no memory beyond them.
INLINE vf vload_first(const float *p, long n) {
    if (n >= VL) return vload(p);
#ifdef HAS_MASKED_MOVES
    return load_first(p, n);
#else
    vf v = {0};
    for (long i = 0; i < n; i++) v[i] = p[i];
    return v;
#endif
}
/// The same with `other` in the remaining lanes.
INLINE vf vload_first_or(const float *p, long n, float other) {
    vf v = vload_first(p, n);
    for (long i = n; i < VL; i++) v[i] = other;
    return v;
}
INLINE void vstore_first(float *p, vf v, long n) {
    if (n >= VL) {
        vstore(p, v);
        return;
    }
#ifdef HAS_MASKED_MOVES
    store_first(p, v, n);
#else
    for (long i = 0; i < n; i++) p[i] = v[i];
#endif
}

/// v with zeros in all but its first n lanes.
INLINE vf keep_first(vf v, long n) {
    vi lane;
    UNROLL for (int i = 0; i < VL; i++) lane[i] = i;
    return (vf)((lane < vseti((int32_t)n)) & (vi)v);
}

// ---------------------------------------------------------------- halves
// What is left of a row after its full vectors, when no more than half a vector is: two rows' share one vector.

#define HALF (VL / 2)
typedef float vh __attribute__((vector_size(HALF * 4)));
typedef float vh_unaligned __attribute__((vector_size(HALF * 4), aligned(4), may_alias));

#if VL == 16
#define LOW_HALF 0, 1, 2, 3, 4, 5, 6, 7
#define HIGH_HALF 8, 9, 10, 11, 12, 13, 14, 15
#define FIRST_LOW_SECOND_HIGH 0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31
#define BOTH_LOW 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#elif VL == 8
#define LOW_HALF 0, 1, 2, 3
#define HIGH_HALF 4, 5, 6, 7
#define FIRST_LOW_SECOND_HIGH 0, 1, 2, 3, 12, 13, 14, 15
#define BOTH_LOW 0, 1, 2, 3, 8, 9, 10, 11
#else
#define LOW_HALF 0, 1
#define HIGH_HALF 2, 3
#define FIRST_LOW_SECOND_HIGH 0, 1, 6, 7
#define BOTH_LOW 0, 1, 4, 5
#endif

/// The lower half of a and the upper half of b.
INLINE vf vmerge(vf a, vf b) {
#ifdef HAS_MERGE
    return merge_halves(a, b);
#else
    return __builtin_shufflevector(a, b, FIRST_LOW_SECOND_HIGH);
#endif
}
/// The lower half of v in both halves.
INLINE vf vtwice(vf v) { return __builtin_shufflevector(v, v, BOTH_LOW); }

/// The first n (1 ≤ n ≤ HALF) floats at a in the lower half and those at b in the upper one.
INLINE vf vload_halves(const float *a, const float *b, long n) {
    vf x, y;
    if (n == HALF) {
        vh low = *(const vh_unaligned *)a, high = *(const vh_unaligned *)b;
        x = __builtin_shufflevector(low, low, LOW_HALF, LOW_HALF);
        y = __builtin_shufflevector(high, high, LOW_HALF, LOW_HALF);
        return __builtin_shufflevector(x, y, FIRST_LOW_SECOND_HIGH);
    }
    x = vload_first(a, n), y = vload_first(b, n);
    return __builtin_shufflevector(x, y, BOTH_LOW);
}
/// The first n floats of v's lower half to a and of its upper half to b.
INLINE void vstore_halves(float *a, float *b, vf v, long n) {
    vh low = __builtin_shufflevector(v, v, LOW_HALF), high = __builtin_shufflevector(v, v, HIGH_HALF);
    if (n == HALF) {
        *(vh_unaligned *)a = low;
        *(vh_unaligned *)b = high;
    } else {
        vstore_first(a, v, n);
        vstore_first(b, __builtin_shufflevector(v, v, HIGH_HALF, HIGH_HALF), n);
    }
}

// Lanes 0, n, 1, n+1, ... of the pair's lower and upper halves.
#if VL == 16
#define INTERLEAVE_LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define INTERLEAVE_HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif VL == 8
#define INTERLEAVE_LOW 0, 8, 1, 9, 2, 10, 3, 11
#define INTERLEAVE_HIGH 4, 12, 5, 13, 6, 14, 7, 15
#else
#define INTERLEAVE_LOW 0, 4, 1, 5
#define INTERLEAVE_HIGH 2, 6, 3, 7
#endif

/// Transposes VL vectors of VL lanes: interleaving the halves log₂ VL times.
INLINE void vtranspose(vf *rows) {
    UNROLL for (int step = 1; step < VL; step *= 2) {
        vf next[VL];
        UNROLL for (int i = 0; i < VL / 2; i++) {
            next[2 * i] = __builtin_shufflevector(rows[i], rows[i + VL / 2], INTERLEAVE_LOW);
            next[2 * i + 1] = __builtin_shufflevector(rows[i], rows[i + VL / 2], INTERLEAVE_HIGH);
        }
        UNROLL for (int i = 0; i < VL; i++) rows[i] = next[i];
    }
}

/// dst[c·ld_dst + r] = src[r·ld_src + c] for rows × cols, in squares of VL.
static void transpose_block(const float *src, long rows, long cols, long ld_src, float *dst, long ld_dst) {
    for (long r = 0; r < rows; r += VL)
        for (long c = 0; c < cols; c += VL) {
            long height = rows - r < VL ? rows - r : VL, width = cols - c < VL ? cols - c : VL;
            vf square[VL];
            UNROLL for (int i = 0; i < VL; i++) {
                square[i] = i < height ? vload_first(src + (r + i) * ld_src + c, width) : (vf){0};
            }
            vtranspose(square);
            UNROLL for (int i = 0; i < VL; i++) {
                if (i < width) vstore_first(dst + (c + i) * ld_dst + r, square[i], height);
            }
        }
}

INLINE float vsum_lanes(vf v) {
    float lane[VL];
    memcpy(lane, &v, sizeof v);
    UNROLL for (int half = VL / 2; half > 0; half /= 2) {
        UNROLL for (int i = 0; i < half; i++) lane[i] += lane[i + half];
    }
    return lane[0];
}
INLINE float vmax_lane(vf v) {
    float best = v[0];
    UNROLL for (int i = 1; i < VL; i++) best = v[i] > best ? v[i] : best;
    return best;
}

INLINE long min_long(long a, long b) { return a < b ? a : b; }
INLINE long max_long(long a, long b) { return a > b ? a : b; }
INLINE long ceil_div(long a, long b) { return (a + b - 1) / b; }
INLINE long round_up(long a, long b) { return ceil_div(a, b) * b; }
