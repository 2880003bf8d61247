// Winograd's minimal filtering F(4×4, 3×3) for 3×3 convolutions of stride one: a 4×4 tile of outputs costs 36 products
// a channel pair instead of 144 (Lavin and Gray, 2016). With B, G and A the transforms of inputs d, weights w and
// products,
//
//     y = Aᵀ[(G w Gᵀ) ⊙ (Bᵀ d B)]A
//
// the products summed over input channels, which makes 36 matrix products [tiles, depth]·[depth, columns] for the row
// micro-kernel.
//
// The polynomial points are 0, ±3/4, ±3/2, ∞: every constant is exact in binary and the worst error, 2·10⁻⁵ of the
// output's standard deviation with 512 channels, is a fifth of what the usual 0, ±1, ±2, ∞ give.

#define WINOGRAD_SIDE 4  // of a tile of outputs
#define WINOGRAD_SPAN 6  // of the inputs under it
#define WINOGRAD_POINTS (WINOGRAD_SPAN * WINOGRAD_SPAN)
#define WINOGRAD_SCRATCH (64 * 1024)  // floats of transformed inputs and products of an item
#define WINOGRAD_MAX_TILES (8 * MR)
#define WINOGRAD_WEIGHTS (2400 * 1024)  // floats of weights that are transformed at a time

/// Whether it is used for an image of this shape: never a matter of batch size or threads, so that an image's bits
/// are not either. Few tiles do not repay the transformation of many weights; thin images waste parts of tiles.
static int winograd_applies(long out_height, long out_width, long depth, long columns) {
    long tiles = ceil_div(out_height, WINOGRAD_SIDE) * ceil_div(out_width, WINOGRAD_SIDE);
    return dk_winograd() && depth >= 8 && columns >= 8 &&
           (tiles >= 16 || (tiles >= 4 && depth * columns <= 256 * 256)) &&
           tiles * WINOGRAD_SIDE * WINOGRAD_SIDE * 3 <= out_height * out_width * 4;
}

#define WINOGRAD_A 0.75f
#define WINOGRAD_B 1.5f
#define WINOGRAD_A2 (WINOGRAD_A * WINOGRAD_A)
#define WINOGRAD_B2 (WINOGRAD_B * WINOGRAD_B)

// ---------------------------------------------------------------- weights

/// G times a column of three.
INLINE void winograd_weight_column(vf w0, vf w1, vf w2, vf *out, const int step) {
    const float scale_a = 1 / (2 * WINOGRAD_A2 * (WINOGRAD_A2 - WINOGRAD_B2)),
                scale_b = 1 / (2 * WINOGRAD_B2 * (WINOGRAD_B2 - WINOGRAD_A2));
    vf even_a = vfma(w2, vset(WINOGRAD_A2), w0) * vset(scale_a), odd_a = w1 * vset(WINOGRAD_A * scale_a);
    vf even_b = vfma(w2, vset(WINOGRAD_B2), w0) * vset(scale_b), odd_b = w1 * vset(WINOGRAD_B * scale_b);
    out[0] = w0 * vset(1 / (WINOGRAD_A2 * WINOGRAD_B2));
    out[step] = even_a + odd_a;
    out[2 * step] = even_a - odd_a;
    out[3 * step] = even_b + odd_b;
    out[4 * step] = even_b - odd_b;
    out[5 * step] = w2;
}

/// Floats from one point's block of `floats` to the next: an odd number of cache lines, since a power of two would put
/// all points of a tile into one set of the cache.
INLINE long winograd_step(long floats) { return (round_up(floats, 16) / 16 | 1) * 16; }

/// Transformed weights, panel by panel, a panel being [point][depth][its width], points winograd_step apart.
typedef struct {
    const float *w;
    long in, out;
    int transposed;       // the input gradient's: flipped, rows out, columns in
    long first, columns;  // those to transform
    float *panels;
} winograd_weights;

/// Item: VL rows of the depth.
static void winograd_weights_item(void *context, long index) {
    const winograd_weights *p = context;
    long depth = p->transposed ? p->out : p->in, columns = p->columns;
    long first = index * VL, rows = min_long(VL, depth - first);
    for (long c = 0; c < columns; c += VL) {
        long lanes = min_long(VL, columns - c), panel = c / NR, width = panel_width(columns - panel * NR);
        vf taps[9][VL];
        for (long t = 0; t < 9; t++) {
            const float *w = p->w + (p->transposed ? 8 - t : t) * p->in * p->out;
            if (p->transposed) {
                UNROLL for (int i = 0; i < VL; i++) {
                    taps[t][i] = i < lanes ? vload_first(w + (p->first + c + i) * p->out + first, rows) : (vf){0};
                }
                vtranspose(taps[t]);
            } else {
                for (long k = 0; k < rows; k++)
                    taps[t][k] = vload_first(w + (first + k) * p->out + p->first + c, lanes);
            }
        }
        long step = winograd_step(depth * width);
        float *dst = p->panels + panel * WINOGRAD_POINTS * winograd_step(depth * NR) + first * width + c % NR;
        for (long k = 0; k < rows; k++) {
            vf half[WINOGRAD_SPAN][3], u[WINOGRAD_SPAN];
            UNROLL for (int x = 0; x < 3; x++) {
                winograd_weight_column(taps[x][k], taps[3 + x][k], taps[6 + x][k], &half[0][x], 3);
            }
            UNROLL for (int y = 0; y < WINOGRAD_SPAN; y++) {
                winograd_weight_column(half[y][0], half[y][1], half[y][2], u, 1);
                UNROLL for (int x = 0; x < WINOGRAD_SPAN; x++) {
                    vstore(dst + (y * WINOGRAD_SPAN + x) * step + k * width, lanes <= HALF ? vtwice(u[x]) : u[x]);
                }
            }
        }
    }
}

INLINE long winograd_panels_size(long depth, long columns) {
    return panel_count(columns) * WINOGRAD_POINTS * winograd_step(depth * NR);
}

/// To p.panels, which has room for winograd_panels_size.
static void winograd_pack_weights(winograd_weights p) {
    long depth = p.transposed ? p.out : p.in;
    dk_region(ceil_div(depth, VL), 100 * depth * p.columns, winograd_weights_item, &p);
}

// ---------------------------------------------------------------- inputs and outputs

/// The first or the last three of Bᵀ times a column of six; the two have no operation in common.
INLINE void winograd_input_half(const int last, const vf *d, vf *out, const int step) {
    vf product = vset(WINOGRAD_A2 * WINOGRAD_B2), sum = vset(-(WINOGRAD_A2 + WINOGRAD_B2));
    if (!last) {
        vf even = vfma(vset(-WINOGRAD_B2), d[2], d[4]), odd = vfma(vset(-WINOGRAD_B2), d[1], d[3]) * vset(WINOGRAD_A);
        out[0] = vfma(product, d[0], vfma(sum, d[2], d[4]));
        out[step] = even + odd;
        out[2 * step] = even - odd;
    } else {
        vf even = vfma(vset(-WINOGRAD_A2), d[2], d[4]), odd = vfma(vset(-WINOGRAD_A2), d[1], d[3]) * vset(WINOGRAD_B);
        out[0] = even + odd;
        out[step] = even - odd;
        out[2 * step] = vfma(product, d[1], vfma(sum, d[3], d[5]));
    }
}

/// Aᵀ times a column of six.
INLINE void winograd_output_column(const vf *m, const int in_step, vf *out, const int step) {
    vf sum_a = m[in_step] + m[2 * in_step], difference_a = m[in_step] - m[2 * in_step];
    vf sum_b = m[3 * in_step] + m[4 * in_step], difference_b = m[3 * in_step] - m[4 * in_step];
    out[0] = m[0] + sum_a + sum_b;
    out[step] = vfma(vset(WINOGRAD_B), difference_b, vset(WINOGRAD_A) * difference_a);
    out[2 * step] = vfma(vset(WINOGRAD_B2), sum_b, vset(WINOGRAD_A2) * sum_a);
    out[3 * step] = vfma(vset(WINOGRAD_B2 * WINOGRAD_B), difference_b,
                         vfma(vset(WINOGRAD_A2 * WINOGRAD_A), difference_a, m[5 * in_step]));
}

typedef struct {
    const conv_job *conv;
    long tiles_y, tiles_x, tiles;  // of an image; of all images
    long block;                    // tiles of an item
    long input_row, product_row;   // floats between the tiles of a point's inputs, products
} winograd_job;

/// A tile's image and its place in it.
typedef struct {
    long image, y, x;  // y and x of its first output
} winograd_place;

static winograd_place winograd_place_of(const winograd_job *job, long tile) {
    long in_image = tile % (job->tiles_y * job->tiles_x);
    return (winograd_place){
        tile / (job->tiles_y * job->tiles_x), in_image / job->tiles_x * WINOGRAD_SIDE,
        in_image % job->tiles_x * WINOGRAD_SIDE
    };
}

/// The place of the tile after this one.
INLINE winograd_place winograd_place_after(const winograd_job *job, winograd_place p) {
    p.x += WINOGRAD_SIDE;
    if (p.x < job->tiles_x * WINOGRAD_SIDE) return p;
    p.x = 0;
    p.y += WINOGRAD_SIDE;
    if (p.y < job->tiles_y * WINOGRAD_SIDE) return p;
    return (winograd_place){p.image + 1, 0, 0};
}

/// Where the inputs under a tile lie: column x of row y at row[y] + x·pixel. Rows beyond the image are zeros, as many
/// as WINOGRAD_SPAN pixels.
typedef struct {
    const float *row[WINOGRAD_SPAN];
    long pixel;
    int outside[WINOGRAD_SPAN];  // whether a column is beyond the image
} winograd_window;

static void winograd_find_window(const winograd_job *job, winograd_place place, const float *zeros,
                                 winograd_window *w) {
    const conv_job *conv = job->conv;
    long y0 = place.y - conv->pad_top, x0 = place.x - conv->pad_left, line = conv->in_width * conv->depth;
    const float *row = conv->x + (place.image * conv->in_height + y0) * line + x0 * conv->depth;
    w->pixel = conv->depth;
    // One comparison a coordinate: what is below zero is a large unsigned number.
    UNROLL for (long y = 0; y < WINOGRAD_SPAN; y++, row += line) {
        w->row[y] = (unsigned long)(y0 + y) < (unsigned long)conv->in_height ? row : zeros;
    }
    UNROLL for (long x = 0; x < WINOGRAD_SPAN; x++) {
        w->outside[x] = (unsigned long)(x0 + x) >= (unsigned long)conv->in_width;
    }
}

/// One vector of channels, k and on, of the inputs under a tile, to v with points `step` floats apart; or, when there
/// is a second tile, the last half vectors of both.
INLINE void winograd_input_vector(const int paired, const winograd_window *first, const winograd_window *second, long k,
                                  const long lanes, float *v, float *v2, long step) {
    row_pointer row[WINOGRAD_SPAN], row2[WINOGRAD_SPAN];
    long pixel = first->pixel;
    UNROLL for (int y = 0; y < WINOGRAD_SPAN; y++) {
        row[y] = first->row[y] + k;
        row2[y] = second->row[y] + k;
    }
    // Half of the points at a time, so that what is between the passes stays in registers.
    UNROLL for (int last = 0; last < 2; last++) {
        vf half[WINOGRAD_SPAN / 2 * WINOGRAD_SPAN], d[WINOGRAD_SPAN], out[WINOGRAD_SPAN];
        UNROLL for (int x = 0; x < WINOGRAD_SPAN; x++) {
            UNROLL for (int y = last; y < WINOGRAD_SPAN - 1 + last; y++) d[y] = (vf){0};
            if (paired) {
                static const float none[HALF];
                UNROLL for (int y = last; y < WINOGRAD_SPAN - 1 + last; y++) {
                    d[y] = vload_halves(first->outside[x] ? none : row[y] + x * pixel,
                                        second->outside[x] ? none : row2[y] + x * pixel, lanes);
                }
            } else if (!first->outside[x]) {
                UNROLL for (int y = last; y < WINOGRAD_SPAN - 1 + last; y++) {
                    d[y] = vload_first(row[y] + x * pixel, lanes);
                }
            }
            winograd_input_half(last, d, half + x, WINOGRAD_SPAN);
            LOADS_STAY;
        }
        UNROLL for (int y = 0; y < WINOGRAD_SPAN / 2; y++) {
            winograd_input_half(0, half + y * WINOGRAD_SPAN, out, 1);
            winograd_input_half(1, half + y * WINOGRAD_SPAN, out + WINOGRAD_SPAN / 2, 1);
            UNROLL for (int x = 0; x < WINOGRAD_SPAN; x++) {
                long at = ((last * WINOGRAD_SPAN / 2 + y) * WINOGRAD_SPAN + x) * step + k;
                if (paired)
                    vstore_halves(v + at, v2 + at, out[x], HALF);
                else
                    vstore(v + at, out[x]);
            }
        }
    }
}

/// Transforms the inputs under two tiles (or twice one) to v and v2.
static void winograd_input_tiles(const winograd_job *job, const winograd_window *first, const winograd_window *second,
                                 float *v, float *v2, long step) {
    long depth = job->conv->depth, full = depth / VL * VL, rest = depth - full;
    for (int tile = 0; tile < (v == v2 ? 1 : 2); tile++) {
        const winograd_window *w = tile ? second : first;
        float *to = tile ? v2 : v;
        for (long k = 0; k < full; k += VL) winograd_input_vector(0, w, w, k, VL, to, to, step);
        if (rest > HALF) winograd_input_vector(0, w, w, full, rest, to, to, step);
    }
    if (rest == HALF)
        winograd_input_vector(1, first, second, full, HALF, v, v2, step);
    else if (rest > 0 && rest < HALF)
        winograd_input_vector(1, first, second, full, rest, v, v2, step);
}

/// What is done to a tile's outputs; constants, so that each combination that matters has code of its own.
typedef struct {
    int whole;  // all 4×4 outputs lie in the image
    int residual, accumulate;
} winograd_epilogue;

/// A tile's outputs.
typedef struct {
    long image, corner, rows, columns;  // the first one; rows and columns of them that lie in the image
} winograd_output;

INLINE winograd_output winograd_output_at(const conv_job *conv, winograd_place p) {
    return (winograd_output){
        p.image, p.image * conv->y_image + p.y * conv->y_row + p.x * conv->y_pixel,
        min_long(WINOGRAD_SIDE, conv->out_height - p.y), min_long(WINOGRAD_SIDE, conv->out_width - p.x)
    };
}

/// One vector of channels, k and on, of the outputs of a tile, from its products at m; or, when paired, the last half
/// vectors of two tiles.
INLINE void winograd_output_vector(const conv_job *conv, const winograd_epilogue epilogue, const int paired,
                                   const winograd_output *first, const winograd_output *second, long k,
                                   const long lanes, const float *m, const float *m2, long step) {
    vf half[WINOGRAD_SIDE * WINOGRAD_SPAN], column[WINOGRAD_SPAN], out[WINOGRAD_SIDE];
    UNROLL for (int x = 0; x < WINOGRAD_SPAN; x++) {
        UNROLL for (int y = 0; y < WINOGRAD_SPAN; y++) {
            long at = (y * WINOGRAD_SPAN + x) * step + k;
            column[y] = paired ? vload_halves(m + at, m2 + at, HALF) : vload(m + at);
        }
        winograd_output_column(column, 1, half + x, WINOGRAD_SPAN);
    }
    vf offset = vset(0.0f);
#define WINOGRAD_LOAD(p, to, to2)                                                                                      \
    (paired ? vload_halves((p) + (to), (p) + (to2), lanes) : vload_first((p) + (to), lanes))
    if (conv->bias) offset += WINOGRAD_LOAD(conv->bias, k, k);
    if (conv->image_bias)
        offset += WINOGRAD_LOAD(conv->image_bias, first->image * conv->image_bias_row + k,
                                second->image * conv->image_bias_row + k);
    UNROLL for (int y = 0; y < WINOGRAD_SIDE; y++) {
        if (!epilogue.whole && y >= first->rows) break;
        winograd_output_column(half + y * WINOGRAD_SPAN, 1, out, 1);
        UNROLL for (int x = 0; x < WINOGRAD_SIDE; x++) {
            if (!epilogue.whole && x >= first->columns) break;
            long at = y * conv->y_row + x * conv->y_pixel + k, to = first->corner + at, to2 = second->corner + at;
            vf v = out[x] + offset;
            if (epilogue.residual) v += WINOGRAD_LOAD(conv->residual, to, to2);
            if (epilogue.accumulate) v += WINOGRAD_LOAD(conv->y, to, to2);
            if (paired)
                vstore_halves(conv->y + to, conv->y + to2, v, lanes);
            else
                vstore_first(conv->y + to, v, lanes);
        }
    }
#undef WINOGRAD_LOAD
}

/// Transforms the products of two tiles (or twice one) back and finishes their outputs. Tiles that are cut short by the
/// image's end come one at a time.
INLINE void winograd_output_tiles(const winograd_job *job, const winograd_epilogue epilogue,
                                  const winograd_output *first, const winograd_output *second, const float *m,
                                  const float *m2, long step) {
    const conv_job *conv = job->conv;
    long full = conv->columns / VL * VL, rest = conv->columns - full;
    for (int tile = 0; tile < (m == m2 ? 1 : 2); tile++) {
        const winograd_output *place = tile ? second : first;
        const float *from = tile ? m2 : m;
        for (long k = 0; k < full; k += VL)
            winograd_output_vector(conv, epilogue, 0, place, place, k, VL, from, from, step);
        if (rest > HALF) winograd_output_vector(conv, epilogue, 0, place, place, full, rest, from, from, step);
    }
    if (rest == HALF)
        winograd_output_vector(conv, epilogue, 1, first, second, full, HALF, m, m2, step);
    else if (rest > 0 && rest < HALF)
        winograd_output_vector(conv, epilogue, 1, first, second, full, rest, m, m2, step);
}

static void winograd_outputs(const winograd_job *job, winograd_place place, long tiles, const float *products,
                             long step) {
    const conv_job *conv = job->conv;
    int whole = conv->out_height % WINOGRAD_SIDE == 0 && conv->out_width % WINOGRAD_SIDE == 0;
    for (long t = 0; t < tiles;) {
        winograd_output here = winograd_output_at(conv, place), there = here;
        const float *m = products + t * job->product_row, *m2 = m;
        place = winograd_place_after(job, place);
        t++;
        if (whole && t < tiles) {
            there = winograd_output_at(conv, place);
            m2 = products + t * job->product_row;
            place = winograd_place_after(job, place);
            t++;
        }
        if (!whole)
            winograd_output_tiles(job, (winograd_epilogue){0, conv->residual != NULL, conv->accumulate}, &here, &there,
                                  m, m2, step);
        else if (conv->accumulate)
            winograd_output_tiles(job, (winograd_epilogue){1, conv->residual != NULL, 1}, &here, &there, m, m2, step);
        else if (conv->residual)
            winograd_output_tiles(job, (winograd_epilogue){1, 1, 0}, &here, &there, m, m2, step);
        else
            winograd_output_tiles(job, (winograd_epilogue){1, 0, 0}, &here, &there, m, m2, step);
    }
}

/// Transforms the inputs under `tiles` tiles from `place` on.
static void winograd_inputs(const winograd_job *job, winograd_place place, long tiles, const float *zeros,
                            float *inputs, long step) {
    for (long t = 0; t < tiles; t += 2) {
        winograd_window here, there;
        winograd_find_window(job, place, zeros, &here);
        place = winograd_place_after(job, place);
        float *v = inputs + t * job->input_row, *v2 = v;
        if (t + 1 < tiles) {
            winograd_find_window(job, place, zeros, &there);
            place = winograd_place_after(job, place);
            v2 += job->input_row;
        }
        winograd_input_tiles(job, &here, v == v2 ? &here : &there, v, v2, step);
    }
}

static void winograd_item(void *context, long index) {
    const winograd_job *job = context;
    const conv_job *conv = job->conv;
    long first = index * job->block, tiles = min_long(job->block, job->tiles - first), rows = tile_height(job->block);
    long input_step = winograd_step(rows * job->input_row), product_step = winograd_step(rows * job->product_row);
    long edge = WINOGRAD_SPAN * conv->depth + VL;
    float *inputs = dk_scratch(DK_LOCAL_A, WINOGRAD_POINTS * input_step + edge);
    float *products = dk_scratch(DK_LOCAL_B, WINOGRAD_POINTS * product_step);
    float *zeros = inputs + WINOGRAD_POINTS * input_step;
    memset(zeros, 0, (size_t)edge * sizeof(float));
    winograd_place place = winograd_place_of(job, first);
    winograd_inputs(job, place, tiles, zeros, inputs, input_step);
    const long segment = 0;
    for (long point = 0; point < WINOGRAD_POINTS; point++)
        for (long c0 = 0; c0 < conv->columns; c0 += NR) {
            long columns = min_long(NR, conv->columns - c0);
            const float *weights = conv->panels + c0 / NR * WINOGRAD_POINTS * winograd_step(conv->depth * NR) +
                                   point * winograd_step(conv->depth * panel_width(columns));
            grid_tiles(tiles, tile_width(columns), inputs + point * input_step, job->input_row, &segment, 1,
                       conv->depth, weights, NULL, 0, products + point * product_step + c0, job->product_row);
        }
    winograd_outputs(job, place, tiles, products, product_step);
}

/// Runs a convolution whose panels hold transformed weights.
static void winograd_run(const conv_job *conv) {
    winograd_job job = {
        .conv = conv,
        .tiles_y = ceil_div(conv->out_height, WINOGRAD_SIDE),
        .tiles_x = ceil_div(conv->out_width, WINOGRAD_SIDE),
        .input_row = round_up(conv->depth, VL),
        .product_row = round_up(conv->columns, VL)
    };
    job.tiles = conv->batch * job.tiles_y * job.tiles_x;
    long max_tiles = WINOGRAD_SCRATCH / (WINOGRAD_POINTS * (job.input_row + job.product_row)) / MR * MR;
    max_tiles = max_long(MR, min_long(WINOGRAD_MAX_TILES, max_tiles));
    // As many items for each thread, of equal size.
    long items = round_up(ceil_div(job.tiles, max_tiles), min_long(dk_threads(), job.tiles));
    job.block = ceil_div(job.tiles, items);
    long work = job.tiles * WINOGRAD_POINTS * conv->depth * conv->columns / 4;
    dk_region(ceil_div(job.tiles, job.block), work, winograd_item, &job);
}

/// Columns whose weights are transformed at a time: whole panels, as many each time.
static long winograd_columns_at_a_time(long depth, long columns) {
    long panels = panel_count(columns),
         max_panels = max_long(1, WINOGRAD_WEIGHTS / (WINOGRAD_POINTS * winograd_step(depth * NR)));
    return min_long(columns, ceil_div(panels, ceil_div(panels, max_panels)) * NR);
}

/// Floats that winograd_convolve works in.
static long winograd_workspace_floats(long depth, long columns) {
    return winograd_panels_size(depth, winograd_columns_at_a_time(depth, columns));
}

/// Runs a convolution, transforming the weights for it. Where those of all columns would take much memory, some columns
/// follow others; inputs are then transformed more than once, which costs little where there are so many channels.
static void winograd_convolve(const conv_job *conv, winograd_weights weights, float *workspace) {
    long step = winograd_columns_at_a_time(conv->depth, conv->columns);
    weights.panels = workspace;
    for (; weights.first < conv->columns; weights.first += step) {
        weights.columns = min_long(step, conv->columns - weights.first);
        winograd_pack_weights(weights);
        conv_job part = *conv;
        part.columns = weights.columns;
        part.panels = workspace;
        part.y += weights.first;
        if (conv->bias) part.bias += weights.first;
        if (conv->image_bias) part.image_bias += weights.first;
        if (conv->residual) part.residual += weights.first;
        winograd_run(&part);
    }
}
