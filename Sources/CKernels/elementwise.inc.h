// Elementwise work on flat arrays, in chunks of a fixed size.

#define FLAT_CHUNK 16384

/// Runs body(i, n) for every vector of lo..<hi.
#define FOR_FLAT(lo, hi, body)                                                                                         \
    do {                                                                                                               \
        long i_ = (lo), full_ = (lo) + ((hi) - (lo)) / VL * VL;                                                        \
        for (; i_ < full_; i_ += VL) body(i_, VL);                                                                     \
        if (i_ < (hi)) body(i_, (hi) - i_);                                                                            \
    } while (0)

typedef struct {
    const float *x, *z, *v;
    float *y;
    float alpha, beta;
    dk_activation kind;
    int order, accumulate;
    long count;
} flat_job;

static void run_flat(flat_job *job, long cost, void (*item)(void *, long)) {
    if (job->count > 0) dk_region(ceil_div(job->count, FLAT_CHUNK), cost * job->count, item, job);
}
#define FLAT_RANGE(job)                                                                                                \
    long lo = index * FLAT_CHUNK, hi = min_long(lo + FLAT_CHUNK, (job)->count);                                        \
    const float *x = (job)->x, *z = (job)->z;                                                                          \
    float *y = (job)->y;                                                                                               \
    int accumulate = (job)->accumulate

INLINE vf activation_order(const dk_activation kind, const int order, vf x) {
    activation_values r = activation_at(kind, x, order);
    return order == 0 ? r.value : order == 1 ? r.first : r.second;
}

/// y (+)= alpha·F(x)·(z or 1)·(v or 1), by a function F of a vector that is defined where this is used.
#define APPLY(i, n)                                                                                                    \
    do {                                                                                                               \
        vf r = scale * F(vload_first(x + (i), n));                                                                     \
        if (z) r *= vload_first(z + (i), n);                                                                           \
        if (v) r *= vload_first(v + (i), n);                                                                           \
        if (accumulate) r += vload_first(y + (i), n);                                                                  \
        vstore_first(y + (i), r, n);                                                                                   \
    } while (0)

INLINE void activate_range(const dk_activation kind, const int order, const flat_job *job, long index) {
    FLAT_RANGE(job);
    const float *v = job->v;
    vf scale = vset(job->alpha);
#define F(x) activation_order(kind, order, x)
    FOR_FLAT(lo, hi, APPLY);
#undef F
}

static void activate_item(void *context, long index) {
    const flat_job *job = context;
#define CALL(KIND)                                                                                                     \
    switch (job->order) {                                                                                              \
    case 0: activate_range(KIND, 0, job, index); break;                                                                \
    case 1: activate_range(KIND, 1, job, index); break;                                                                \
    default: activate_range(KIND, 2, job, index); break;                                                               \
    }
    FOR_ACTIVATION(job->kind, CALL)
#undef CALL
}

static void activate(dk_activation kind, int order, float scale, const float *x, const float *u, const float *v,
                     long count, float *y, int accumulate) {
    flat_job job = {
        .x = x,
        .z = u,
        .v = v,
        .y = y,
        .alpha = scale,
        .kind = kind,
        .order = order,
        .accumulate = accumulate,
        .count = count
    };
    run_flat(&job, 4, activate_item);
}

static void linear_combination_item(void *context, long index) {
    const flat_job *job = context;
    FLAT_RANGE(job);
    vf alpha = vset(job->alpha), beta = vset(job->beta);
#define COMBINE(i, n)                                                                                                  \
    do {                                                                                                               \
        vf r = alpha * vload_first(x + (i), n);                                                                        \
        if (z) r = vfma(beta, vload_first(z + (i), n), r);                                                             \
        if (accumulate) r += vload_first(y + (i), n);                                                                  \
        vstore_first(y + (i), r, n);                                                                                   \
    } while (0)
    FOR_FLAT(lo, hi, COMBINE);
#undef COMBINE
}

static void linear_combination(float alpha, const float *x, float beta, const float *z, long count, float *y,
                               int accumulate) {
    flat_job job = {.x = x, .z = z, .y = y, .alpha = alpha, .beta = beta, .accumulate = accumulate, .count = count};
    run_flat(&job, 1, linear_combination_item);
}

static void multiply_item(void *context, long index) {
    const flat_job *job = context;
    FLAT_RANGE(job);
    vf scale = vset(job->alpha);
#define MULTIPLY(i, n)                                                                                                 \
    do {                                                                                                               \
        vf r = scale * vload_first(x + (i), n) * vload_first(z + (i), n);                                              \
        if (accumulate) r += vload_first(y + (i), n);                                                                  \
        vstore_first(y + (i), r, n);                                                                                   \
    } while (0)
    FOR_FLAT(lo, hi, MULTIPLY);
#undef MULTIPLY
}

static void multiply(float scale, const float *x, const float *z, long count, float *y, int accumulate) {
    flat_job job = {.x = x, .z = z, .y = y, .alpha = scale, .accumulate = accumulate, .count = count};
    run_flat(&job, 1, multiply_item);
}

static void fill_item(void *context, long index) {
    const flat_job *job = context;
    vf value = vset(job->alpha);
#define STORE(i, n) vstore_first(job->y + (i), value, n)
    FOR_FLAT(index * FLAT_CHUNK, min_long((index + 1) * FLAT_CHUNK, job->count), STORE);
#undef STORE
}

static void fill(float value, float *y, long count) {
    flat_job job = {.y = y, .alpha = value, .count = count};
    run_flat(&job, 1, fill_item);
}

typedef struct {
    const float *src;
    float *dst;
    long ld_src, ld_dst, rows, cols, rows_per_item;
    int accumulate;
} copy_job;

static void copy_item(void *context, long index) {
    const copy_job *job = context;
    for (long r = index * job->rows_per_item; r < min_long(job->rows, (index + 1) * job->rows_per_item); r++) {
        const float *src = job->src + r * job->ld_src;
        float *dst = job->dst + r * job->ld_dst;
        if (!job->accumulate) {
            memcpy(dst, src, (size_t)job->cols * sizeof(float));
            continue;
        }
#define ADD(i, n) vstore_first(dst + (i), vload_first(dst + (i), n) + vload_first(src + (i), n), n)
        FOR_FLAT(0, job->cols, ADD);
#undef ADD
    }
}

static void copy_matrix(const float *src, long ld_src, long rows, long cols, float *dst, long ld_dst, int accumulate) {
    if (rows <= 0 || cols <= 0) return;
    // Dense on both sides: one long row, cut into chunks, instead of many short ones.
    if (ld_src == cols && ld_dst == cols) {
        long count = rows * cols;
        cols = ld_src = ld_dst = min_long(count, FLAT_CHUNK);
        long tail = count % cols;
        rows = count / cols;
        if (tail) copy_matrix(src + rows * cols, tail + 1, 1, tail, dst + rows * cols, tail + 1, accumulate);
    }
    copy_job job = {src, dst, ld_src, ld_dst, rows, cols, max_long(1, FLAT_CHUNK / cols), accumulate};
    dk_region(ceil_div(rows, job.rows_per_item), rows * cols, copy_item, &job);
}
