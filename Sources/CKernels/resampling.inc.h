// Nearest-neighbour upsampling and the two layouts of an image.

typedef struct {
    const float *x;
    float *y;
    long rows, width, channels, pixels;
    int accumulate;
} resampling_job;

/// Item: one input row, over all images.
static void upsample_item(void *context, long row) {
    const resampling_job *j = context;
    long c = j->channels, line = 2 * j->width * c;
    const float *x = j->x + row * j->width * c;
    float *y = j->y + 2 * row * line;
    for (long q = 0; q < j->width; q++) {
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
    const resampling_job *j = context;
    long c = j->channels, line = 2 * j->width * c;
    int accumulate = j->accumulate;
    for (long q = 0; q < j->width; q++) {
        const float *g = j->x + 2 * row * line + 2 * q * c;
        float *dx = j->y + (row * j->width + q) * c;
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

#define TRANSPOSE_PIXELS 256

static void to_planes_item(void *context, long index) {
    const resampling_job *j = context;
    long chunks = ceil_div(j->pixels, TRANSPOSE_PIXELS), image = index / chunks;
    long p = index % chunks * TRANSPOSE_PIXELS, n = least(TRANSPOSE_PIXELS, j->pixels - p), size = j->pixels * j->channels;
    transpose_block(j->x + image * size + p * j->channels, n, j->channels, j->channels, j->y + image * size + p,
                     j->pixels);
}

static void from_planes_item(void *context, long index) {
    const resampling_job *j = context;
    long chunks = ceil_div(j->pixels, TRANSPOSE_PIXELS), image = index / chunks;
    long p = index % chunks * TRANSPOSE_PIXELS, n = least(TRANSPOSE_PIXELS, j->pixels - p), size = j->pixels * j->channels;
    transpose_block(j->x + image * size + p, j->channels, n, j->pixels, j->y + image * size + p * j->channels,
                     j->channels);
}

static void nhwc_to_nchw(const float *x, long batch, long pixels, long channels, float *y) {
    resampling_job job = {.x = x, .y = y, .pixels = pixels, .channels = channels};
    dk_region(batch * ceil_div(pixels, TRANSPOSE_PIXELS), 4 * batch * pixels * channels, to_planes_item, &job);
}
static void nchw_to_nhwc(const float *x, long batch, long pixels, long channels, float *y) {
    resampling_job job = {.x = x, .y = y, .pixels = pixels, .channels = channels};
    dk_region(batch * ceil_div(pixels, TRANSPOSE_PIXELS), 4 * batch * pixels * channels, from_planes_item, &job);
}
