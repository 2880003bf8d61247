// Channel-wise work on [images, pixels, channels], whatever the channel count: an image is one flat run of floats in
// which the channel repeats, so that per-channel coefficients are repeated up to a *period*, a common multiple of the
// channel count and the vector length, and loops run over full vectors. Only an image's last vector can be cut short.
//
// An image is worked on in blocks of whole periods. Blocks depend on its own pixels and channels only; a sum is
// formed per block (in lanes, then folded onto the channels) and the blocks' sums are added in order, in double.

#define MIN_PERIOD (8 * VL)
#define MIN_BLOCK 8192

typedef struct {
    long images, pixels, channels;
    long period, block, blocks;  // floats of a period and of a block; blocks of an image
} image_view;

static image_view view_of(long images, long pixels, long channels) {
    image_view v = {.images = images, .pixels = pixels, .channels = channels};
    long divisor = VL;
    while (channels % divisor) divisor /= 2;
    v.period = channels * (VL / divisor);
    v.period *= ceil_div(MIN_PERIOD, v.period);
    v.block = v.period * max_long(4, ceil_div(MIN_BLOCK, v.period));
    v.blocks = max_long(1, ceil_div(pixels * channels, v.block));
    return v;
}

/// The floats of block `index` (of all images' blocks): offset into the tensor, count, and the image.
typedef struct {
    long image, offset, count;
} image_block;

INLINE image_block block_at(const image_view *v, long index) {
    long image = index / v->blocks, start = index % v->blocks * v->block, size = v->pixels * v->channels;
    return (image_block){image, image * size + start, min_long(v->block, size - start)};
}

/// Repeats `channels` coefficients over a period; `absent` stands for a NULL.
static const float *repeat_coefficients(const image_view *v, const float *coefficients, float absent, float *dst) {
    if (!coefficients) {
        for (long i = 0; i < v->period; i += VL) vstore(dst + i, vset(absent));
        return dst;
    }
    if (v->period == v->channels) return coefficients;
    memcpy(dst, coefficients, (size_t)v->channels * sizeof(float));
    for (long done = v->channels; done < v->period;) {
        long n = min_long(done, v->period - done);
        memcpy(dst + done, dst, (size_t)n * sizeof(float));
        done += n;
    }
    return dst;
}

static void clear_period(const image_view *v, float *sums) { memset(sums, 0, (size_t)v->period * sizeof(float)); }

/// Folds a period of lane sums onto the channels.
static void fold_period(const image_view *v, const float *sums, float *out) {
    memcpy(out, sums, (size_t)v->channels * sizeof(float));
    for (long at = v->channels; at < v->period; at += v->channels)
        for (long c = 0; c < v->channels; c++) out[c] += sums[at + c];
}

/// Runs body(i, k, n) for every vector of a block: i floats into it, k into the period, n ≤ VL floats of it.
/// `body` must be an always-inlined call; the last vector alone takes the partial path.
#define FOR_BLOCK(view, total, body)                                                                                   \
    do {                                                                                                               \
        long full_ = (total) / VL * VL, i_ = 0;                                                                        \
        while (i_ < full_) {                                                                                           \
            long end_ = min_long((view)->period, full_ - i_);                                                          \
            for (long k_ = 0; k_ < end_; k_ += VL) body(i_ + k_, k_, VL);                                              \
            i_ += end_;                                                                                                \
        }                                                                                                              \
        if (full_ < (total)) body(full_, full_ % (view)->period, (total) - full_);                                     \
    } while (0)

// ---------------------------------------------------------------- sums of blocks

/// Adds the blocks' partial sums [images, blocks, quantities, channels] in order.
typedef struct {
    const image_view *view;
    const float *partial;
    long quantities;
    float *out[3];  // NULL to skip
    int accumulate;
} block_sums;

static void add_blocks_item(void *context, long image) {
    const block_sums *s = context;
    long channels = s->view->channels, blocks = s->view->blocks, step = s->quantities * channels;
    for (long q = 0; q < s->quantities; q++) {
        if (!s->out[q]) continue;
        float *out = s->out[q] + image * channels;
        const float *partial = s->partial + image * blocks * step + q * channels;
        for (long c = 0; c < channels; c++) {
            double sum = s->accumulate ? out[c] : 0.0;
            for (long b = 0; b < blocks; b++) sum += partial[b * step + c];
            out[c] = (float)sum;
        }
    }
}

static void add_blocks(block_sums *sums) {
    const image_view *v = sums->view;
    dk_region(v->images, 8 * v->images * v->blocks * v->channels * sums->quantities, add_blocks_item, sums);
}
