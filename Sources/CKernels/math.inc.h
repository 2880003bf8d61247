// Transcendental functions on vectors. NaN in, NaN out; infinities give the limits.

#define VEXP_SHIFT 12582912.0f  // 1.5·2²³
#define VEXP_SHIFT_BITS 0x4b400000

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

/// e^x to about 1 ulp; 0 below the smallest normal number, +∞ above the largest.
INLINE vf vexp(vf x) {
    vf t = vmin(vmax(x, -104.0f), 89.0f);
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
    vf p = vfma(q, r * r, r) + vset(1.0f);
    return vselect(x != x, x, vscale(p, shifted));
}

/// e^−x to about 1 ulp for |x| ≤ 104; 0 or +∞ where that is beyond a float's range.
INLINE vf vexp_negated(vf x) {
    vf shifted = vfma(x, vset(-1.44269504f), vset(VEXP_SHIFT)), n = shifted - vset(VEXP_SHIFT);
#ifdef HAS_FMA
    // In one step: float's ln 2 is off by 2e-9, and the product is not rounded.
    vf r = vfma(n, vset(0.693147181f), x);
#else
    vf r = n * vset(0.693359375f) + x;
    r = n * vset(-2.12194440e-4f) + r;
#endif
    // e^−r on ±ln2/2 to 2e-9, relative, by Lawson's iteration.
    vf p = vset(1.38436441e-3f);
    p = vfma(p, r, vset(-8.37416339e-3f));
    p = vfma(p, r, vset(4.16680026e-2f));
    p = vfma(p, r, vset(-1.66664312e-1f));
    p = vfma(p, r, vset(0.499999942f));
    p = vfma(p, r, vset(-1.0f));
    return vscale(vfma(p, r, vset(1.0f)), shifted);
}

/// ln x to 1 ulp; −∞ of zero and of what counts as zero, NaN of what is negative.
INLINE vf vlog(vf x) {
    // x = m·2ᵏ with √½ ≤ m < √2, f = m − 1.
    vi k = ((vi)x - 0x3f3504f3) >> 23;
    vf f = (vf)((vi)x - (k << 23)) - vset(1.0f), square = f * f, n = __builtin_convertvector(k, vf);
    // (ln(1 + f) − f + f²/2)/f³ to 8e-10 of the logarithm, by Lawson's iteration.
    vf p = vset(6.74664080e-2f);
    p = vfma(p, f, vset(-0.116756521f));
    p = vfma(p, f, vset(0.118881620f));
    p = vfma(p, f, vset(-0.124055892f));
    p = vfma(p, f, vset(0.142195523f));
    p = vfma(p, f, vset(-0.166679963f));
    p = vfma(p, f, vset(0.200021192f));
    p = vfma(p, f, vset(-0.250000089f));
    p = vfma(p, f, vset(0.333333135f));
    vf r = vfma(n, vset(-2.12194440e-4f), p * f * square);
    r = f + vfma(vset(-0.5f), square, r);
    r = vfma(n, vset(0.693359375f), r);
    vf beyond = vselect(x < vset(0.0f), vset(NAN), vselect(x == vset(0.0f), vset(-INFINITY), x));
    return vselect((x >= vset(FLT_MIN)) & (x <= vset(FLT_MAX)), r, beyond);
}

/// ln(1 + t) to 2 ulp for 0 ≤ t ≤ 1.
INLINE vf vlog_one_plus(vf t) {
    vf u = vset(1.0f) + t;
    // What the sum lost, at the logarithm's slope.
    return vlog(u) + (t - (u - vset(1.0f))) / u;
}

/// x·σ(x) to about 2 ulp; 0 below −89.
INLINE vf vsilu(vf x) {
    vf lower = vmax(x, -104.0f);
    return lower / (vset(1.0f) + vexp_negated(vmin(lower, 104.0f)));
}

/// σ(x) and 1 − σ(x), both to full relative accuracy where they are at least 10⁻³⁷; σ is 0 below −87.
INLINE void vsigmoid(vf x, vf *sigmoid, vf *complement) {
    vf e = vexp_negated(vmin(vmax(x, -87.0f), 87.0f));
    vf s = vset(1.0f) / (vset(1.0f) + e);
    *sigmoid = vselect(x < vset(-87.0f), vset(0.0f), s);
    *complement = e * s;
}

/// The standard normal's density and its distribution function Φ(x) = ½·erfc(−x/√2).
INLINE void vnormal(vf x, vf *density, vf *distribution) {
    vf magnitude = vmin(vabs(x), 16.0f);
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
