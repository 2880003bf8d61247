// Group normalisation reduced to its per-channel part, in double. The same code, group_norm_scalar.inc.h, runs over
// plain numbers and over dual ones, v + v_t·δ with δ² = 0, which carry the tangents: one source, compiled twice.
//
// Definitions. In one image with pixels p, P of them, and for the channels c of a group with their gates m_c:
//
//     mean_c = Σ_p x_pc / P                           variance_c = Σ_p (x_pc − mean_c)² / P
//     W = Σ_c m_c                                     μ = Σ_c m_c·mean_c / W
//     v = Σ_c m_c·(variance_c + (mean_c − μ)²) / W    r = 1/√(v + ε)
//
// μ and v are the moments of all pixels of the group's channels, each weighted by its gate: what is gated away has no
// part in them. With s_c = 1 + scale and t_c = shift of the image's channel, the layer is an affine map and an
// activation,
//
//     a_c = γ_c·r·s_c        d_c = (β_c − μ·r·γ_c)·s_c + t_c        z = a_c·x + d_c        y = m_c·φ(z)
//
// In a group whose gates are all zero, W = 0, both maps are zero, and so are all gradients but the gates' gate_sum.
//
// Gradients. q_bar is ∂L/∂q, and g = ∂L/∂y is given. One walk over the pixels forms
//
//     gz = g·m_c·φ'(z)        a_bar_c = Σ_p gz·x        d_bar_c = Σ_p gz        gate_sum_c = Σ_p g·φ(z)
//
// The maps give, with ρ_c = a_bar_c − μ·d_bar_c = Σ_p gz·(x − μ),
//
//     γ_bar_c = r·s_c·ρ_c        β_bar_c = s_c·d_bar_c
//     s_bar_c = r·γ_c·ρ_c + β_c·d_bar_c        t_bar_c = d_bar_c
//     r_bar = Σ_c γ_c·s_c·ρ_c        μ_bar = −r·Σ_c γ_c·s_c·d_bar_c
//
// Then through r, by dr/dv = −r³/2, and through v, in which μ has no part of its own, since
// ∂v/∂μ = −2·Σ_c m_c·(mean_c − μ)/W = 0:
//
//     v_bar = −½·r³·r_bar
//     variance_bar_c = v_bar·m_c/W        mean_bar_c = 2·variance_bar_c·(mean_c − μ) + μ_bar·m_c/W
//     m_bar_c = gate_sum_c + [μ_bar·(mean_c − μ) + v_bar·(variance_c + (mean_c − μ)² − v)] / W
//
// the last by ∂μ/∂m_c = (mean_c − μ)/W and ∂v/∂m_c = (variance_c + (mean_c − μ)² − v)/W. And with ∂mean_c/∂x = 1/P and
// ∂variance_c/∂x = 2·(x − mean_c)/P the input's gradient is affine in gz and x:
//
//     x_bar = gz·a_c + x·slope_c + offset_c
//     slope_c = 2·variance_bar_c / P        offset_c = mean_bar_c / P − slope_c·mean_c
//
// Gradients of γ, β and the gates, which images share, are added over them.
//
// Tangents. q_t is the derivative of q along the tangents of all inputs. Those of a channel's moments are sums over
// pixels again, formed by dk_sum_pixels and dk_dot_pixels,
//
//     mean_t_c = Σ_p x_t / P        variance_t_c = 2·Σ_p (x − mean_c)·x_t / P
//
// and all that follows from them, forward and backward, is the formulas above over dual numbers. Written out, forward:
//
//     W_t = Σ_c m_t_c        μ_t = [Σ_c (m_t_c·mean_c + m_c·mean_t_c) − μ·W_t] / W        r_t = −½·r³·v_t
//     v_t = Σ_c [m_t_c·(variance_c + (mean_c − μ)² − v) + m_c·(variance_t_c + 2·(mean_c − μ)·mean_t_c)] / W
//     a_t_c = γ_t_c·r·s_c + γ_c·r_t·s_c + γ_c·r·s_t_c
//     d_t_c = (β_t_c − μ_t·r·γ_c − μ·r_t·γ_c − μ·r·γ_t_c)·s_c + (β_c − μ·r·γ_c)·s_t_c + t_t_c
//     z_t = a_c·x_t + a_t_c·x + d_t_c        y_t = m_t_c·φ(z) + m_c·φ'(z)·z_t
//
// Backward the pixels give
//
//     gz_t = (g_t·m_c + g·m_t_c)·φ'(z) + g·m_c·φ''(z)·z_t        a_bar_t_c = Σ_p (gz_t·x + gz·x_t)
//     d_bar_t_c = Σ_p gz_t                                       gate_sum_t_c = Σ_p (g_t·φ(z) + g·φ'(z)·z_t)
//
// from which slope_t and offset_t follow by dual numbers, and
//
//     x_bar_t = gz_t·a_c + gz·a_t_c + x_t·slope_c + x·slope_t_c + offset_t_c
//
// The loops over pixels are in normalization.inc.h and normalization_tangent.inc.h. The plain reference of the layer is
// Reference.groupNorm; DerivativeTests holds value, gradients and their tangents against it.
#include "CKernels.h"
#include "pool.h"

#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

typedef struct {
    const dk_group_norm *norm;
    dk_dual_in mean, variance;
    dk_dual_out a, d;
} maps_job;

typedef struct {
    const dk_group_norm *norm;
    const dk_group_norm_gradients *gradients;
    void *partial;  // [images, 3, channels] scalars: the parts of gamma, beta and gates
} adjoint_job;

// ---------------------------------------------------------------- plain numbers

INLINE double plain_number(double x) { return x; }
INLINE double plain_load(dk_dual_in p, long i) { return p.value[i]; }
INLINE double plain_load_or(dk_dual_in p, long i, double other) { return p.value ? p.value[i] : other; }
INLINE void plain_store(dk_dual_out p, long i, double x) { p.value[i] = (float)x; }
INLINE double plain_primal(double x) { return x; }
INLINE double plain_add(double x, double y) { return x + y; }
INLINE double plain_subtract(double x, double y) { return x - y; }
INLINE double plain_multiply(double x, double y) { return x * y; }
INLINE double plain_divide(double x, double y) { return x / y; }
INLINE double plain_reciprocal_root(double x) { return 1 / sqrt(x); }

#define SCALAR double
#define FN(name) plain_##name
#include "group_norm_scalar.inc.h"
#undef FN
#undef SCALAR

// ---------------------------------------------------------------- dual numbers

typedef struct {
    double value, tangent;
} dual;

INLINE dual dual_number(double x) { return (dual){x, 0}; }
INLINE dual dual_load(dk_dual_in p, long i) { return (dual){p.value[i], p.tangent ? p.tangent[i] : 0}; }
INLINE dual dual_load_or(dk_dual_in p, long i, double other) { return p.value ? dual_load(p, i) : dual_number(other); }
INLINE void dual_store(dk_dual_out p, long i, dual x) {
    p.value[i] = (float)x.value;
    p.tangent[i] = (float)x.tangent;
}
INLINE double dual_primal(dual x) { return x.value; }
INLINE dual dual_add(dual x, dual y) { return (dual){x.value + y.value, x.tangent + y.tangent}; }
INLINE dual dual_subtract(dual x, dual y) { return (dual){x.value - y.value, x.tangent - y.tangent}; }
INLINE dual dual_multiply(dual x, dual y) {
    return (dual){x.value * y.value, x.tangent * y.value + x.value * y.tangent};
}
INLINE dual dual_divide(dual x, dual y) {
    double quotient = x.value / y.value;
    return (dual){quotient, (x.tangent - quotient * y.tangent) / y.value};
}
INLINE dual dual_reciprocal_root(dual x) {
    double root = 1 / sqrt(x.value);
    return (dual){root, -0.5 * root / x.value * x.tangent};
}

#define SCALAR dual
#define FN(name) dual_##name
#include "group_norm_scalar.inc.h"
#undef FN
#undef SCALAR

// ---------------------------------------------------------------- entry points

void dk_group_norm_maps(const dk_group_norm *norm, dk_dual_in mean, dk_dual_in variance, dk_dual_out a, dk_dual_out d) {
    maps_job job = {norm, mean, variance, a, d};
    long work = 100 * norm->images * norm->channels;
    dk_region(norm->images, work, a.tangent ? dual_maps_item : plain_maps_item, &job);
}

void dk_group_norm_backward(const dk_group_norm *norm, const dk_group_norm_gradients *gradients) {
    int is_dual = gradients->slope.tangent != NULL;
    long scalar = is_dual ? sizeof(dual) : sizeof(double), sums = 3 * norm->images * norm->channels;
    adjoint_job job = {norm, gradients, dk_scratch(DK_SHARED_A, sums * scalar / (long)sizeof(float))};
    dk_region(norm->images, 150 * norm->images * norm->channels, is_dual ? dual_adjoint_item : plain_adjoint_item,
              &job);
    if (is_dual)
        dual_add_images(&job);
    else
        plain_add_images(&job);
}

/// Columns first..<first + width of table[images, channels], to or from their own table[images, width].
static void copy_columns(long images, long channels, float *table, long first, float *columns, long width, int out) {
    for (long image = 0; image < images; image++) {
        float *row = table + image * channels + first, *own = columns + image * width;
        memcpy(out ? own : row, out ? row : own, (size_t)width * sizeof(float));
    }
}

void dk_group_norm_forward(const dk_group_norm *n, dk_activation kind, const dk_channels *parts, long part_count,
                           float *y) {
    long table = n->images * n->channels;
    if (table <= 0) return;
    int whole = part_count == 1;
    // The tables over all channels and, where there are several parts, a part's columns of two of them.
    float *mean = dk_scratch(DK_SHARED_B, 6 * table), *variance = mean + table, *a = mean + 2 * table, *d = a + table;
    float *first = mean + 4 * table, *second = first + table;
    for (long part = 0, at = 0; part < part_count; at += parts[part++].width) {
        long width = parts[part].width;
        dk_moments(parts[part].x, n->images, n->pixels, width, whole ? mean : first, whole ? variance : second);
        if (whole) continue;
        copy_columns(n->images, n->channels, mean, at, first, width, 0);
        copy_columns(n->images, n->channels, variance, at, second, width, 0);
    }
    dk_group_norm_maps(n, (dk_dual_in){mean, NULL}, (dk_dual_in){variance, NULL}, (dk_dual_out){a, NULL},
                       (dk_dual_out){d, NULL});
    for (long part = 0, at = 0; part < part_count; at += parts[part++].width) {
        long width = parts[part].width;
        if (!whole) {
            copy_columns(n->images, n->channels, a, at, first, width, 1);
            copy_columns(n->images, n->channels, d, at, second, width, 1);
        }
        dk_affine_activation(kind, parts[part].x, whole ? a : first, whole ? d : second,
                             n->gate.value ? n->gate.value + at : NULL, n->images, n->pixels, width, y + at,
                             n->channels);
    }
}
