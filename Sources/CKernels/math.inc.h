// Transcendental functions on vectors. NaN in, NaN out; infinities give the limits.

#define VEXP_SHIFT 12582912.0f  // 1.5·2²³
#define VEXP_SHIFT_BITS 0x4b400000

/// p·2ᵏ for |k| ≤ 126.
INLINE vf vscale_normal(vf p, vf shifted_k) {
#ifdef HAS_SCALE
    return scale(p, shifted_k - vset(VEXP_SHIFT));
#else
    return p * (vf)(((vi)shifted_k - (VEXP_SHIFT_BITS - 127)) << 23);
#endif
}

/// p·2ᵏ for |k| ≤ 151; may be 0 below the smallest normal number.
INLINE vf vscale(vf p, vf shifted_k) {
#ifdef HAS_SCALE
    return scale(p, shifted_k - vset(VEXP_SHIFT));
#else
    // In two factors, so that k = 128 and k < −126 need no special case.
    vi k = (vi)shifted_k - VEXP_SHIFT_BITS, half = k >> 1;
    return p * (vf)((half + 127) << 23) * (vf)((k - half + 127) << 23);
#endif
}

/// e^t as p·2ᵏ with p in [0.7, 1.42], to about 1 ulp, for |t| ≤ 104; k + VEXP_SHIFT comes out.
INLINE void vexp_parts(vf t, vf *p, vf *shifted_k) {
    // Adding VEXP_SHIFT rounds to an integer and leaves it in the low bits; no conversion instruction to trap on a NaN.
    vf shifted = vfma(t, vset(1.44269504f), vset(VEXP_SHIFT)), n = shifted - vset(VEXP_SHIFT);
    vf r = vfma(n, vset(-0.693359375f), t);
    r = vfma(n, vset(2.12194440e-4f), r);
    // (eʳ − 1 − r)/r² on ±ln2/2, interpolated at Chebyshev points.
    vf q = vset(1.39345451e-3f);
    q = vfma(q, r, vset(8.36377647e-3f));
    q = vfma(q, r, vset(4.16664568e-2f));
    q = vfma(q, r, vset(1.66665734e-1f));
    q = vfma(q, r, vset(0.5f));
    *p = vfma(q, r * r, r) + vset(1.0f);
    *shifted_k = shifted;
}

/// e^x to about 1 ulp; 0 below the smallest normal number, +∞ above the largest.
INLINE vf vexp(vf x) {
    vf p, k;
    vexp_parts(vat_most(vat_least(x, -104.0f), 89.0f), &p, &k);
    return vselect(x != x, x, vscale(p, k));
}

/// x·σ(x) to about 2 ulp; below −88 a negative number of at most 10⁻³⁶.
INLINE vf vsilu(vf x) {
    vf lower = vat_least(x, -88.0f), p, k;
    vexp_parts(-vat_most(lower, 87.0f), &p, &k);
    return lower * vreciprocal(vset(1.0f) + vscale_normal(p, k));
}

/// σ(x) and 1 − σ(x), both to full relative accuracy.
INLINE void vsigmoid(vf x, vf *sigmoid, vf *complement) {
    vf e = vexp(-vabs(x));
    vf large = vreciprocal(vset(1.0f) + e);
    vf small = e * large;
    vi negative = x < vset(0.0f);
    *sigmoid = vselect(negative, small, large);
    *complement = vselect(negative, large, small);
}

/// The standard normal's density and its distribution function Φ(x) = ½·erfc(−x/√2).
INLINE void vnormal(vf x, vf *density, vf *distribution) {
    vf magnitude = vat_most(vabs(x), 16.0f);
    vf e = vexp(vset(-0.5f) * magnitude * magnitude);
    // erfcx(m/√2)/2 = t·P(t), t = 1/(1 + 0.35·m): a weighted Chebyshev fit on 0 ≤ m ≤ 16, relative error 1e-7.
    vf t = vset(1.0f) / vfma(vset(0.35f), magnitude, vset(1.0f));
    vf p = vset(-2.93960196e-2f);
    p = vfma(p, t, vset(0.145152499f));
    p = vfma(p, t, vset(-0.258069052f));
    p = vfma(p, t, vset(0.161754305f));
    p = vfma(p, t, vset(-2.48011148e-2f));
    p = vfma(p, t, vset(0.106183895f));
    p = vfma(p, t, vset(0.119672838f));
    p = vfma(p, t, vset(0.139882301f));
    p = vfma(p, t, vset(0.139620331f));
    vf tail = e * t * p;
    *density = e * vset(0.398942280f);
    *distribution = vselect(x < vset(0.0f), tail, vset(1.0f) - tail);
}
