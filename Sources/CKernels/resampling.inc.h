// Nearest-neighbour upsampling, resampling by a fixed filter, maxima of squares, and the two layouts of an image. Plain
// references are Reference.upsample, filterDown, filterUp and maxPool.

typedef struct {
    const float *x;
    float *y;
    long rows, width, channels, pixels;
    int accumulate;
} resampling_job;

/// Item: one input row, over all images.
static void upsample_item(void *context, long row) {
    const resampling_job *job = context;
    long c = job->channels, line = 2 * job->width * c;
    const float *x = job->x + row * job->width * c;
    float *y = job->y + 2 * row * line;
    for (long q = 0; q < job->width; q++) {
        memcpy(y + 2 * q * c, x + q * c, (size_t)c * sizeof(float));
        memcpy(y + (2 * q + 1) * c, x + q * c, (size_t)c * sizeof(float));
    }
    memcpy(y + line, y, (size_t)line * sizeof(float));
}

static void upsample(const float *x, long batch, long height, long width, long channels, float *y) {
    resampling_job job = {.x = x, .y = y, .width = width, .channels = channels};
    dk_region(batch * height, 4 * batch * height * width * channels, upsample_item, &job);
}

static void upsample_backward_item(void *context, long row) {
    const resampling_job *job = context;
    long c = job->channels, line = 2 * job->width * c;
    int accumulate = job->accumulate;
    for (long q = 0; q < job->width; q++) {
        const float *g = job->x + 2 * row * line + 2 * q * c;
        float *dx = job->y + (row * job->width + q) * c;
#define ADD(i, n)                                                                                                      \
    do {                                                                                                               \
        vf v = (vload_first(g + (i), n) + vload_first(g + c + (i), n)) +                                               \
               (vload_first(g + line + (i), n) + vload_first(g + line + c + (i), n));                                  \
        if (accumulate) v += vload_first(dx + (i), n);                                                                 \
        vstore_first(dx + (i), v, n);                                                                                  \
    } while (0)
        FOR_FLAT(0, c, ADD);
#undef ADD
    }
}

static void upsample_backward(const float *g, long batch, long height, long width, long channels, float *dx,
                              int accumulate) {
    resampling_job job = {.x = g, .y = dx, .width = width, .channels = channels, .accumulate = accumulate};
    dk_region(batch * height, 4 * batch * height * width * channels, upsample_backward_item, &job);
}

/// Where one output row (or column) of a filtered image reads, and with which weights; what lies beyond is zero.
typedef struct {
    long index[4];
    float weight[4];
    int count;
} fir_taps;

static fir_taps fir_taps_at(long position, long extent, int up) {
    static const float down_weights[4] = {0.125f, 0.375f, 0.375f, 0.125f};
    static const float up_weights[2][2] = {{0.25f, 0.75f}, {0.75f, 0.25f}};
    const float *weights = up ? up_weights[position & 1] : down_weights;
    long first = up ? (position + 1) / 2 - 1 : 2 * position - 1;
    fir_taps taps = {.count = 0};
    for (int i = 0; i < (up ? 2 : 4); i++) {
        if (first + i < 0 || first + i >= extent) continue;
        taps.index[taps.count] = first + i;
        taps.weight[taps.count++] = weights[i];
    }
    return taps;
}

typedef struct {
    const float *x;
    float *y;
    long in_height, in_width, out_height, out_width, channels;
    float gain;
    int up, accumulate;
} fir_job;

/// Item: one output row, over all images.
static void fir_item(void *context, long row) {
    const fir_job *job = context;
    long c = job->channels, line = job->in_width * c;
    const float *x = job->x + row / job->out_height * job->in_height * line;
    fir_taps vertical = fir_taps_at(row % job->out_height, job->in_height, job->up);
    for (long q = 0; q < job->out_width; q++) {
        fir_taps horizontal = fir_taps_at(q, job->in_width, job->up);
        float *y = job->y + (row * job->out_width + q) * c;
#define FILTER(i, n)                                                                                                   \
    do {                                                                                                               \
        vf v = {0};                                                                                                    \
        for (int a = 0; a < vertical.count; a++)                                                                       \
            for (int b = 0; b < horizontal.count; b++)                                                                 \
                v = vfma(vset(job->gain * vertical.weight[a] * horizontal.weight[b]),                                  \
                         vload_first(x + vertical.index[a] * line + horizontal.index[b] * c + (i), n), v);             \
        if (job->accumulate) v += vload_first(y + (i), n);                                                             \
        vstore_first(y + (i), v, n);                                                                                   \
    } while (0)
        FOR_FLAT(0, c, FILTER);
#undef FILTER
    }
}

static void fir_downsample(const float *x, long batch, long height, long width, long channels, float gain, float *y,
                           int accumulate) {
    fir_job job = {
        .x = x,
        .y = y,
        .in_height = 2 * height,
        .in_width = 2 * width,
        .out_height = height,
        .out_width = width,
        .channels = channels,
        .gain = gain,
        .up = 0,
        .accumulate = accumulate
    };
    dk_region(batch * height, 16 * batch * height * width * channels, fir_item, &job);
}
static void fir_upsample(const float *x, long batch, long height, long width, long channels, float gain, float *y,
                         int accumulate) {
    fir_job job = {
        .x = x,
        .y = y,
        .in_height = height,
        .in_width = width,
        .out_height = 2 * height,
        .out_width = 2 * width,
        .channels = channels,
        .gain = gain,
        .up = 1,
        .accumulate = accumulate
    };
    dk_region(2 * batch * height, 16 * batch * height * width * channels, fir_item, &job);
}

typedef struct {
    const float *x, *from;
    float *to;
    long height, width, channels;  // of the larger image
    int accumulate;
} max_pool_job;

/// Of the four of a square: −1 in the lanes of the first that no other exceeds.
INLINE void first_largest(const float *x, long line, long c, long n, vi taken[4]) {
    vf largest = vload_first(x, n);
    taken[0] = vseti(-1);
    for (int k = 1; k < 4; k++) {
        vf other = vload_first(x + (k >> 1) * line + (k & 1) * c, n);
        vi exceeds = other > largest;
        largest = vselect(exceeds, other, largest);
        for (int j = 0; j < k; j++) taken[j] &= ~exceeds;
        taken[k] = exceeds;
    }
}

/// Item: one row of the smaller image, over all images.
static void max_pool_item(void *context, long row) {
    const max_pool_job *job = context;
    long c = job->channels, line = job->width * c, rows = job->height / 2, columns = job->width / 2;
    long place = (row / rows * job->height + row % rows * 2) * line;
    for (long q = 0; q < columns; q++) {
        const float *x = job->x + place + 2 * q * c, *from = job->from + place + 2 * q * c;
        float *y = job->to + (row * columns + q) * c;
#define TAKE(i, n)                                                                                                     \
    do {                                                                                                               \
        vi taken[4];                                                                                                   \
        first_largest(x + (i), line, c, n, taken);                                                                     \
        vf v = {0};                                                                                                    \
        for (int k = 0; k < 4; k++)                                                                                    \
            v = vselect(taken[k], vload_first(from + (k >> 1) * line + (k & 1) * c + (i), n), v);                      \
        vstore_first(y + (i), v, n);                                                                                   \
    } while (0)
        FOR_FLAT(0, c, TAKE);
#undef TAKE
    }
}

static void max_pool(const float *x, const float *from, long batch, long height, long width, long channels, float *y) {
    max_pool_job job = {.x = x, .from = from, .to = y, .height = height, .width = width, .channels = channels};
    dk_region(batch * (height / 2), 4 * batch * height * width * channels, max_pool_item, &job);
}

static void max_pool_backward_item(void *context, long row) {
    const max_pool_job *job = context;
    long c = job->channels, line = job->width * c, rows = job->height / 2, columns = job->width / 2;
    long place = (row / rows * job->height + row % rows * 2) * line;
    int accumulate = job->accumulate;
    for (long q = 0; q < columns; q++) {
        const float *x = job->x + place + 2 * q * c, *g = job->from + (row * columns + q) * c;
        float *dx = job->to + place + 2 * q * c;
#define GIVE(i, n)                                                                                                     \
    do {                                                                                                               \
        vi taken[4];                                                                                                   \
        first_largest(x + (i), line, c, n, taken);                                                                     \
        vf gv = vload_first(g + (i), n);                                                                               \
        for (int k = 0; k < 4; k++) {                                                                                  \
            float *target = dx + (k >> 1) * line + (k & 1) * c + (i);                                                  \
            vf v = vselect(taken[k], gv, (vf){0});                                                                     \
            if (accumulate) v += vload_first(target, n);                                                               \
            vstore_first(target, v, n);                                                                                \
        }                                                                                                              \
    } while (0)
        FOR_FLAT(0, c, GIVE);
#undef GIVE
    }
}

static void max_pool_backward(const float *x, const float *g, long batch, long height, long width, long channels,
                              float *dx, int accumulate) {
    max_pool_job job = {
        .x = x, .from = g, .to = dx, .height = height, .width = width, .channels = channels, .accumulate = accumulate
    };
    // An odd last row or column is in no square.
    if (!accumulate && (height % 2 || width % 2)) memset(dx, 0, (size_t)(batch * height * width * channels) * 4);
    dk_region(batch * (height / 2), 4 * batch * height * width * channels, max_pool_backward_item, &job);
}

#define TRANSPOSE_PIXELS 256

static void to_planes_item(void *context, long index) {
    const resampling_job *job = context;
    long chunks = ceil_div(job->pixels, TRANSPOSE_PIXELS), image = index / chunks;
    long p = index % chunks * TRANSPOSE_PIXELS, n = min_long(TRANSPOSE_PIXELS, job->pixels - p);
    long size = job->pixels * job->channels;
    transpose_block(job->x + image * size + p * job->channels, n, job->channels, job->channels,
                    job->y + image * size + p, job->pixels);
}

static void from_planes_item(void *context, long index) {
    const resampling_job *job = context;
    long chunks = ceil_div(job->pixels, TRANSPOSE_PIXELS), image = index / chunks;
    long p = index % chunks * TRANSPOSE_PIXELS, n = min_long(TRANSPOSE_PIXELS, job->pixels - p);
    long size = job->pixels * job->channels;
    transpose_block(job->x + image * size + p, job->channels, n, job->pixels, job->y + image * size + p * job->channels,
                    job->channels);
}

static void nhwc_to_nchw(const float *x, long batch, long pixels, long channels, float *y) {
    resampling_job job = {.x = x, .y = y, .pixels = pixels, .channels = channels};
    dk_region(batch * ceil_div(pixels, TRANSPOSE_PIXELS), 4 * batch * pixels * channels, to_planes_item, &job);
}
static void nchw_to_nhwc(const float *x, long batch, long pixels, long channels, float *y) {
    resampling_job job = {.x = x, .y = y, .pixels = pixels, .channels = channels};
    dk_region(batch * ceil_div(pixels, TRANSPOSE_PIXELS), 4 * batch * pixels * channels, from_planes_item, &job);
}
