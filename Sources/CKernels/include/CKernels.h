// The hot loops of the engine: single precision, run-time CPU dispatch, one persistent thread pool, no allocation
// visible to the caller (per-thread scratch is kept between calls) and no I/O.
//
// dk_ stands for "diffprune kernel": C has one space for all names of a program. ../README.md says how the files behind
// this one are read.
//
// Shape legend, used by every comment here:
//   B batch · H, W height, width · P = H·W pixels of an image · C channels · T tokens · K inner (summed) extent
// Tensors are contiguous and row-major; images are NHWC; convolution weights are HWIO [kh][kw][Cin][Cout], linear
// weights are [in][out]. Any channel count is legal. `accumulate` = 0 overwrites the output, 1 adds to it.
//
// Determinism: every output element is one chain of operations in an order that depends on the problem of *its own
// image* alone: not on the batch size, the thread count or how work is split. Weight and bias gradients sum images in
// ascending order.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// ---------------------------------------------------------------- processor and threads

/// "avx512", "avx2" or "portable". Chosen once: the widest that this processor has, or what the environment variable
/// DIFFPRUNE_ISA names (an unknown or unsupported name falls back to the widest; see dk_isa_request_error).
const char *dk_isa_name(void);
/// NULL, or why DIFFPRUNE_ISA was not honoured.
const char *dk_isa_request_error(void);
/// Selects a path by name for what the calling thread calls from now on, for tests; NULL returns to the default.
/// 0 on success, -1 when the name is unknown or the processor lacks it.
int dk_isa_select(const char *name);

/// Number of threads of the pool, the caller's included; 1 inside a body that dk_parallel runs.
int dk_threads(void);
/// Sets the number of threads, 1...256. Not to be called while kernels run.
void dk_set_threads(int count);
/// Calls body(context, i) once for every i in 0..<count on the pool; returns when all are done. Nested calls run in
/// the calling thread.
void dk_parallel(long count, void (*body)(void *context, long index), void *context);

/// Runs `items` pieces of `rounds` rounds of independent vector multiply–adds on the pool, touching no memory: the
/// fastest that this path can compute. Returns the floating-point operations done (a multiply–add is two).
double dk_fma_burst(long items, long rounds);

// ---------------------------------------------------------------- memory

/// Called with the bytes that could not be had; ends the process.
typedef void (*dk_exhaustion_handler)(long bytes);
/// Sets what is called where there is no memory left, on whatever thread asks. Without one the process is aborted.
void dk_memory_on_exhaustion(dk_exhaustion_handler handler);
/// Ends the process for want of `bytes` bytes.
_Noreturn void dk_memory_exhausted(long bytes);
/// Address space for `bytes` bytes; pages take memory from their first use on. NULL where there is none.
void *dk_memory_reserve(long bytes);
/// Gives back what was reserved, addresses and all.
void dk_memory_release(void *start, long bytes);
/// Gives the pages that lie wholly inside back to the system; the addresses stay usable, their contents are lost.
void dk_memory_discard(void *start, long bytes);
/// Tell AddressSanitizer, in a build with it, that these bytes may not be touched, or may again: it knows nothing of
/// pools.
void dk_memory_forbid(const void *start, long bytes);
void dk_memory_permit(const void *start, long bytes);
/// Gives back what the C library's heap holds and nobody uses, where the library can.
void dk_memory_trim_heap(void);

// ---------------------------------------------------------------- matrix products

/// C[M,N] (+)= op(A)[M,K] · op(B)[K,N] + bias[N], for each of `batch` problems laid `stride_*` floats apart.
/// lda, ldb, ldc: floats between rows *as stored* (A is stored [M,K], or [K,M] when transpose_a).
/// `bias` may be NULL.
/// With `packed_b` from dk_gemm_pack b, ldb, transpose_b and stride_b are not read: all problems share it. A is not
/// transposed then.
typedef struct {
    long m, n, k;
    const float *a;
    long lda;
    int transpose_a;
    const float *b;
    long ldb;
    int transpose_b;
    float *c;
    long ldc;
    const float *bias;
    int accumulate;
    long batch, stride_a, stride_b, stride_c;
    const float *packed_b;  // or NULL
} dk_gemm_problem;
void dk_gemm(const dk_gemm_problem *problem);
/// Lays b[k,n], rows ldb apart, out for products that use it more than once, in packed[dk_gemm_packed_size]. The layout
/// depends on the instruction set, which has to be the same for both.
long dk_gemm_packed_size(long k, long n);
void dk_gemm_pack(long k, long n, const float *b, long ldb, float *packed);

// ---------------------------------------------------------------- convolution

/// Kernel is kernel×kernel (1 or 3). out = (in + pad_begin + pad_end − kernel)/stride + 1 in each direction.
typedef struct {
    long batch, in_height, in_width, in_channels;
    long out_height, out_width, out_channels;
    long kernel, stride;
    long pad_top, pad_left;  // what lies beyond the image at the bottom and right is read as zero too
} dk_conv_shape;

/// 3×3 convolutions of stride 1 and their input gradients use Winograd's F(4×4,3×3) for images and channel counts that
/// it is faster for (a matter of height, width and channels, never of batch or threads). It is faster by about two and
/// rounds less well: errors of a few 10⁻⁵ of the output's standard deviation. 0 turns it off everywhere; 1 is the
/// default.
void dk_set_winograd(int enabled);
int dk_winograd(void);

typedef enum { DK_CONV_FORWARD = 0, DK_CONV_INPUT_GRADIENT = 1, DK_CONV_WEIGHT_GRADIENT = 2 } dk_conv_pass;
/// Floats of the workspace that a pass takes, at least 1: memory of the caller's whose contents mean nothing before and
/// after. The size depends on dk_winograd and on the instruction set, as the packed weights below do.
long dk_conv_workspace_size(const dk_conv_shape *shape, dk_conv_pass pass);

/// y[B,Ho,Wo,Co] (+)= conv(x[B,H,W,Ci], w[k,k,Ci,Co]) + bias[Co] + image_bias[B,Co] + residual[B,Ho,Wo,Co].
/// bias, image_bias, residual may be NULL.
void dk_conv_forward(const dk_conv_shape *shape, const float *x, const float *w, const float *bias,
                     const float *image_bias, const float *residual, float *y, int accumulate, float *workspace);
/// The same in two parts, for weights that are used more than once: conv_pack lays them out (and transforms them where
/// Winograd's method applies) in packed[dk_conv_packed_size]. The layout depends on the shape, its batch apart, on
/// dk_winograd and on the instruction set: all have to be the same for both.
long dk_conv_packed_size(const dk_conv_shape *shape);
void dk_conv_pack(const dk_conv_shape *shape, const float *w, float *packed);
void dk_conv_forward_packed(const dk_conv_shape *shape, const float *x, const float *packed, const float *bias,
                            const float *image_bias, const float *residual, float *y, int accumulate);
/// dx[B,H,W,Ci] (+)= the adjoint of dk_conv_forward in x, applied to g[B,Ho,Wo,Co].
void dk_conv_input_gradient(const dk_conv_shape *shape, const float *g, const float *w, float *dx, int accumulate,
                            float *workspace);
/// dw[k,k,Ci,Co] (+)= the adjoint in w.
void dk_conv_weight_gradient(const dk_conv_shape *shape, const float *x, const float *g, float *dw, int accumulate,
                             float *workspace);

// ---------------------------------------------------------------- reductions and channel-wise work

/// out[images,C] (+)= Σ over the P rows of each image of x[images,P,C].
void dk_sum_pixels(const float *x, long images, long pixels, long channels, float *out, int accumulate);
/// out[images,C] (+)= Σ over pixels of x·y.
void dk_dot_pixels(const float *x, const float *y, long images, long pixels, long channels, float *out, int accumulate);
/// y[r,c] (+)= x[r,c]·s[c]
void dk_scale_channels(const float *x, const float *s, long rows, long channels, float *y, int accumulate);
/// y[b,p,c] (+)= x[b,p,c]·a[b,c] + z[b,p,c]·d[b,c] + e[b,c]; the pairs (x,a), (z,d) and e may each be NULL.
void dk_affine_images(const float *x, const float *a, const float *z, const float *d, const float *e, long images,
                      long pixels, long channels, float *y, int accumulate);
/// Σ x·y in double, fixed order.
double dk_dot(const float *x, const float *y, long count);
/// Σ x in double, fixed order.
double dk_sum(const float *x, long count);
/// 1 when every value is finite.
int dk_all_finite(const float *x, long count);

// ---------------------------------------------------------------- normalisation
// Group normalisation is done as: moments per image and channel (dk_moments) → one affine map per image and channel
// (dk_group_norm_maps) → dk_affine_activation; backwards as dk_affine_activation_backward → dk_group_norm_backward →
// dk_affine_images.

/// mean[images,C] and variance[images,C] (biased) of x over the P pixels of each image and channel, computed about a
/// shift so that a large mean costs no accuracy.
void dk_moments(const float *x, long images, long pixels, long channels, float *mean, float *variance);

/// An array and its tangent (NULL: zero); an absent array has a NULL value.
typedef struct {
    const float *value, *tangent;
} dk_dual_in;
/// An array to be written, with its tangent where that is not NULL; with a NULL value it is skipped.
typedef struct {
    float *value, *tangent;
} dk_dual_out;

typedef struct {
    long images, pixels, channels, groups;
    const int32_t *group_of;  // [C], each in 0..<groups; groups may be unequal or empty
    double epsilon;
    dk_dual_in gamma, beta, gate;  // [C]; no gates: all one
    dk_dual_in scale, shift;       // [images,C]: y = (γ·x̂ + β)·(1 + scale) + shift; or absent
} dk_group_norm;

/// The maps z = a·x + d [images,C] from each channel's moments [images,C], moments of a group being weighted by the
/// gates. Tangents are computed when a has one. A group whose gates are all zero maps to zero.
void dk_group_norm_maps(const dk_group_norm *norm, dk_dual_in mean, dk_dual_in variance, dk_dual_out a, dk_dual_out d);

typedef struct {
    dk_dual_in mean, variance;      // [images,C]
    dk_dual_in a_bar, d_bar;        // [images,C]: adjoints of the maps, Σ gz·x and Σ gz
    dk_dual_in gate_sum;            // [images,C]: Σ g·φ(z); read only for the gates' gradient
    dk_dual_out slope, offset;      // [images,C]: ∂L/∂x = gz·a + x·slope + offset
    dk_dual_out gamma, beta, gate;  // [C]; the gates' may be absent
    dk_dual_out scale, shift;       // [images,C], or absent
} dk_group_norm_gradients;
/// Everything's gradient from the adjoints of the maps; tangents when slope has one, and then everywhere.
void dk_group_norm_backward(const dk_group_norm *norm, const dk_group_norm_gradients *gradients);

/// GELU is the exact one (erf).
typedef enum { DK_IDENTITY = 0, DK_SILU = 1, DK_GELU = 2, DK_RELU = 3, DK_MISH = 4 } dk_activation;

/// y = gate[c]·φ(z), z = x·a[b,c] + d[b,c]. gate may be NULL (all ones). Rows of y lie ld_y floats apart: `channels`,
/// or more where it is a part of a concatenation.
void dk_affine_activation(dk_activation kind, const float *x, const float *a, const float *d, const float *gate,
                          long images, long pixels, long channels, float *y, long ld_y);
/// Channels of a concatenation, [images,P,width].
typedef struct {
    const float *x;
    long width;
} dk_channels;
/// y[images,P,C] = gate·φ(group normalisation of the concatenation of `parts`), in one call and with nothing left
/// behind, for where there is no backward pass: the bits of the calls above. Tangents are not read.
void dk_group_norm_forward(const dk_group_norm *norm, dk_activation kind, const dk_channels *parts, long part_count,
                           float *y);
/// Given g = ∂L/∂y: writes gz = g·gate·φ'(z) [images,P,C] and, per image and channel, sums
/// sum_gz = Σ gz, sum_gzx = Σ gz·x, sum_gphi = Σ g·φ(z) (NULL to skip).
void dk_affine_activation_backward(dk_activation kind, const float *x, const float *a, const float *d,
                                   const float *gate, const float *g, long images, long pixels, long channels,
                                   float *gz, float *sum_gz, float *sum_gzx, float *sum_gphi);
/// Forward tangent: ẏ = gate_t·φ(z) + gate·φ'(z)·ż, ż = x_t·a + x·a_t + d_t. Any tangent may be NULL (zero).
void dk_affine_activation_tangent(dk_activation kind, const float *x, const float *a, const float *d, const float *gate,
                                  const float *x_t, const float *a_t, const float *d_t, const float *gate_t,
                                  long images, long pixels, long channels, float *y_t);
/// Tangent of the backward pass: gz_t = (g_t·gate + g·gate_t)·φ'(z) + g·gate·φ''(z)·ż and the tangents of the three
/// sums: Σ gz_t, Σ (gz_t·x + gz·x_t), Σ (g_t·φ(z) + g·φ'(z)·ż). Any tangent input may be NULL (zero).
void dk_affine_activation_backward_tangent(dk_activation kind, const float *x, const float *a, const float *d,
                                           const float *gate, const float *g, const float *x_t, const float *a_t,
                                           const float *d_t, const float *gate_t, const float *g_t, long images,
                                           long pixels, long channels, float *gz_t, float *sum_gz_t, float *sum_gzx_t,
                                           float *sum_gphi_t);

// ---------------------------------------------------------------- elementwise

/// y (+)= scale·φ^(order)(x)·(u or 1)·(v or 1), order 0, 1 or 2; u and v may be NULL.
/// order 0 with u = v = NULL is the activation, order 1 with u = g its backward pass.
void dk_activate(dk_activation kind, int order, float scale, const float *x, const float *u, const float *v, long count,
                 float *y, int accumulate);
/// Functions of one number: σ(x), eˣ, ln x, |x|, √x, 1/x, the sign (0 at 0), min(max(x, low), high), ln(1 + eˣ). The
/// derivative of |x| at 0 is 0, that of the clamp 1 from low to high, both included, and 0 beyond.
typedef enum {
    DK_SIGMOID = 0,
    DK_EXP = 1,
    DK_LOG = 2,
    DK_ABS = 3,
    DK_SQRT = 4,
    DK_RECIPROCAL = 5,
    DK_SIGN = 6,
    DK_CLAMP = 7,
    DK_SOFTPLUS = 8
} dk_function_kind;
typedef struct {
    dk_function_kind kind;
    float low, high;  // of DK_CLAMP
} dk_function;
/// y (+)= scale·f^(order)(x)·(u or 1)·(v or 1), order 0, 1 or 2; u and v may be NULL.
void dk_apply(dk_function function, int order, float scale, const float *x, const float *u, const float *v, long count,
              float *y, int accumulate);
/// y (+)= alpha·x + beta·z; z may be NULL.
void dk_linear_combination(float alpha, const float *x, float beta, const float *z, long count, float *y,
                           int accumulate);
/// y (+)= scale·x·z
void dk_multiply(float scale, const float *x, const float *z, long count, float *y, int accumulate);
void dk_fill(float value, float *y, long count);
/// dst[r, 0..<cols] (+)= src[r, 0..<cols] for rows r, ld_* floats apart: concatenation, slicing and their adjoints.
void dk_copy_matrix(const float *src, long ld_src, long rows, long cols, float *dst, long ld_dst, int accumulate);

/// Row-wise softmax of x[rows,cols]·scale.
void dk_softmax(const float *x, float scale, long rows, long cols, float *y);
/// dx (+)= scale·y·(g − Σ_row g·y), y being the softmax's output.
void dk_softmax_backward(const float *y, const float *g, float scale, long rows, long cols, float *dx, int accumulate);

// ---------------------------------------------------------------- attention

/// Multi-head attention softmax(scale·Q·Kᵀ)·V over the tokens of each image. Heads lie side by side in a row.
typedef struct {
    long batch, tokens, heads;
    const long *widths;  // [heads]: of each head's columns; may differ, or be zero
    long inner;          // their sum: floats between rows of the output, its gradient and the inputs' gradients
    long pitch;          // floats between rows of q, k and v
    float scale;
    dk_dual_in q, k, v;  // [B,T,inner]
} dk_attention;

/// Floats that a forward pass leaves for the backward pass, for each image, head and token.
#define DK_ATTENTION_STATISTICS 3

/// Floats of the workspaces of the two passes, at least 1; `tangents` when the backward pass is to compute them. They
/// depend on the number of threads and on the instruction set.
long dk_attention_forward_workspace(const dk_attention *attention);
long dk_attention_backward_workspace(const dk_attention *attention, int tangents);
/// out[B,T,inner]; its tangent where that is not NULL. statistics[B, heads, DK_ATTENTION_STATISTICS, T] or NULL.
void dk_attention_forward(const dk_attention *attention, dk_dual_out out, float *statistics, float *workspace);
/// dq, dk and dv [B,T,inner] from g = ∂L/∂out [B,T,inner] and what the forward pass computed; tangents when dq has one,
/// and then of all three.
void dk_attention_backward(const dk_attention *attention, dk_dual_in out, const float *statistics, dk_dual_in g,
                           dk_dual_out dq, dk_dual_out dk, dk_dual_out dv, float *workspace);

// ---------------------------------------------------------------- resampling

/// y[B,2H,2W,C] = nearest-neighbour upsampling of x[B,H,W,C].
void dk_upsample(const float *x, long batch, long height, long width, long channels, float *y);
/// dx[B,H,W,C] (+)= sums of g[B,2H,2W,C] over 2×2 blocks.
void dk_upsample_backward(const float *g, long batch, long height, long width, long channels, float *dx,
                          int accumulate);
/// Resampling by the separable filter (1, 3, 3, 1)/8, zeros beyond the image. Up to a factor each is the other's
/// adjoint: that of fir_downsample at gain 1 is fir_upsample at gain ¼, and the other way round at 4.
///
/// y[B,H,W,C] (+)= gain·Σ k_i·k_j·x[2h−1+i, 2w−1+j] of x[B,2H,2W,C].
void dk_fir_downsample(const float *x, long batch, long height, long width, long channels, float gain, float *y,
                       int accumulate);
/// y[B,2H,2W,C] (+)= gain·4 times the filter over x[B,H,W,C] with zeros between its pixels: in each direction
/// y[2q] = (x[q−1] + 3·x[q])/4 and y[2q+1] = (3·x[q] + x[q+1])/4.
void dk_fir_upsample(const float *x, long batch, long height, long width, long channels, float gain, float *y,
                     int accumulate);
/// 2×2 maxima with stride 2 of x[B,H,W,C]; an odd last row or column is left out. y[B,H/2,W/2,C] = what `from`, of x's
/// shape, holds where x is largest in each square, in the first such place: x itself, or its tangent.
void dk_max_pool(const float *x, const float *from, long batch, long height, long width, long channels, float *y);
/// dx[B,H,W,C] (+)= g[B,H/2,W/2,C] in those places, zero in the others.
void dk_max_pool_backward(const float *x, const float *g, long batch, long height, long width, long channels, float *dx,
                          int accumulate);
/// y[B,C,H,W] = x[B,H,W,C] and back.
void dk_nhwc_to_nchw(const float *x, long batch, long pixels, long channels, float *y);
void dk_nchw_to_nhwc(const float *x, long batch, long pixels, long channels, float *y);

// ---------------------------------------------------------------- optimisers

/// Adam on one flat array, by PyTorch's definition at step t:
///     g = grad_scale·gradient + l2·p              p −= decay·p
///     m += rest1·(g − m)                          v += rest2·(g² − v)
///     p −= step·m / (root·√v + ε)
/// with rest = 1 − β, step = lr / (1 − β₁^t), root = 1 / √(1 − β₂^t), and the weight decay in l2 (Adam) or, times lr,
/// in decay (AdamW). All are computed in double and rounded once: 1 − 0.999f is off by 1e-5, a factor 1 − decay by
/// percents of the decay.
typedef struct {
    float rest1, rest2, step, root, epsilon, l2, decay, grad_scale;
} dk_adam_options;
void dk_adam(const dk_adam_options *options, const float *gradient, long count, float *parameter, float *first_moment,
             float *second_moment);
/// SGD with momentum as PyTorch defines it (dampening 0):
///     g = grad_scale·gradient + weight_decay·p        buffer = momentum·buffer + g        p −= learning_rate·buffer
void dk_sgd(float learning_rate, float momentum, float weight_decay, float grad_scale, const float *gradient,
            long count, float *parameter, float *momentum_buffer);
/// average += rest·(value − average), rest = 1 − decay
void dk_ema(float rest, const float *value, long count, float *average);

#ifdef __cplusplus
}
#endif
