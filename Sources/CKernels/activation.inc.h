// φ, φ' and φ'' of every activation. With a constant `kind` and `order` all that is not asked for folds away.
// The plain reference is Reference.apply.

typedef struct {
    vf value, first, second;
} activation_values;

INLINE vf nan_or(vf x, vf y) { return vselect(x != x, x, y); }

INLINE activation_values silu_values(vf x, const int order) {
    activation_values r;
    if (order == 0) {
        r.value = vsilu(x);
        return r;
    }
    vf s, c;
    vsigmoid(x, &s, &c);
    // Beyond ±1000 σ is 0 or 1; the bound keeps ∞·0 out.
    r.value = vmax(x, -1000.0f) * s;
    vf bounded = vmin(vmax(x, -1000.0f), 1000.0f);
    if (order >= 1) r.first = vfma(bounded * s, c, s);
    if (order >= 2) r.second = s * c * vfma(bounded, c - s, vset(2.0f));
    return r;
}

INLINE activation_values gelu_values(vf x, const int order) {
    activation_values r;
    vf density, distribution;
    vnormal(x, &density, &distribution);
    vf bounded = vmin(vmax(x, -16.0f), 16.0f);
    r.value = vmax(x, -16.0f) * distribution;
    if (order >= 1) r.first = vfma(bounded, density, distribution);
    if (order >= 2) r.second = density * vfma(-bounded, bounded, vset(2.0f));
    return r;
}

INLINE activation_values relu_values(vf x, const int order) {
    activation_values r;
    vf zero = vset(0.0f);
    vi off = x <= zero;
    r.value = vselect(off, zero, x);
    if (order >= 1) r.first = nan_or(x, vselect(off, zero, vset(1.0f)));
    if (order >= 2) r.second = nan_or(x, zero);
    return r;
}

/// x·T, T = tanh(ln(1 + eˣ)) = n/(n + 2) with e = eˣ, n = e(e + 2); T' = 4e(1 + e)/(n + 2)².
INLINE activation_values mish_values(vf x, const int order) {
    activation_values r;
    // At 20, T is 1 and T' is 0 to more digits than a float has.
    vf e = vexp(vmin(x, 20.0f));
    vf n = e * (e + vset(2.0f));
    vf inverse = vset(1.0f) / (n + vset(2.0f));
    vf t = n * inverse;
    r.value = vmax(x, -1000.0f) * t;
    if (order >= 1) {
        vf bounded = vmin(vmax(x, -1000.0f), 1000.0f);
        vf u = vset(4.0f) * e * (vset(1.0f) + e) * inverse;
        vf slope = u * inverse;
        r.first = vfma(bounded, slope, t);
        if (order >= 2) {
            // (ln T')' = 1 + σ − 4e(1 + e)/(n + 2)
            vf sigmoid = e / (vset(1.0f) + e);
            vf curve = slope * (vset(1.0f) + sigmoid - u);
            r.second = vfma(bounded, curve, vset(2.0f) * slope);
        }
    }
    return r;
}

/// φ(x) and, up to `order`, its derivatives; members above the order are undefined.
INLINE activation_values activation_at(const dk_activation kind, vf x, const int order) {
    switch (kind) {
    case DK_SILU: return silu_values(x, order);
    case DK_GELU: return gelu_values(x, order);
    case DK_RELU: return relu_values(x, order);
    case DK_MISH: return mish_values(x, order);
    default: {
        activation_values r = {x, nan_or(x, vset(1.0f)), nan_or(x, vset(0.0f))};
        return r;
    }
    }
}

/// Expands `call(KIND)` with a constant for each activation, so that every loop is specialised.
#define FOR_ACTIVATION(kind, call)                                                                                     \
    switch (kind) {                                                                                                    \
    case DK_SILU: call(DK_SILU); break;                                                                                \
    case DK_GELU: call(DK_GELU); break;                                                                                \
    case DK_RELU: call(DK_RELU); break;                                                                                \
    case DK_MISH: call(DK_MISH); break;                                                                                \
    default: call(DK_IDENTITY); break;                                                                                 \
    }
