// Vectors of VL floats, by clang's vector extensions.

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

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
INLINE vf vselect(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }
/// Lower and upper bounds that let a NaN through.
INLINE vf vat_least(vf x, float low) { return vselect(x < vset(low), vset(low), x); }
INLINE vf vat_most(vf x, float high) { return vselect(x > vset(high), vset(high), x); }
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

INLINE float vsum(vf v) {
    float lane[VL];
    memcpy(lane, &v, sizeof v);
    UNROLL for (int half = VL / 2; half > 0; half /= 2) {
        UNROLL for (int i = 0; i < half; i++) lane[i] += lane[i + half];
    }
    return lane[0];
}
INLINE float vmax(vf v) {
    float best = v[0];
    UNROLL for (int i = 1; i < VL; i++) best = v[i] > best ? v[i] : best;
    return best;
}

INLINE long least(long a, long b) { return a < b ? a : b; }
INLINE long most(long a, long b) { return a > b ? a : b; }
INLINE long ceil_div(long a, long b) { return (a + b - 1) / b; }
INLINE long round_up(long a, long b) { return ceil_div(a, b) * b; }
