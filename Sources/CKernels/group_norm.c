// Group normalisation reduced to its per-channel part, in double. With gates m, per group of an image:
//
//     W = Σ m_c    μ = Σ m_c·mean_c / W    v = Σ m_c·(variance_c + (mean_c − μ)²) / W    r = 1/√(v + ε)
//     a_c = γ_c·r·s_c        d_c = (β_c − μ·r·γ_c)·s_c + t_c
//
// so that the layer is z = a·x + d. The same code runs over plain numbers and over dual ones, v + v̇·δ with δ² = 0,
// which carry the tangents: one source, compiled twice.
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
#undef SCALAR
#undef FN

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
#undef SCALAR
#undef FN

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
