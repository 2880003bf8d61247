// Sums and tests over whole arrays.

#define DOT_LANES (VL / 2)
typedef double vd __attribute__((vector_size(DOT_LANES * 8)));
typedef float half_vf __attribute__((vector_size(DOT_LANES * 4)));
typedef float half_vf_unaligned __attribute__((vector_size(DOT_LANES * 4), aligned(4), may_alias));

INLINE vd load_double(const float *p) { return __builtin_convertvector((half_vf)(*(const half_vf_unaligned *)p), vd); }

typedef struct {
    const float *x, *y;
    long count;
    double *partial;
} reduction_job;

static void dot_item(void *context, long index) {
    const reduction_job *job = context;
    long lo = index * FLAT_CHUNK, hi = min_long(lo + FLAT_CHUNK, job->count), i = lo;
    vd sum[4] = {{0}, {0}, {0}, {0}};
    for (; i + 4 * DOT_LANES <= hi; i += 4 * DOT_LANES) {
        UNROLL for (int q = 0; q < 4; q++) {
            long at = i + q * DOT_LANES;
            sum[q] += load_double(job->x + at) * load_double(job->y + at);
        }
    }
    vd all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    double total = 0;
    for (int q = 0; q < DOT_LANES; q++) total += all[q];
    for (; i < hi; i++) total += (double)job->x[i] * (double)job->y[i];
    job->partial[index] = total;
}

/// The sum of the chunks' partial results, in order.
static double run_reduction(const float *x, const float *y, long count, void (*item)(void *, long)) {
    if (count <= 0) return 0;
    long chunks = ceil_div(count, FLAT_CHUNK);
    reduction_job job = {x, y, count, (double *)dk_scratch(DK_SHARED_A, 2 * chunks)};
    dk_region(chunks, 2 * count, item, &job);
    double total = 0;
    for (long i = 0; i < chunks; i++) total += job.partial[i];
    return total;
}

static double dot(const float *x, const float *y, long count) { return run_reduction(x, y, count, dot_item); }

static void sum_item(void *context, long index) {
    const reduction_job *job = context;
    long lo = index * FLAT_CHUNK, hi = min_long(lo + FLAT_CHUNK, job->count), i = lo;
    vd sum[4] = {{0}, {0}, {0}, {0}};
    for (; i + 4 * DOT_LANES <= hi; i += 4 * DOT_LANES)
        UNROLL for (int q = 0; q < 4; q++) sum[q] += load_double(job->x + i + q * DOT_LANES);
    vd all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    double total = 0;
    for (int q = 0; q < DOT_LANES; q++) total += all[q];
    for (; i < hi; i++) total += (double)job->x[i];
    job->partial[index] = total;
}

static double sum(const float *x, long count) { return run_reduction(x, NULL, count, sum_item); }

static void all_finite_item(void *context, long index) {
    const reduction_job *job = context;
    long lo = index * FLAT_CHUNK, hi = min_long(lo + FLAT_CHUNK, job->count);
    vi bad = {0};
    // An infinity or NaN has all exponent bits set.
#define LOOK(i, n) bad |= ((vi)vload_first(job->x + (i), n) & 0x7f800000) == vseti(0x7f800000)
    FOR_FLAT(lo, hi, LOOK);
#undef LOOK
    int any = 0;
    for (int q = 0; q < VL; q++) any |= bad[q];
    job->partial[index] = any != 0;
}

static int all_finite(const float *x, long count) {
    if (count <= 0) return 1;
    long chunks = ceil_div(count, FLAT_CHUNK);
    reduction_job job = {.x = x, .count = count, .partial = (double *)dk_scratch(DK_SHARED_A, 2 * chunks)};
    dk_region(chunks, count, all_finite_item, &job);
    for (long i = 0; i < chunks; i++)
        if (job.partial[i] != 0) return 0;
    return 1;
}
