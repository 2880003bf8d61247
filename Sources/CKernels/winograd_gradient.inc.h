// The weight gradient by the adjoint of F(4×4, 3×3),
//
//     ∂w = Gᵀ[Σ_tiles (Bᵀ d B) ⊙ (A ∂y Aᵀ)]G
//
// the sum over tiles being 36 matrix products [depth, tiles]·[tiles, columns]. As in the forward pass a tile costs 36
// products a channel pair in place of 144.
//
// Tiles are worked on in blocks that all threads share: first each thread transforms some of a block's tiles, then each
// multiplies some of the 36 points. Blocks follow each other in the order of images, whatever the number of threads.
// Input channels are taken some at a time, which bounds the memory that the sums take.

#define WGRAD_TILES 128  // of a block
#define WGRAD_TILES_AN_ITEM 8
#define WGRAD_CHANNELS 128  // of the inputs at a time
#define WGRAD_MIN_TILES 48  // of all images, to repay the transformation of the sums

/// Whether it is used for a convolution that winograd_applies to.
static int winograd_gradient_applies(const dk_conv_shape *s) {
    long tiles = ceil_div(s->out_height, WINOGRAD_SIDE) * ceil_div(s->out_width, WINOGRAD_SIDE);
    return s->batch * tiles >= WGRAD_MIN_TILES;
}

typedef struct {
    winograd_job tiles;  // of the inputs
    winograd_job slice;  // the same of the input channels that are worked on, from first_channel on
    long first_channel;
    const float *g;
    float *inputs, *gradients, *sums;  // [point][tile][channel], [point][depth][columns]
    long input_step, gradient_step, gradient_row, sum_step, sum_row;
    long first, count;  // tiles of the present block
    int add;
    float *dw;
    int accumulate;
} winograd_gradient_job;

/// A times a column of four: the adjoint of winograd_output_column.
INLINE void winograd_gradient_column(const vf *y, const int in_step, vf *out, const int step) {
    vf y0 = y[0], y1 = y[in_step], y2 = y[2 * in_step], y3 = y[3 * in_step];
    vf even_a = vfma(vset(WINOGRAD_A2), y2, y0), odd_a = vfma(vset(WINOGRAD_A2), y3, y1) * vset(WINOGRAD_A);
    vf even_b = vfma(vset(WINOGRAD_B2), y2, y0), odd_b = vfma(vset(WINOGRAD_B2), y3, y1) * vset(WINOGRAD_B);
    out[0] = y0;
    out[step] = even_a + odd_a;
    out[2 * step] = even_a - odd_a;
    out[3 * step] = even_b + odd_b;
    out[4 * step] = even_b - odd_b;
    out[5 * step] = y3;
}

/// One vector of channels, k and on, of a tile's output gradients.
INLINE void winograd_gradient_vector(const float *const *pixel, long k, long lanes, float *to, long step) {
    vf half[WINOGRAD_SPAN * WINOGRAD_SIDE], d[WINOGRAD_SIDE], out[WINOGRAD_SPAN];
    UNROLL for (int x = 0; x < WINOGRAD_SIDE; x++) {
        UNROLL for (int y = 0; y < WINOGRAD_SIDE; y++) d[y] = vload_first(pixel[y * WINOGRAD_SIDE + x] + k, lanes);
        winograd_gradient_column(d, 1, half + x, WINOGRAD_SIDE);
    }
    UNROLL for (int y = 0; y < WINOGRAD_SPAN; y++) {
        winograd_gradient_column(half + y * WINOGRAD_SIDE, 1, out, 1);
        UNROLL for (int x = 0; x < WINOGRAD_SPAN; x++) vstore(to + (y * WINOGRAD_SPAN + x) * step + k, out[x]);
    }
}

static void winograd_gradient_tile(const winograd_gradient_job *job, long tile, float *to, const float *zeros) {
    const conv_job *conv = job->tiles.conv;
    winograd_place p = winograd_place_of(&job->tiles, tile);
    const float *pixel[WINOGRAD_SIDE * WINOGRAD_SIDE];
    for (long y = 0; y < WINOGRAD_SIDE; y++)
        for (long x = 0; x < WINOGRAD_SIDE; x++)
            pixel[y * WINOGRAD_SIDE + x] =
                p.y + y < conv->out_height && p.x + x < conv->out_width
                    ? job->g + ((p.image * conv->out_height + p.y + y) * conv->out_width + p.x + x) * conv->columns
                    : zeros;
    long full = conv->columns / VL * VL;
    for (long k = 0; k < full; k += VL) winograd_gradient_vector(pixel, k, VL, to, job->gradient_step);
    if (full < conv->columns) winograd_gradient_vector(pixel, full, conv->columns - full, to, job->gradient_step);
}

/// The inputs under a tile, from the first channel on that is worked on.
static winograd_window winograd_gradient_window(const winograd_gradient_job *job, long tile, const float *zeros) {
    winograd_window w;
    winograd_find_window(&job->tiles, winograd_place_of(&job->tiles, tile), zeros, &w);
    for (long y = 0; y < WINOGRAD_SPAN; y++) w.row[y] += job->first_channel;
    return w;
}

static void winograd_gradient_transform_item(void *context, long index) {
    const winograd_gradient_job *job = context;
    const conv_job *conv = job->tiles.conv;
    long edge = max_long(WINOGRAD_SPAN * conv->depth, conv->columns) + VL;
    float *zeros = dk_scratch(DK_LOCAL_A, edge);
    memset(zeros, 0, (size_t)edge * sizeof(float));
    long first = index * WGRAD_TILES_AN_ITEM, end = min_long(job->count, first + WGRAD_TILES_AN_ITEM);
    for (long t = first; t < end; t += 2) {
        long next = min_long(t + 1, end - 1);
        winograd_window here = winograd_gradient_window(job, job->first + t, zeros);
        winograd_window there = winograd_gradient_window(job, job->first + next, zeros);
        winograd_input_tiles(&job->slice, &here, &there, job->inputs + t * job->slice.input_row,
                             job->inputs + next * job->slice.input_row, job->input_step);
    }
    for (long t = first; t < end; t++)
        winograd_gradient_tile(job, job->first + t, job->gradients + t * job->gradient_row, zeros);
}

/// One point's products of a block, added to its sums.
static void winograd_gradient_product_item(void *context, long point) {
    const winograd_gradient_job *job = context;
    const conv_job *conv = job->slice.conv;
    const float *inputs = job->inputs + point * job->input_step,
                *gradients = job->gradients + point * job->gradient_step;
    float *sums = job->sums + point * job->sum_step;
    long columns = round_up(conv->columns, VL);
    float unused[NR] __attribute__((aligned(64)));
    for (long c0 = 0; c0 < columns; c0 += NR) {
        long width = min_long(NR, columns - c0) / VL;
        for (long r = 0; r < conv->depth; r += MR) {
            long rows = min_long(MR, conv->depth - r);
            float *out[MR];
            for (long i = 0; i < MR; i++) out[i] = i < rows ? sums + (r + i) * job->sum_row + c0 : unused;
            outer_tile(rows, width, inputs + r, job->slice.input_row, job->count, gradients + c0, job->gradient_row,
                       out, job->add);
        }
    }
}

/// Gᵀ times a column of six.
INLINE void winograd_weight_adjoint(const vf *m, const int in_step, vf *out, const int step) {
    const float scale_a = 1 / (2 * WINOGRAD_A2 * (WINOGRAD_A2 - WINOGRAD_B2)),
                scale_b = 1 / (2 * WINOGRAD_B2 * (WINOGRAD_B2 - WINOGRAD_A2));
    vf even_a = (m[in_step] + m[2 * in_step]) * vset(scale_a), odd_a = (m[in_step] - m[2 * in_step]) * vset(scale_a);
    vf even_b = (m[3 * in_step] + m[4 * in_step]) * vset(scale_b);
    vf odd_b = (m[3 * in_step] - m[4 * in_step]) * vset(scale_b);
    out[0] = vfma(m[0], vset(1 / (WINOGRAD_A2 * WINOGRAD_B2)), even_a + even_b);
    out[step] = vfma(odd_a, vset(WINOGRAD_A), odd_b * vset(WINOGRAD_B));
    out[2 * step] = vfma(even_a, vset(WINOGRAD_A2), vfma(even_b, vset(WINOGRAD_B2), m[5 * in_step]));
}

/// The sums of one input channel of those worked on back to its weights' gradients.
static void winograd_gradient_finish_item(void *context, long channel) {
    const winograd_gradient_job *job = context;
    const conv_job *conv = job->tiles.conv;
    const float *sums = job->sums + channel * job->sum_row;
    for (long k = 0; k < conv->columns; k += VL) {
        long lanes = min_long(VL, conv->columns - k);
        vf half[3 * WINOGRAD_SPAN], column[WINOGRAD_SPAN], out[3];
        UNROLL for (int x = 0; x < WINOGRAD_SPAN; x++) {
            UNROLL for (int y = 0; y < WINOGRAD_SPAN; y++) {
                column[y] = vload(sums + (y * WINOGRAD_SPAN + x) * job->sum_step + k);
            }
            winograd_weight_adjoint(column, 1, half + x, WINOGRAD_SPAN);
        }
        UNROLL for (int y = 0; y < 3; y++) {
            winograd_weight_adjoint(half + y * WINOGRAD_SPAN, 1, out, 1);
            UNROLL for (int x = 0; x < 3; x++) {
                float *to = job->dw + ((y * 3 + x) * conv->depth + job->first_channel + channel) * conv->columns + k;
                vstore_first(to, job->accumulate ? out[x] + vload_first(to, lanes) : out[x], lanes);
            }
        }
    }
}

/// How the workspace is laid out: everything that follows from the shape.
static winograd_gradient_job winograd_gradient_plan(const dk_conv_shape *s) {
    winograd_gradient_job job = {
        .tiles = {.tiles_y = ceil_div(s->out_height, WINOGRAD_SIDE), .tiles_x = ceil_div(s->out_width, WINOGRAD_SIDE)}
    };
    job.tiles.tiles = s->batch * job.tiles.tiles_y * job.tiles.tiles_x;
    job.tiles.block = min_long(WGRAD_TILES, job.tiles.tiles);
    job.slice = job.tiles;
    long max_channels = min_long(WGRAD_CHANNELS, s->in_channels);
    // An odd number of cache lines a row spreads a block's rows over the cache's sets.
    job.slice.input_row = (round_up(max_channels, VL) / VL | 1) * VL;
    job.gradient_row = job.sum_row = (round_up(s->out_channels, VL) / VL | 1) * VL;
    job.input_step = winograd_step(job.tiles.block * job.slice.input_row);
    job.gradient_step = winograd_step(job.tiles.block * job.gradient_row);
    job.sum_step = winograd_step(max_channels * job.sum_row);
    return job;
}

static long winograd_gradient_floats(const dk_conv_shape *s) {
    winograd_gradient_job job = winograd_gradient_plan(s);
    // The tile of MR rows may read beyond the last row's channels.
    return WINOGRAD_POINTS * (job.input_step + job.gradient_step + job.sum_step) + MR;
}

static void winograd_weight_gradient(const dk_conv_shape *s, const float *x, const float *g, float *dw, int accumulate,
                                     float *workspace) {
    conv_job conv = {
        .batch = s->batch,
        .in_height = s->in_height,
        .in_width = s->in_width,
        .depth = s->in_channels,
        .out_height = s->out_height,
        .out_width = s->out_width,
        .columns = s->out_channels,
        .pad_top = s->pad_top,
        .pad_left = s->pad_left,
        .x = x
    };
    conv_job slice = conv;
    winograd_gradient_job job = winograd_gradient_plan(s);
    job.tiles.conv = &conv;
    job.slice.conv = &slice;
    job.g = g;
    job.dw = dw;
    job.accumulate = accumulate;
    job.sums = workspace;
    job.gradients = job.sums + WINOGRAD_POINTS * job.sum_step;
    job.inputs = job.gradients + WINOGRAD_POINTS * job.gradient_step;
    long tiles = job.tiles.tiles, block = job.tiles.block;
    for (; job.first_channel < s->in_channels; job.first_channel += slice.depth) {
        slice.depth = min_long(WGRAD_CHANNELS, s->in_channels - job.first_channel);
        for (job.first = job.add = 0; job.first < tiles; job.first += block, job.add = 1) {
            job.count = min_long(block, tiles - job.first);
            dk_region(ceil_div(job.count, WGRAD_TILES_AN_ITEM), 40 * job.count * (slice.depth + s->out_channels),
                      winograd_gradient_transform_item, &job);
            dk_region(WINOGRAD_POINTS, WINOGRAD_POINTS * job.count * slice.depth * s->out_channels / 4,
                      winograd_gradient_product_item, &job);
        }
        dk_region(slice.depth, 60 * slice.depth * s->out_channels, winograd_gradient_finish_item, &job);
    }
}
