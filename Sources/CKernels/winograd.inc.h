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

#define WINO_SIDE 4  // of a tile of outputs
#define WINO_SPAN 6  // of the inputs under it
#define WINO_POINTS (WINO_SPAN * WINO_SPAN)
#define WINO_SCRATCH (64 * 1024)  // floats of transformed inputs and products of an item
#define WINO_MOST_TILES (8 * MR)
#define WINO_WEIGHTS (2400 * 1024)  // floats of weights that are transformed at a time

/// Whether it is used for an image of this shape: never a matter of batch size or threads, so that an image's bits
/// are not either. Few tiles do not repay the transformation of many weights; thin images waste parts of tiles.
static int winograd_applies(long out_height, long out_width, long depth, long columns) {
    long tiles = ceil_div(out_height, WINO_SIDE) * ceil_div(out_width, WINO_SIDE);
    return dk_winograd() && depth >= 8 && columns >= 8 &&
           (tiles >= 16 || (tiles >= 4 && depth * columns <= 256 * 256)) &&
           tiles * WINO_SIDE * WINO_SIDE * 3 <= out_height * out_width * 4;
}

#define WINO_A 0.75f
#define WINO_B 1.5f
#define WINO_A2 (WINO_A * WINO_A)
#define WINO_B2 (WINO_B * WINO_B)

// ---------------------------------------------------------------- weights

/// G times a column of three.
INLINE void wino_weight_column(vf w0, vf w1, vf w2, vf *out, const int step) {
    const float scale_a = 1 / (2 * WINO_A2 * (WINO_A2 - WINO_B2)), scale_b = 1 / (2 * WINO_B2 * (WINO_B2 - WINO_A2));
    vf even_a = vfma(w2, vset(WINO_A2), w0) * vset(scale_a), odd_a = w1 * vset(WINO_A * scale_a);
    vf even_b = vfma(w2, vset(WINO_B2), w0) * vset(scale_b), odd_b = w1 * vset(WINO_B * scale_b);
    out[0] = w0 * vset(1 / (WINO_A2 * WINO_B2));
    out[step] = even_a + odd_a;
    out[2 * step] = even_a - odd_a;
    out[3 * step] = even_b + odd_b;
    out[4 * step] = even_b - odd_b;
    out[5 * step] = w2;
}

/// Floats from one point's block of `floats` to the next: an odd number of cache lines, since a power of two would put
/// all points of a tile into one set of the cache.
INLINE long wino_step(long floats) { return (round_up(floats, 16) / 16 | 1) * 16; }

/// Transformed weights, panel by panel, a panel being [point][depth][its width], points wino_step apart.
typedef struct {
    const float *w;
    long in, out;
    int transposed;       // the input gradient's: flipped, rows out, columns in
    long first, columns;  // those to transform
    float *panels;
} wino_weights;

/// Item: VL rows of the depth.
static void wino_weights_item(void *context, long index) {
    const wino_weights *p = context;
    long depth = p->transposed ? p->out : p->in, columns = p->columns;
    long first = index * VL, rows = least(VL, depth - first);
    for (long c = 0; c < columns; c += VL) {
        long lanes = least(VL, columns - c), panel = c / NR, width = panel_width(columns - panel * NR);
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
        long step = wino_step(depth * width);
        float *dst = p->panels + panel * WINO_POINTS * wino_step(depth * NR) + first * width + c % NR;
        for (long k = 0; k < rows; k++) {
            vf half[WINO_SPAN][3], u[WINO_SPAN];
            UNROLL for (int x = 0; x < 3; x++) {
                wino_weight_column(taps[x][k], taps[3 + x][k], taps[6 + x][k], &half[0][x], 3);
            }
            UNROLL for (int y = 0; y < WINO_SPAN; y++) {
                wino_weight_column(half[y][0], half[y][1], half[y][2], u, 1);
                UNROLL for (int x = 0; x < WINO_SPAN; x++) {
                    vstore(dst + (y * WINO_SPAN + x) * step + k * width, lanes <= HALF ? vtwice(u[x]) : u[x]);
                }
            }
        }
    }
}

INLINE long wino_panels_size(long depth, long columns) {
    return panel_count(columns) * WINO_POINTS * wino_step(depth * NR);
}

/// To p.panels, which has room for wino_panels_size.
static void wino_pack_weights(wino_weights p) {
    long depth = p.transposed ? p.out : p.in;
    dk_region(ceil_div(depth, VL), 100 * depth * p.columns, wino_weights_item, &p);
}

// ---------------------------------------------------------------- inputs and outputs

/// The first or the last three of Bᵀ times a column of six; the two have no operation in common.
INLINE void wino_input_half(const int last, const vf *d, vf *out, const int step) {
    vf product = vset(WINO_A2 * WINO_B2), sum = vset(-(WINO_A2 + WINO_B2));
    if (!last) {
        vf even = vfma(vset(-WINO_B2), d[2], d[4]), odd = vfma(vset(-WINO_B2), d[1], d[3]) * vset(WINO_A);
        out[0] = vfma(product, d[0], vfma(sum, d[2], d[4]));
        out[step] = even + odd;
        out[2 * step] = even - odd;
    } else {
        vf even = vfma(vset(-WINO_A2), d[2], d[4]), odd = vfma(vset(-WINO_A2), d[1], d[3]) * vset(WINO_B);
        out[0] = even + odd;
        out[step] = even - odd;
        out[2 * step] = vfma(product, d[1], vfma(sum, d[3], d[5]));
    }
}

/// Aᵀ times a column of six.
INLINE void wino_output_column(const vf *m, const int in_step, vf *out, const int step) {
    vf sum_a = m[in_step] + m[2 * in_step], difference_a = m[in_step] - m[2 * in_step];
    vf sum_b = m[3 * in_step] + m[4 * in_step], difference_b = m[3 * in_step] - m[4 * in_step];
    out[0] = m[0] + sum_a + sum_b;
    out[step] = vfma(vset(WINO_B), difference_b, vset(WINO_A) * difference_a);
    out[2 * step] = vfma(vset(WINO_B2), sum_b, vset(WINO_A2) * sum_a);
    out[3 * step] =
        vfma(vset(WINO_B2 * WINO_B), difference_b, vfma(vset(WINO_A2 * WINO_A), difference_a, m[5 * in_step]));
}

typedef struct {
    const conv_job *conv;
    long tiles_y, tiles_x, tiles;  // of an image; of all images
    long block;                    // tiles of an item
    long input_row, product_row;   // floats between the tiles of a point's inputs, products
} wino_job;

/// A tile's image and its place in it.
typedef struct {
    long image, y, x;  // y and x of its first output
} wino_place;

static wino_place wino_place_of(const wino_job *j, long tile) {
    long in_image = tile % (j->tiles_y * j->tiles_x);
    return (wino_place){
        tile / (j->tiles_y * j->tiles_x), in_image / j->tiles_x * WINO_SIDE, in_image % j->tiles_x * WINO_SIDE
    };
}

/// The place of the tile after this one.
INLINE wino_place wino_place_after(const wino_job *j, wino_place p) {
    p.x += WINO_SIDE;
    if (p.x < j->tiles_x * WINO_SIDE) return p;
    p.x = 0;
    p.y += WINO_SIDE;
    if (p.y < j->tiles_y * WINO_SIDE) return p;
    return (wino_place){p.image + 1, 0, 0};
}

/// Where the inputs under a tile lie: column x of row y at row[y] + x·pixel. Rows beyond the image are zeros, as many
/// as WINO_SPAN pixels.
typedef struct {
    const float *row[WINO_SPAN];
    long pixel;
    int outside[WINO_SPAN];  // whether a column is beyond the image
} wino_window;

static void wino_find_window(const wino_job *j, wino_place place, const float *zeros, wino_window *w) {
    const conv_job *c = j->conv;
    long y0 = place.y - c->pad_top, x0 = place.x - c->pad_left, line = c->in_width * c->depth;
    const float *row = c->x + (place.image * c->in_height + y0) * line + x0 * c->depth;
    w->pixel = c->depth;
    // One comparison a coordinate: what is below zero is a large unsigned number.
    UNROLL for (long y = 0; y < WINO_SPAN; y++, row += line) {
        w->row[y] = (unsigned long)(y0 + y) < (unsigned long)c->in_height ? row : zeros;
    }
    UNROLL for (long x = 0; x < WINO_SPAN; x++) w->outside[x] = (unsigned long)(x0 + x) >= (unsigned long)c->in_width;
}

/// One vector of channels, k and on, of the inputs under a tile, to v with points `step` floats apart; or, when there
/// is a second tile, the last half vectors of both.
INLINE void wino_input_vector(const int paired, const wino_window *first, const wino_window *second, long k,
                              const long lanes, float *v, float *v2, long step) {
    row_pointer row[WINO_SPAN], row2[WINO_SPAN];
    long pixel = first->pixel;
    UNROLL for (int y = 0; y < WINO_SPAN; y++) {
        row[y] = first->row[y] + k;
        row2[y] = second->row[y] + k;
    }
    // Half of the points at a time, so that what is between the passes stays in registers.
    UNROLL for (int last = 0; last < 2; last++) {
        vf half[WINO_SPAN / 2 * WINO_SPAN], d[WINO_SPAN], out[WINO_SPAN];
        UNROLL for (int x = 0; x < WINO_SPAN; x++) {
            UNROLL for (int y = last; y < WINO_SPAN - 1 + last; y++) d[y] = (vf){0};
            if (paired) {
                static const float none[HALF];
                UNROLL for (int y = last; y < WINO_SPAN - 1 + last; y++) {
                    d[y] = vload_halves(first->outside[x] ? none : row[y] + x * pixel,
                                        second->outside[x] ? none : row2[y] + x * pixel, lanes);
                }
            } else if (!first->outside[x]) {
                UNROLL for (int y = last; y < WINO_SPAN - 1 + last; y++) d[y] = vload_first(row[y] + x * pixel, lanes);
            }
            wino_input_half(last, d, half + x, WINO_SPAN);
            LOADS_STAY;
        }
        UNROLL for (int y = 0; y < WINO_SPAN / 2; y++) {
            wino_input_half(0, half + y * WINO_SPAN, out, 1);
            wino_input_half(1, half + y * WINO_SPAN, out + WINO_SPAN / 2, 1);
            UNROLL for (int x = 0; x < WINO_SPAN; x++) {
                long at = ((last * WINO_SPAN / 2 + y) * WINO_SPAN + x) * step + k;
                if (paired)
                    vstore_halves(v + at, v2 + at, out[x], HALF);
                else
                    vstore(v + at, out[x]);
            }
        }
    }
}

/// Transforms the inputs under two tiles (or twice one) to v and v2.
static void wino_input_tiles(const wino_job *j, const wino_window *first, const wino_window *second, float *v,
                             float *v2, long step) {
    long depth = j->conv->depth, full = depth / VL * VL, rest = depth - full;
    for (int tile = 0; tile < (v == v2 ? 1 : 2); tile++) {
        const wino_window *w = tile ? second : first;
        float *to = tile ? v2 : v;
        for (long k = 0; k < full; k += VL) wino_input_vector(0, w, w, k, VL, to, to, step);
        if (rest > HALF) wino_input_vector(0, w, w, full, rest, to, to, step);
    }
    if (rest == HALF)
        wino_input_vector(1, first, second, full, HALF, v, v2, step);
    else if (rest > 0 && rest < HALF)
        wino_input_vector(1, first, second, full, rest, v, v2, step);
}

/// What is done to a tile's outputs; constants, so that each combination that matters has code of its own.
typedef struct {
    int whole;  // all 4×4 outputs lie in the image
    int residual, accumulate;
} wino_ending;

/// A tile's outputs.
typedef struct {
    long image, corner, rows, columns;  // the first one; rows and columns of them that lie in the image
} wino_outlet;

INLINE wino_outlet wino_outlet_at(const conv_job *c, wino_place p) {
    return (wino_outlet){
        p.image, p.image * c->y_image + p.y * c->y_row + p.x * c->y_pixel, least(WINO_SIDE, c->out_height - p.y),
        least(WINO_SIDE, c->out_width - p.x)
    };
}

/// One vector of channels, k and on, of the outputs of a tile, from its products at m; or, when paired, the last half
/// vectors of two tiles.
INLINE void wino_output_vector(const conv_job *c, const wino_ending ending, const int paired, const wino_outlet *first,
                               const wino_outlet *second, long k, const long lanes, const float *m, const float *m2,
                               long step) {
    vf half[WINO_SIDE * WINO_SPAN], column[WINO_SPAN], out[WINO_SIDE];
    UNROLL for (int x = 0; x < WINO_SPAN; x++) {
        UNROLL for (int y = 0; y < WINO_SPAN; y++) {
            long at = (y * WINO_SPAN + x) * step + k;
            column[y] = paired ? vload_halves(m + at, m2 + at, HALF) : vload(m + at);
        }
        wino_output_column(column, 1, half + x, WINO_SPAN);
    }
    vf offset = vset(0.0f);
#define WINO_LOAD(p, to, to2) (paired ? vload_halves((p) + (to), (p) + (to2), lanes) : vload_first((p) + (to), lanes))
    if (c->bias) offset += WINO_LOAD(c->bias, k, k);
    if (c->image_bias)
        offset += WINO_LOAD(c->image_bias, first->image * c->image_bias_row + k, second->image * c->image_bias_row + k);
    UNROLL for (int y = 0; y < WINO_SIDE; y++) {
        if (!ending.whole && y >= first->rows) break;
        wino_output_column(half + y * WINO_SPAN, 1, out, 1);
        UNROLL for (int x = 0; x < WINO_SIDE; x++) {
            if (!ending.whole && x >= first->columns) break;
            long at = y * c->y_row + x * c->y_pixel + k, to = first->corner + at, to2 = second->corner + at;
            vf v = out[x] + offset;
            if (ending.residual) v += WINO_LOAD(c->residual, to, to2);
            if (ending.accumulate) v += WINO_LOAD(c->y, to, to2);
            if (paired)
                vstore_halves(c->y + to, c->y + to2, v, lanes);
            else
                vstore_first(c->y + to, v, lanes);
        }
    }
#undef WINO_LOAD
}

/// Transforms the products of two tiles (or twice one) back and finishes their outputs. Tiles that are cut short by the
/// image's end come one at a time.
INLINE void wino_output_tiles(const wino_job *j, const wino_ending ending, const wino_outlet *first,
                              const wino_outlet *second, const float *m, const float *m2, long step) {
    const conv_job *c = j->conv;
    long full = c->columns / VL * VL, rest = c->columns - full;
    for (int tile = 0; tile < (m == m2 ? 1 : 2); tile++) {
        const wino_outlet *place = tile ? second : first;
        const float *from = tile ? m2 : m;
        for (long k = 0; k < full; k += VL) wino_output_vector(c, ending, 0, place, place, k, VL, from, from, step);
        if (rest > HALF) wino_output_vector(c, ending, 0, place, place, full, rest, from, from, step);
    }
    if (rest == HALF)
        wino_output_vector(c, ending, 1, first, second, full, HALF, m, m2, step);
    else if (rest > 0 && rest < HALF)
        wino_output_vector(c, ending, 1, first, second, full, rest, m, m2, step);
}

static void wino_outputs(const wino_job *j, wino_place place, long tiles, const float *products, long step) {
    const conv_job *c = j->conv;
    int whole = c->out_height % WINO_SIDE == 0 && c->out_width % WINO_SIDE == 0;
    for (long t = 0; t < tiles;) {
        wino_outlet here = wino_outlet_at(c, place), there = here;
        const float *m = products + t * j->product_row, *m2 = m;
        place = wino_place_after(j, place);
        t++;
        if (whole && t < tiles) {
            there = wino_outlet_at(c, place);
            m2 = products + t * j->product_row;
            place = wino_place_after(j, place);
            t++;
        }
        if (!whole)
            wino_output_tiles(j, (wino_ending){0, c->residual != NULL, c->accumulate}, &here, &there, m, m2, step);
        else if (c->accumulate)
            wino_output_tiles(j, (wino_ending){1, c->residual != NULL, 1}, &here, &there, m, m2, step);
        else if (c->residual)
            wino_output_tiles(j, (wino_ending){1, 1, 0}, &here, &there, m, m2, step);
        else
            wino_output_tiles(j, (wino_ending){1, 0, 0}, &here, &there, m, m2, step);
    }
}

/// Transforms the inputs under `tiles` tiles from `place` on.
static void wino_inputs(const wino_job *j, wino_place place, long tiles, const float *zeros, float *inputs, long step) {
    for (long t = 0; t < tiles; t += 2) {
        wino_window here, there;
        wino_find_window(j, place, zeros, &here);
        place = wino_place_after(j, place);
        float *v = inputs + t * j->input_row, *v2 = v;
        if (t + 1 < tiles) {
            wino_find_window(j, place, zeros, &there);
            place = wino_place_after(j, place);
            v2 += j->input_row;
        }
        wino_input_tiles(j, &here, v == v2 ? &here : &there, v, v2, step);
    }
}

static void wino_item(void *context, long index) {
    const wino_job *j = context;
    const conv_job *c = j->conv;
    long first = index * j->block, tiles = least(j->block, j->tiles - first), rows = tile_height(j->block);
    long input_step = wino_step(rows * j->input_row), product_step = wino_step(rows * j->product_row);
    long edge = WINO_SPAN * c->depth + VL;
    float *inputs = dk_scratch(DK_LOCAL_A, WINO_POINTS * input_step + edge);
    float *products = dk_scratch(DK_LOCAL_B, WINO_POINTS * product_step);
    float *zeros = inputs + WINO_POINTS * input_step;
    memset(zeros, 0, (size_t)edge * sizeof(float));
    wino_place place = wino_place_of(j, first);
    wino_inputs(j, place, tiles, zeros, inputs, input_step);
    const long segment = 0;
    for (long point = 0; point < WINO_POINTS; point++)
        for (long c0 = 0; c0 < c->columns; c0 += NR) {
            long columns = least(NR, c->columns - c0);
            const float *weights = c->panels + c0 / NR * WINO_POINTS * wino_step(c->depth * NR) +
                                   point * wino_step(c->depth * panel_width(columns));
            grid_tiles(tiles, tile_width(columns), inputs + point * input_step, j->input_row, &segment, 1, c->depth,
                       weights, NULL, 0, products + point * product_step + c0, j->product_row);
        }
    wino_outputs(j, place, tiles, products, product_step);
}

/// Runs a convolution whose panels hold transformed weights.
static void wino_run(const conv_job *c) {
    wino_job j = {
        .conv = c,
        .tiles_y = ceil_div(c->out_height, WINO_SIDE),
        .tiles_x = ceil_div(c->out_width, WINO_SIDE),
        .input_row = round_up(c->depth, VL),
        .product_row = round_up(c->columns, VL)
    };
    j.tiles = c->batch * j.tiles_y * j.tiles_x;
    long most_tiles = WINO_SCRATCH / (WINO_POINTS * (j.input_row + j.product_row)) / MR * MR;
    most_tiles = most(MR, least(WINO_MOST_TILES, most_tiles));
    // As many items for each thread, of equal size.
    long items = round_up(ceil_div(j.tiles, most_tiles), least(dk_threads(), j.tiles));
    j.block = ceil_div(j.tiles, items);
    long work = j.tiles * WINO_POINTS * c->depth * c->columns / 4;
    dk_region(ceil_div(j.tiles, j.block), work, wino_item, &j);
}

/// Columns whose weights are transformed at a time: whole panels, as many each time.
static long wino_columns_at_a_time(long depth, long columns) {
    long panels = panel_count(columns), most_panels = most(1, WINO_WEIGHTS / (WINO_POINTS * wino_step(depth * NR)));
    return least(columns, ceil_div(panels, ceil_div(panels, most_panels)) * NR);
}

/// Floats that wino_convolve works in.
static long wino_workspace_floats(long depth, long columns) {
    return wino_panels_size(depth, wino_columns_at_a_time(depth, columns));
}

/// Runs a convolution, transforming the weights for it. Where those of all columns would take much memory, some columns
/// follow others; inputs are then transformed more than once, which costs little where there are so many channels.
static void wino_convolve(const conv_job *c, wino_weights weights, float *workspace) {
    long step = wino_columns_at_a_time(c->depth, c->columns);
    weights.panels = workspace;
    for (; weights.first < c->columns; weights.first += step) {
        weights.columns = least(step, c->columns - weights.first);
        wino_pack_weights(weights);
        conv_job part = *c;
        part.columns = weights.columns;
        part.panels = workspace;
        part.y += weights.first;
        if (c->bias) part.bias += weights.first;
        if (c->image_bias) part.image_bias += weights.first;
        if (c->residual) part.residual += weights.first;
        wino_run(&part);
    }
}
