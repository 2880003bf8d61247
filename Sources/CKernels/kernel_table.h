// The kernels that exist once per instruction set: one list, from which the table's type, each path's table and the
// public functions that jump through it are made.
#pragma once
#include "CKernels.h"

#define DK_KERNEL_LIST(X)                                                                                              \
    X(void, gemm, (const dk_gemm_problem *problem), (problem))                                                         \
    X(long, gemm_packed_size, (long k, long n), (k, n))                                                                \
    X(void, gemm_pack, (long k, long n, const float *b, long ldb, float *packed), (k, n, b, ldb, packed))              \
    X(long, conv_workspace_size, (const dk_conv_shape *shape, dk_conv_pass pass), (shape, pass))                       \
    X(void, conv_forward,                                                                                              \
      (const dk_conv_shape *shape, const float *x, const float *w, const float *bias, const float *image_bias,         \
       const float *residual, float *y, int accumulate, float *workspace),                                             \
      (shape, x, w, bias, image_bias, residual, y, accumulate, workspace))                                             \
    X(long, conv_packed_size, (const dk_conv_shape *shape), (shape))                                                   \
    X(void, conv_pack, (const dk_conv_shape *shape, const float *w, float *packed), (shape, w, packed))                \
    X(void, conv_forward_packed,                                                                                       \
      (const dk_conv_shape *shape, const float *x, const float *packed, const float *bias, const float *image_bias,    \
       const float *residual, float *y, int accumulate),                                                               \
      (shape, x, packed, bias, image_bias, residual, y, accumulate))                                                   \
    X(void, conv_input_gradient,                                                                                       \
      (const dk_conv_shape *shape, const float *g, const float *w, float *dx, int accumulate, float *workspace),       \
      (shape, g, w, dx, accumulate, workspace))                                                                        \
    X(void, conv_weight_gradient,                                                                                      \
      (const dk_conv_shape *shape, const float *x, const float *g, float *dw, int accumulate, float *workspace),       \
      (shape, x, g, dw, accumulate, workspace))                                                                        \
    X(void, sum_pixels, (const float *x, long images, long pixels, long channels, float *out, int accumulate),         \
      (x, images, pixels, channels, out, accumulate))                                                                  \
    X(void, dot_pixels,                                                                                                \
      (const float *x, const float *y, long images, long pixels, long channels, float *out, int accumulate),           \
      (x, y, images, pixels, channels, out, accumulate))                                                               \
    X(void, scale_channels, (const float *x, const float *s, long rows, long channels, float *y, int accumulate),      \
      (x, s, rows, channels, y, accumulate))                                                                           \
    X(void, affine_images,                                                                                             \
      (const float *x, const float *a, const float *z, const float *d, const float *e, long images, long pixels,       \
       long channels, float *y, int accumulate),                                                                       \
      (x, a, z, d, e, images, pixels, channels, y, accumulate))                                                        \
    X(double, dot, (const float *x, const float *y, long count), (x, y, count))                                        \
    X(double, sum, (const float *x, long count), (x, count))                                                           \
    X(int, all_finite, (const float *x, long count), (x, count))                                                       \
    X(void, moments, (const float *x, long images, long pixels, long channels, float *mean, float *variance),          \
      (x, images, pixels, channels, mean, variance))                                                                   \
    X(void, affine_activation,                                                                                         \
      (dk_activation kind, const float *x, const float *a, const float *d, const float *gate, long images,             \
       long pixels, long channels, float *y, long ld_y),                                                               \
      (kind, x, a, d, gate, images, pixels, channels, y, ld_y))                                                        \
    X(void, affine_activation_backward,                                                                                \
      (dk_activation kind, const float *x, const float *a, const float *d, const float *gate, const float *g,          \
       long images, long pixels, long channels, float *gz, float *sum_gz, float *sum_gzx, float *sum_gphi),            \
      (kind, x, a, d, gate, g, images, pixels, channels, gz, sum_gz, sum_gzx, sum_gphi))                               \
    X(void, affine_activation_tangent,                                                                                 \
      (dk_activation kind, const float *x, const float *a, const float *d, const float *gate, const float *x_t,        \
       const float *a_t, const float *d_t, const float *gate_t, long images, long pixels, long channels, float *y_t),  \
      (kind, x, a, d, gate, x_t, a_t, d_t, gate_t, images, pixels, channels, y_t))                                     \
    X(void, affine_activation_backward_tangent,                                                                        \
      (dk_activation kind, const float *x, const float *a, const float *d, const float *gate, const float *g,          \
       const float *x_t, const float *a_t, const float *d_t, const float *gate_t, const float *g_t, long images,       \
       long pixels, long channels, float *gz_t, float *sum_gz_t, float *sum_gzx_t, float *sum_gphi_t),                 \
      (kind, x, a, d, gate, g, x_t, a_t, d_t, gate_t, g_t, images, pixels, channels, gz_t, sum_gz_t, sum_gzx_t,        \
       sum_gphi_t))                                                                                                    \
    X(void, activate,                                                                                                  \
      (dk_activation kind, int order, float scale, const float *x, const float *u, const float *v, long count,         \
       float *y, int accumulate),                                                                                      \
      (kind, order, scale, x, u, v, count, y, accumulate))                                                             \
    X(void, apply,                                                                                                     \
      (dk_function function, int order, float scale, const float *x, const float *u, const float *v, long count,       \
       float *y, int accumulate),                                                                                      \
      (function, order, scale, x, u, v, count, y, accumulate))                                                         \
    X(void, linear_combination,                                                                                        \
      (float alpha, const float *x, float beta, const float *z, long count, float *y, int accumulate),                 \
      (alpha, x, beta, z, count, y, accumulate))                                                                       \
    X(void, multiply, (float scale, const float *x, const float *z, long count, float *y, int accumulate),             \
      (scale, x, z, count, y, accumulate))                                                                             \
    X(double, fma_burst, (long items, long rounds), (items, rounds))                                                   \
    X(void, fill, (float value, float *y, long count), (value, y, count))                                              \
    X(void, copy_matrix,                                                                                               \
      (const float *src, long ld_src, long rows, long cols, float *dst, long ld_dst, int accumulate),                  \
      (src, ld_src, rows, cols, dst, ld_dst, accumulate))                                                              \
    X(void, softmax, (const float *x, float scale, long rows, long cols, float *y), (x, scale, rows, cols, y))         \
    X(void, softmax_backward,                                                                                          \
      (const float *y, const float *g, float scale, long rows, long cols, float *dx, int accumulate),                  \
      (y, g, scale, rows, cols, dx, accumulate))                                                                       \
    X(long, attention_forward_workspace, (const dk_attention *attention), (attention))                                 \
    X(void, attention_forward, (const dk_attention *attention, dk_dual_out out, float *statistics, float *workspace),  \
      (attention, out, statistics, workspace))                                                                         \
    X(long, attention_backward_workspace, (const dk_attention *attention, int tangents), (attention, tangents))        \
    X(void, attention_backward,                                                                                        \
      (const dk_attention *attention, dk_dual_in out, const float *statistics, dk_dual_in g, dk_dual_out dq,           \
       dk_dual_out dk, dk_dual_out dv, float *workspace),                                                              \
      (attention, out, statistics, g, dq, dk, dv, workspace))                                                          \
    X(void, upsample, (const float *x, long batch, long height, long width, long channels, float *y),                  \
      (x, batch, height, width, channels, y))                                                                          \
    X(void, upsample_backward,                                                                                         \
      (const float *g, long batch, long height, long width, long channels, float *dx, int accumulate),                 \
      (g, batch, height, width, channels, dx, accumulate))                                                             \
    X(void, fir_downsample,                                                                                            \
      (const float *x, long batch, long height, long width, long channels, float gain, float *y, int accumulate),      \
      (x, batch, height, width, channels, gain, y, accumulate))                                                        \
    X(void, fir_upsample,                                                                                              \
      (const float *x, long batch, long height, long width, long channels, float gain, float *y, int accumulate),      \
      (x, batch, height, width, channels, gain, y, accumulate))                                                        \
    X(void, max_pool,                                                                                                  \
      (const float *x, const float *from, long batch, long height, long width, long channels, float *y),               \
      (x, from, batch, height, width, channels, y))                                                                    \
    X(void, max_pool_backward,                                                                                         \
      (const float *x, const float *g, long batch, long height, long width, long channels, float *dx, int accumulate), \
      (x, g, batch, height, width, channels, dx, accumulate))                                                          \
    X(void, nhwc_to_nchw, (const float *x, long batch, long pixels, long channels, float *y),                          \
      (x, batch, pixels, channels, y))                                                                                 \
    X(void, nchw_to_nhwc, (const float *x, long batch, long pixels, long channels, float *y),                          \
      (x, batch, pixels, channels, y))                                                                                 \
    X(void, adam,                                                                                                      \
      (const dk_adam_options *options, const float *gradient, long count, float *parameter, float *first_moment,       \
       float *second_moment),                                                                                          \
      (options, gradient, count, parameter, first_moment, second_moment))                                              \
    X(void, sgd,                                                                                                       \
      (float learning_rate, float momentum, float weight_decay, float grad_scale, const float *gradient, long count,   \
       float *parameter, float *momentum_buffer),                                                                      \
      (learning_rate, momentum, weight_decay, grad_scale, gradient, count, parameter, momentum_buffer))                \
    X(void, ema, (float rest, const float *value, long count, float *average), (rest, value, count, average))

#define DK_TABLE_MEMBER(result, name, parameters, arguments) result(*name) parameters;
typedef struct {
    DK_KERNEL_LIST(DK_TABLE_MEMBER)
} dk_kernel_table;
#undef DK_TABLE_MEMBER

#if defined(__x86_64__)
#define DK_HAS_X86_PATHS 1
extern const dk_kernel_table dk_kernels_avx512, dk_kernels_avx2;
#endif
extern const dk_kernel_table dk_kernels_portable;
