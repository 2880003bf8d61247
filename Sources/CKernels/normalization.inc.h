// Moments, and the affine map with activation that normalisation layers are made of, with its backward pass.
// What group normalisation makes of them is derived in group_norm.c.

// ---------------------------------------------------------------- moments

#define MOMENT_SHIFT_PIXELS 8  // the shift is the mean of this many pixels

typedef struct {
    image_view view;
    const float *x;
    float *shift;    // [images, channels]
    float *partial;  // [images, blocks, 2, channels]: Σ (x − shift), Σ (x − shift)²
    float *mean, *variance;
} moment_job;

static void moment_shift_item(void *context, long image) {
    const moment_job *job = context;
    long channels = job->view.channels, count = min_long(MOMENT_SHIFT_PIXELS, job->view.pixels);
    const float *x = job->x + image * job->view.pixels * channels;
    for (long c = 0; c < channels; c += VL) {
        long n = min_long(VL, channels - c);
        vf sum = vset(0.0f);
        for (long p = 0; p < count; p++) sum += vload_first(x + p * channels + c, n);
        vstore_first(job->shift + image * channels + c, sum * vset(1 / (float)count), n);
    }
}

#define MOMENT_VECTORS 4  // of a period, whose sums are held in registers

/// Sums over the rows of a block, `period` apart, of `vectors` vectors of each: the block has `total` floats from x on.
INLINE void moment_columns(const int vectors, const float *x, long total, long period, const float *shift, float *sums,
                           float *squares) {
    vf offset[MOMENT_VECTORS], sum[MOMENT_VECTORS], square[MOMENT_VECTORS];
    UNROLL for (int q = 0; q < vectors; q++) {
        offset[q] = vload(shift + q * VL);
        sum[q] = square[q] = (vf){0};
    }
    long i = 0;
    for (; i + vectors * VL <= total; i += period) {
        UNROLL for (int q = 0; q < vectors; q++) {
            vf t = vload(x + i + q * VL) - offset[q];
            sum[q] += t;
            square[q] = vfma(t, t, square[q]);
        }
    }
    UNROLL for (int q = 0; q < vectors; q++) {
        long n = min_long(VL, total - i - q * VL);
        if (n > 0) {
            // Lanes beyond the image's end must hold zero, not −shift.
            vf t = keep_first(vload_first(x + i + q * VL, n) - offset[q], n);
            sum[q] += t;
            square[q] = vfma(t, t, square[q]);
        }
        vstore(sums + q * VL, sum[q]);
        vstore(squares + q * VL, square[q]);
    }
}

static void moment_item(void *context, long index) {
    const moment_job *job = context;
    const image_view *v = &job->view;
    image_block b = block_at(v, index);
    float *sums = dk_scratch(DK_LOCAL_A, 3 * v->period), *squares = sums + v->period;
    const float *shift = repeat_coefficients(v, job->shift + b.image * v->channels, 0.0f, sums + 2 * v->period);
    const float *x = job->x + b.offset;
    long k = 0;
    for (; k + MOMENT_VECTORS * VL <= v->period; k += MOMENT_VECTORS * VL)
        moment_columns(MOMENT_VECTORS, x + k, b.count - k, v->period, shift + k, sums + k, squares + k);
    for (; k < v->period; k += VL) moment_columns(1, x + k, b.count - k, v->period, shift + k, sums + k, squares + k);
    float *partial = job->partial + index * 2 * v->channels;
    fold_period(v, sums, partial);
    fold_period(v, squares, partial + v->channels);
}

static void moment_finish_item(void *context, long image) {
    const moment_job *job = context;
    long channels = job->view.channels, blocks = job->view.blocks;
    double inverse = 1.0 / (double)job->view.pixels;
    const float *partial = job->partial + image * blocks * 2 * channels;
    for (long c = 0; c < channels; c++) {
        double sum = 0, squares = 0;
        for (long b = 0; b < blocks; b++) {
            sum += partial[b * 2 * channels + c];
            squares += partial[(b * 2 + 1) * channels + c];
        }
        double offset = sum * inverse, variance = squares * inverse - offset * offset;
        job->mean[image * channels + c] = (float)(job->shift[image * channels + c] + offset);
        // Rounding can leave a tiny negative; a NaN stays.
        job->variance[image * channels + c] = variance < 0 ? 0.0f : (float)variance;
    }
}

static void moments(const float *x, long images, long pixels, long channels, float *mean, float *variance) {
    if (images <= 0 || pixels <= 0 || channels <= 0) return;
    moment_job job = {.view = view_of(images, pixels, channels), .x = x, .mean = mean, .variance = variance};
    long items = images * job.view.blocks;
    job.shift = dk_scratch(DK_SHARED_A, images * channels + items * 2 * channels);
    job.partial = job.shift + images * channels;
    dk_region(images, images * channels * MOMENT_SHIFT_PIXELS, moment_shift_item, &job);
    dk_region(items, 2 * images * pixels * channels, moment_item, &job);
    dk_region(images, items * channels * 16, moment_finish_item, &job);
}

// ---------------------------------------------------------------- forward

typedef struct {
    image_view view;
    dk_activation kind;
    const float *x, *a, *d, *gate, *g;
    float *y;        // or gz
    long ld_y;       // floats between rows of y
    float *partial;  // [images, blocks, 3, channels], or NULL
} affine_activation_job;

INLINE void affine_activation_block(const dk_activation kind, const affine_activation_job *job, image_block b,
                                    float *y) {
    const image_view *v = &job->view;
    float *room = dk_scratch(DK_LOCAL_A, 3 * v->period);
    long at = b.image * v->channels;
    const float *a = repeat_coefficients(v, job->a + at, 0.0f, room);
    const float *d = repeat_coefficients(v, job->d + at, 0.0f, room + v->period);
    const float *gate = job->gate ? repeat_coefficients(v, job->gate, 1.0f, room + 2 * v->period) : NULL;
    const float *x = job->x + b.offset;
#define APPLY(i, k, n)                                                                                                 \
    do {                                                                                                               \
        vf z = vfma(vload_first(x + (i), n), vload(a + (k)), vload(d + (k)));                                          \
        vf r = activation_at(kind, z, 0).value;                                                                        \
        if (gate) r *= vload(gate + (k));                                                                              \
        vstore_first(y + (i), r, n);                                                                                   \
    } while (0)
    FOR_BLOCK(v, b.count, APPLY);
#undef APPLY
}

static void affine_activation_item(void *context, long index) {
    const affine_activation_job *job = context;
    image_block b = block_at(&job->view, index);
    long channels = job->view.channels, first = b.offset / channels;
    // A block is whole rows: where those of y lie apart, they are made side by side first.
    int apart = job->ld_y != channels;
    float *y = apart ? dk_scratch(DK_LOCAL_B, b.count) : job->y + b.offset;
#define CALL(KIND) affine_activation_block(KIND, job, b, y)
    FOR_ACTIVATION(job->kind, CALL)
#undef CALL
    for (long r = 0; apart && r < b.count / channels; r++)
        memcpy(job->y + (first + r) * job->ld_y, y + r * channels, (size_t)channels * sizeof(float));
}

static void affine_activation(dk_activation kind, const float *x, const float *a, const float *d, const float *gate,
                              long images, long pixels, long channels, float *y, long ld_y) {
    if (images <= 0 || pixels <= 0 || channels <= 0) return;
    affine_activation_job job = {
        .view = view_of(images, pixels, channels),
        .kind = kind,
        .x = x,
        .a = a,
        .d = d,
        .gate = gate,
        .y = y,
        .ld_y = ld_y
    };
    dk_region(images * job.view.blocks, 4 * images * pixels * channels, affine_activation_item, &job);
}

// ---------------------------------------------------------------- backward

/// Coefficients of one image over a period.
typedef struct {
    const float *a, *d, *gate;
} affine_coefficients;

/// From a and d [images, channels], NULL for zeros, and gate [channels], NULL for `no_gate`. `room` has three periods.
static affine_coefficients affine_coefficients_of(const image_view *v, long image, const float *a, const float *d,
                                                  const float *gate, float no_gate, float *room) {
    long at = image * v->channels;
    return (affine_coefficients){
        repeat_coefficients(v, a ? a + at : NULL, 0.0f, room),
        repeat_coefficients(v, d ? d + at : NULL, 0.0f, room + v->period),
        repeat_coefficients(v, gate, no_gate, room + 2 * v->period)
    };
}

/// What a block sums over its pixels, a period each: gz, gz·x and g·φ(z), or the tangent of each.
typedef struct {
    float *gz, *gzx, *gphi;
} adjoint_sums;

static adjoint_sums clear_adjoint_sums(const image_view *v, float *room) {
    memset(room, 0, (size_t)(3 * v->period) * sizeof(float));
    return (adjoint_sums){room, room + v->period, room + 2 * v->period};
}

static void fold_adjoint_sums(const affine_activation_job *job, long index, adjoint_sums sums) {
    const image_view *v = &job->view;
    float *partial = job->partial + index * 3 * v->channels;
    fold_period(v, sums.gz, partial);
    fold_period(v, sums.gzx, partial + v->channels);
    fold_period(v, sums.gphi, partial + 2 * v->channels);
}

/// Runs `item` with `context` over all blocks, and adds what they leave in job->partial to the three sums.
static void run_backward(affine_activation_job *job, void *context, void (*item)(void *, long), long cost,
                         float *sum_gz, float *sum_gzx, float *sum_gphi) {
    const image_view *v = &job->view;
    long items = v->images * v->blocks;
    job->partial = dk_scratch(DK_SHARED_A, items * 3 * v->channels);
    dk_region(items, cost * v->images * v->pixels * v->channels, item, context);
    block_sums sums = {v, job->partial, 3, {sum_gz, sum_gzx, sum_gphi}, 0};
    add_blocks(&sums);
}

INLINE void affine_activation_backward_block(const dk_activation kind, const affine_activation_job *job, long index) {
    const image_view *v = &job->view;
    image_block b = block_at(v, index);
    float *room = dk_scratch(DK_LOCAL_A, 6 * v->period);
    affine_coefficients c = affine_coefficients_of(v, b.image, job->a, job->d, job->gate, 1.0f, room);
    adjoint_sums sums = clear_adjoint_sums(v, room + 3 * v->period);
    const float *x = job->x + b.offset, *g = job->g + b.offset;
    float *gz = job->y + b.offset;
#define PULL_BACK(i, k, n)                                                                                             \
    do {                                                                                                               \
        vf xv = vload_first(x + (i), n), gv = vload_first(g + (i), n);                                                 \
        vf z = vfma(xv, vload(c.a + (k)), vload(c.d + (k)));                                                           \
        activation_values phi = activation_at(kind, z, 1);                                                             \
        vf r = gv * vload(c.gate + (k)) * phi.first;                                                                   \
        vstore_first(gz + (i), r, n);                                                                                  \
        vstore(sums.gz + (k), vload(sums.gz + (k)) + r);                                                               \
        vstore(sums.gzx + (k), vfma(r, xv, vload(sums.gzx + (k))));                                                    \
        vstore(sums.gphi + (k), vfma(gv, phi.value, vload(sums.gphi + (k))));                                          \
    } while (0)
    FOR_BLOCK(v, b.count, PULL_BACK);
#undef PULL_BACK
    fold_adjoint_sums(job, index, sums);
}

static void affine_activation_backward_item(void *context, long index) {
    const affine_activation_job *job = context;
#define CALL(KIND) affine_activation_backward_block(KIND, job, index)
    FOR_ACTIVATION(job->kind, CALL)
#undef CALL
}

static void affine_activation_backward(dk_activation kind, const float *x, const float *a, const float *d,
                                       const float *gate, const float *g, long images, long pixels, long channels,
                                       float *gz, float *sum_gz, float *sum_gzx, float *sum_gphi) {
    if (images <= 0 || channels <= 0) return;
    affine_activation_job job = {
        .view = view_of(images, pixels, channels), .kind = kind, .x = x, .a = a, .d = d, .gate = gate, .g = g, .y = gz
    };
    run_backward(&job, &job, affine_activation_backward_item, 6, sum_gz, sum_gzx, sum_gphi);
}
