// Row-wise softmax and its adjoint.

typedef struct {
    const float *x, *g;  // x: the logits, or the softmax itself in the adjoint
    float *y;
    float scale;
    long rows, cols, rows_per_item;
    int accumulate;
} softmax_job;

static void run_rows(softmax_job *job, long cost, void (*item)(void *, long)) {
    if (job->rows <= 0 || job->cols <= 0) return;
    job->rows_per_item = max_long(1, FLAT_CHUNK / 2 / job->cols);
    dk_region(ceil_div(job->rows, job->rows_per_item), cost * job->rows * job->cols, item, job);
}
#define FOR_ROWS(job, r)                                                                                               \
    for (long r = index * (job)->rows_per_item; r < min_long((job)->rows, (index + 1) * (job)->rows_per_item); r++)

static void softmax_item(void *context, long index) {
    const softmax_job *job = context;
    vf scale = vset(job->scale);
    FOR_ROWS(job, r) {
        const float *x = job->x + r * job->cols;
        float *y = job->y + r * job->cols;
        // A cut-short vector's missing lanes repeat the row's first value, which does not change the maximum.
        vf best = vset(job->scale * x[0]);
#define LARGEST(i, n)                                                                                                  \
    do {                                                                                                               \
        vf v = scale * ((n) < VL ? vload_first_or(x + (i), n, x[0]) : vload(x + (i)));                                 \
        best = vselect(v > best, v, best);                                                                             \
    } while (0)
        FOR_FLAT(0, job->cols, LARGEST);
#undef LARGEST
        vf shift = vset(vmax_lane(best)), sum = vset(0.0f);
#define EXPONENTIATE(i, n)                                                                                             \
    do {                                                                                                               \
        vf e = vexp(vfma(scale, vload_first(x + (i), n), -shift));                                                     \
        if ((n) < VL) e = keep_first(e, n);                                                                            \
        sum += e;                                                                                                      \
        vstore_first(y + (i), e, n);                                                                                   \
    } while (0)
        FOR_FLAT(0, job->cols, EXPONENTIATE);
#undef EXPONENTIATE
        vf inverse = vset(1.0f / vsum_lanes(sum));
#define NORMALIZE(i, n) vstore_first(y + (i), vload_first(y + (i), n) * inverse, n)
        FOR_FLAT(0, job->cols, NORMALIZE);
#undef NORMALIZE
    }
}

static void softmax(const float *x, float scale, long rows, long cols, float *y) {
    softmax_job job = {.x = x, .y = y, .scale = scale, .rows = rows, .cols = cols};
    run_rows(&job, 4, softmax_item);
}

/// Σ a·b over n floats.
INLINE float row_dot(const float *a, const float *b, long count) {
    vf sum = vset(0.0f);
#define ADD(i, n) sum = vfma(vload_first(a + (i), n), vload_first(b + (i), n), sum)
    FOR_FLAT(0, count, ADD);
#undef ADD
    return vsum_lanes(sum);
}

static void softmax_backward_item(void *context, long index) {
    const softmax_job *job = context;
    int accumulate = job->accumulate;
    vf scale = vset(job->scale);
    FOR_ROWS(job, r) {
        const float *y = job->x + r * job->cols, *g = job->g + r * job->cols;
        float *dx = job->y + r * job->cols;
        vf mean = vset(row_dot(g, y, job->cols));
#define PULL_BACK(i, n)                                                                                                \
    do {                                                                                                               \
        vf v = scale * vload_first(y + (i), n) * (vload_first(g + (i), n) - mean);                                     \
        if (accumulate) v += vload_first(dx + (i), n);                                                                 \
        vstore_first(dx + (i), v, n);                                                                                  \
    } while (0)
        FOR_FLAT(0, job->cols, PULL_BACK);
#undef PULL_BACK
    }
}

static void softmax_backward(const float *y, const float *g, float scale, long rows, long cols, float *dx,
                             int accumulate) {
    softmax_job job = {.x = y, .g = g, .y = dx, .scale = scale, .rows = rows, .cols = cols, .accumulate = accumulate};
    run_rows(&job, 2, softmax_backward_item);
}
