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
#define WGRAD_CHANNELS 128    // of the inputs at a time
#define WGRAD_LEAST_TILES 48  // of all images, to repay the transformation of the sums

/// Whether it is used for a convolution that winograd_applies to.
static int wino_gradient_applies(const dk_conv_shape *s) {
    long tiles = ceil_div(s->out_height, WINO_SIDE) * ceil_div(s->out_width, WINO_SIDE);
    return s->batch * tiles >= WGRAD_LEAST_TILES;
}

typedef struct {
    wino_job tiles;  // of the inputs
    wino_job slice;  // the same of the input channels that are worked on, from first_channel on
    long first_channel;
    const float *g;
    float *inputs, *gradients, *sums;  // [point][tile][channel], [point][depth][columns]
    long input_step, gradient_step, gradient_row, sum_step, sum_row;
    long first, count;  // tiles of the present block
    int add;
    float *dw;
    int accumulate;
} wino_gradient_job;

/// A times a column of four: the adjoint of wino_output_column.
INLINE void wino_gradient_column(const vf *y, const int in_step, vf *out, const int step) {
    vf y0 = y[0], y1 = y[in_step], y2 = y[2 * in_step], y3 = y[3 * in_step];
    vf even_a = vfma(vset(WINO_A2), y2, y0), odd_a = vfma(vset(WINO_A2), y3, y1) * vset(WINO_A);
    vf even_b = vfma(vset(WINO_B2), y2, y0), odd_b = vfma(vset(WINO_B2), y3, y1) * vset(WINO_B);
    out[0] = y0;
    out[step] = even_a + odd_a;
    out[2 * step] = even_a - odd_a;
    out[3 * step] = even_b + odd_b;
    out[4 * step] = even_b - odd_b;
    out[5 * step] = y3;
}

/// One vector of channels, k and on, of a tile's output gradients.
INLINE void wino_gradient_vector(const float *const *pixel, long k, long lanes, float *to, long step) {
    vf half[WINO_SPAN * WINO_SIDE], d[WINO_SIDE], out[WINO_SPAN];
    UNROLL for (int x = 0; x < WINO_SIDE; x++) {
        UNROLL for (int y = 0; y < WINO_SIDE; y++) d[y] = vload_first(pixel[y * WINO_SIDE + x] + k, lanes);
        wino_gradient_column(d, 1, half + x, WINO_SIDE);
    }
    UNROLL for (int y = 0; y < WINO_SPAN; y++) {
        wino_gradient_column(half + y * WINO_SIDE, 1, out, 1);
        UNROLL for (int x = 0; x < WINO_SPAN; x++) vstore(to + (y * WINO_SPAN + x) * step + k, out[x]);
    }
}

static void wino_gradient_tile(const wino_gradient_job *j, long tile, float *to, const float *zeros) {
    const conv_job *c = j->tiles.conv;
    wino_place p = wino_place_of(&j->tiles, tile);
    const float *pixel[WINO_SIDE * WINO_SIDE];
    for (long y = 0; y < WINO_SIDE; y++)
        for (long x = 0; x < WINO_SIDE; x++)
            pixel[y * WINO_SIDE + x] =
                p.y + y < c->out_height && p.x + x < c->out_width
                    ? j->g + ((p.image * c->out_height + p.y + y) * c->out_width + p.x + x) * c->columns
                    : zeros;
    long full = c->columns / VL * VL;
    for (long k = 0; k < full; k += VL) wino_gradient_vector(pixel, k, VL, to, j->gradient_step);
    if (full < c->columns) wino_gradient_vector(pixel, full, c->columns - full, to, j->gradient_step);
}

/// The inputs under a tile, from the first channel on that is worked on.
static wino_window wino_gradient_window(const wino_gradient_job *j, long tile, const float *zeros) {
    wino_window w;
    wino_find_window(&j->tiles, wino_place_of(&j->tiles, tile), zeros, &w);
    for (long y = 0; y < WINO_SPAN; y++) w.row[y] += j->first_channel;
    return w;
}

static void wino_gradient_transform_item(void *context, long index) {
    const wino_gradient_job *j = context;
    const conv_job *c = j->tiles.conv;
    long edge = most(WINO_SPAN * c->depth, c->columns) + VL;
    float *zeros = dk_scratch(DK_LOCAL_A, edge);
    memset(zeros, 0, (size_t)edge * sizeof(float));
    long first = index * WGRAD_TILES_AN_ITEM, end = least(j->count, first + WGRAD_TILES_AN_ITEM);
    for (long t = first; t < end; t += 2) {
        long next = least(t + 1, end - 1);
        wino_window here = wino_gradient_window(j, j->first + t, zeros);
        wino_window there = wino_gradient_window(j, j->first + next, zeros);
        wino_input_tiles(&j->slice, &here, &there, j->inputs + t * j->slice.input_row,
                         j->inputs + next * j->slice.input_row, j->input_step);
    }
    for (long t = first; t < end; t++) wino_gradient_tile(j, j->first + t, j->gradients + t * j->gradient_row, zeros);
}

/// One point's products of a block, added to its sums.
static void wino_gradient_product_item(void *context, long point) {
    const wino_gradient_job *j = context;
    const conv_job *c = j->slice.conv;
    const float *inputs = j->inputs + point * j->input_step, *gradients = j->gradients + point * j->gradient_step;
    float *sums = j->sums + point * j->sum_step;
    long columns = round_up(c->columns, VL);
    float unused[NR] __attribute__((aligned(64)));
    for (long c0 = 0; c0 < columns; c0 += NR) {
        long width = least(NR, columns - c0) / VL;
        for (long r = 0; r < c->depth; r += MR) {
            long rows = least(MR, c->depth - r);
            float *out[MR];
            for (long i = 0; i < MR; i++) out[i] = i < rows ? sums + (r + i) * j->sum_row + c0 : unused;
            outer_tile(rows, width, inputs + r, j->slice.input_row, j->count, gradients + c0, j->gradient_row, out,
                       j->add);
        }
    }
}

/// Gᵀ times a column of six.
INLINE void wino_weight_adjoint(const vf *m, const int in_step, vf *out, const int step) {
    const float scale_a = 1 / (2 * WINO_A2 * (WINO_A2 - WINO_B2)), scale_b = 1 / (2 * WINO_B2 * (WINO_B2 - WINO_A2));
    vf even_a = (m[in_step] + m[2 * in_step]) * vset(scale_a), odd_a = (m[in_step] - m[2 * in_step]) * vset(scale_a);
    vf even_b = (m[3 * in_step] + m[4 * in_step]) * vset(scale_b);
    vf odd_b = (m[3 * in_step] - m[4 * in_step]) * vset(scale_b);
    out[0] = vfma(m[0], vset(1 / (WINO_A2 * WINO_B2)), even_a + even_b);
    out[step] = vfma(odd_a, vset(WINO_A), odd_b * vset(WINO_B));
    out[2 * step] = vfma(even_a, vset(WINO_A2), vfma(even_b, vset(WINO_B2), m[5 * in_step]));
}

/// The sums of one input channel of those worked on back to its weights' gradients.
static void wino_gradient_finish_item(void *context, long channel) {
    const wino_gradient_job *j = context;
    const conv_job *c = j->tiles.conv;
    const float *sums = j->sums + channel * j->sum_row;
    for (long k = 0; k < c->columns; k += VL) {
        long lanes = least(VL, c->columns - k);
        vf half[3 * WINO_SPAN], column[WINO_SPAN], out[3];
        UNROLL for (int x = 0; x < WINO_SPAN; x++) {
            UNROLL for (int y = 0; y < WINO_SPAN; y++) column[y] = vload(sums + (y * WINO_SPAN + x) * j->sum_step + k);
            wino_weight_adjoint(column, 1, half + x, WINO_SPAN);
        }
        UNROLL for (int y = 0; y < 3; y++) {
            wino_weight_adjoint(half + y * WINO_SPAN, 1, out, 1);
            UNROLL for (int x = 0; x < 3; x++) {
                float *to = j->dw + ((y * 3 + x) * c->depth + j->first_channel + channel) * c->columns + k;
                vstore_first(to, j->accumulate ? out[x] + vload_first(to, lanes) : out[x], lanes);
            }
        }
    }
}

/// How the workspace is laid out: everything that follows from the shape.
static wino_gradient_job wino_gradient_plan(const dk_conv_shape *s) {
    wino_gradient_job j = {
        .tiles = {.tiles_y = ceil_div(s->out_height, WINO_SIDE), .tiles_x = ceil_div(s->out_width, WINO_SIDE)}
    };
    j.tiles.tiles = s->batch * j.tiles.tiles_y * j.tiles.tiles_x;
    j.tiles.block = least(WGRAD_TILES, j.tiles.tiles);
    j.slice = j.tiles;
    long most_channels = least(WGRAD_CHANNELS, s->in_channels);
    // An odd number of cache lines a row spreads a block's rows over the cache's sets.
    j.slice.input_row = (round_up(most_channels, VL) / VL | 1) * VL;
    j.gradient_row = j.sum_row = (round_up(s->out_channels, VL) / VL | 1) * VL;
    j.input_step = wino_step(j.tiles.block * j.slice.input_row);
    j.gradient_step = wino_step(j.tiles.block * j.gradient_row);
    j.sum_step = wino_step(most_channels * j.sum_row);
    return j;
}

static long wino_gradient_floats(const dk_conv_shape *s) {
    wino_gradient_job j = wino_gradient_plan(s);
    // The tile of MR rows may read beyond the last row's channels.
    return WINO_POINTS * (j.input_step + j.gradient_step + j.sum_step) + MR;
}

static void wino_weight_gradient(const dk_conv_shape *s, const float *x, const float *g, float *dw, int accumulate,
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
    wino_gradient_job j = wino_gradient_plan(s);
    j.tiles.conv = &conv;
    j.slice.conv = &slice;
    j.g = g;
    j.dw = dw;
    j.accumulate = accumulate;
    j.sums = workspace;
    j.gradients = j.sums + WINO_POINTS * j.sum_step;
    j.inputs = j.gradients + WINO_POINTS * j.gradient_step;
    long tiles = j.tiles.tiles, block = j.tiles.block;
    for (; j.first_channel < s->in_channels; j.first_channel += slice.depth) {
        slice.depth = least(WGRAD_CHANNELS, s->in_channels - j.first_channel);
        for (j.first = j.add = 0; j.first < tiles; j.first += block, j.add = 1) {
            j.count = least(block, tiles - j.first);
            dk_region(ceil_div(j.count, WGRAD_TILES_AN_ITEM), 40 * j.count * (slice.depth + s->out_channels),
                      wino_gradient_transform_item, &j);
            dk_region(WINO_POINTS, WINO_POINTS * j.count * slice.depth * s->out_channels / 4,
                      wino_gradient_product_item, &j);
        }
        dk_region(slice.depth, 60 * slice.depth * s->out_channels, wino_gradient_finish_item, &j);
    }
}
