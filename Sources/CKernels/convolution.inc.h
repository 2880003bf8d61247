// Convolution by the row micro-kernel, without an im2col of the tensor: a work item copies the padded input rows that
// it needs into its thread's scratch, where the taps of one kernel row are one contiguous run of taps_x·Cin floats.
//
// The core takes any rectangle of taps, any stride and any padding (negative crops), and writes its result anywhere
// on a pixel grid; forward passes, input gradients and the four parities of a strided input gradient are calls of it.

#define CONV_SCRATCH_FLOATS (48 * 1024)  // of padded input an item keeps in cache
#define CONV_MOST_PIXELS 384             // of an item
#define CONV_MOST_TAPS 9
#define CONV_SMALL_WEIGHTS (160 * 1024)  // floats that stay in a second-level cache while tiles pass by

typedef struct {
    long batch, in_height, in_width, depth;  // depth: channels summed over
    long out_height, out_width, columns;     // columns: channels written
    long taps_y, taps_x, stride, pad_top, pad_left;
    const float *x;
    const float *panels;  // packed [taps_y·taps_x·depth, columns]
    float *y;
    long y_image, y_row, y_pixel;               // floats between images, rows and pixels of the output
    const float *bias, *image_bias, *residual;  // residual is laid out as y
    long image_bias_row;                        // floats between the images of image_bias
    int accumulate;
    int is_narrow;  // panels are narrow_pack's
    // The plan:
    int in_place;       // 1×1 taps without padding read x directly
    int is_matrix;      // output pixels follow each other as the input pixels they are of do
    long images, rows;  // output rows of an item: whole images, or some rows of one
    long chunks_per_image, chunks, groups;
} conv_job;

/// Copies rows and columns of one image, zeros beyond its edges, to dst[rows][width][cell], of each cell `depth`
/// channels from first_channel on. What a cell has beyond its depth is left undefined.
static void copy_padded(const float *image, long in_height, long in_width, long channels, long first_channel,
                        long depth, long first_row, long rows, long first_column, long width, long cell, float *dst) {
    long left = least(width, most(0, -first_column)), right = most(left, least(width, in_width - first_column));
    for (long r = 0; r < rows; r++, dst += width * cell) {
        long y = first_row + r;
        if (y < 0 || y >= in_height) {
            memset(dst, 0, (size_t)(width * cell) * sizeof(float));
            continue;
        }
        memset(dst, 0, (size_t)(left * cell) * sizeof(float));
        const float *src = image + (y * in_width + first_column + left) * channels + first_channel;
        if (depth == channels && cell == depth) {
            memcpy(dst + left * cell, src, (size_t)((right - left) * cell) * sizeof(float));
        } else {
            for (long c = left; c < right; c++, src += channels)
                for (long i = 0; i < depth; i += VL) {
                    long n = least(VL, depth - i);
                    vstore_first(dst + c * cell + i, vload_first(src + i, n), n);
                }
        }
        memset(dst + right * cell, 0, (size_t)((width - right) * cell) * sizeof(float));
    }
}

/// Where an item's inputs are: base + image·image_step + row·row_step + column·pixel_step, then the segments.
typedef struct {
    const conv_job *job;
    const float *base;
    long image, first_row, rows, image_step, row_step, pixel_step;
    const long *segment;
    long segments, depth;
} conv_item_state;

/// Output pixels q..<q+count of an item, for some panels.
static void conv_tile(const conv_item_state *s, long q, long count, long first_panel, long end_panel) {
    const conv_job *j = s->job;
    row_pointer inputs[MR];
    long outputs[MR], images[MR];
    if (j->is_matrix) {
        long first = s->image * j->y_image + s->first_row * j->y_row + q * j->y_pixel;
        SCALAR_LOOP for (long i = 0; i < count; i++) {
            inputs[i] = s->base + (q + i) * j->depth;
            outputs[i] = first + i * j->y_pixel;
        }
    } else {
        long column = q % j->out_width, row = q / j->out_width % s->rows, local = q / j->out_width / s->rows;
        for (long i = 0; i < count; i++) {
            inputs[i] = s->base + local * s->image_step + row * s->row_step + column * s->pixel_step;
            images[i] = s->image + local;
            outputs[i] = images[i] * j->y_image + (s->first_row + row) * j->y_row + column * j->y_pixel;
            if (++column == j->out_width) {
                column = 0;
                if (++row == s->rows) row = 0, local++;
            }
        }
    }
    tile_target target = {
        .has_image_bias = j->image_bias != NULL, .has_residual = j->residual != NULL, .accumulate = j->accumulate
    };
    for (long panel = first_panel; panel < end_panel; panel++) {
        long c0 = panel * NR, columns = least(NR, j->columns - c0);
        if (j->bias) target.bias = j->bias + c0;
        // One at a time: a vector would have to wait for the single stores it covers.
        SCALAR_LOOP for (long i = 0; i < count; i++) target.out[i] = j->y + outputs[i] + c0;
        if (j->residual) {
            SCALAR_LOOP for (long i = 0; i < count; i++) target.residual[i] = j->residual + outputs[i] + c0;
        }
        if (j->image_bias) {
            SCALAR_LOOP for (long i = 0; i < count; i++) {
                target.image_bias[i] = j->image_bias + images[i] * j->image_bias_row + c0;
            }
        }
        product_tile(count, columns, inputs, s->segment, s->segments, s->depth,
                     j->panels + panel * NR * s->segments * s->depth, panel_width(columns), &target);
    }
}

/// The panels from first_panel on whose tiles can be rows that lie evenly: all pixels of a matrix, or lines of the
/// output that are made of whole tiles. Returns the first panel that is left to do.
static long conv_rows(const conv_item_state *s, long pixels, long first_panel, long end_panel) {
    const conv_job *j = s->job;
    long unit = tile_height(1), lines = j->is_matrix ? 1 : pixels / j->out_width, line = pixels / lines;
    long rows = line / unit * unit;
    int is_even = j->is_matrix || (rows == line && line >= MR);
    if (!is_even || j->residual || j->image_bias) return first_panel;
    long panel = first_panel;
    for (; panel < end_panel; panel++) {
        long c0 = panel * NR, columns = least(NR, j->columns - c0);
        if (columns != tile_width(columns)) break;
        for (long i = 0; i < lines; i++) {
            long image = i / s->rows, row = i % s->rows;
            float *out = j->y + (s->image + image) * j->y_image + (s->first_row + row) * j->y_row + c0;
            grid_tiles(rows, columns, s->base + image * s->image_step + row * s->row_step, s->pixel_step, s->segment,
                       s->segments, s->depth, j->panels + panel * NR * s->segments * s->depth,
                       j->bias ? j->bias + c0 : NULL, j->accumulate, out, j->y_pixel);
        }
    }
    if (rows < line && panel > first_panel) conv_tile(s, rows, line - rows, first_panel, panel);
    return panel;
}

// ---------------------------------------------------------------- few output channels
// A network's last convolution has one to four columns, which would leave most lanes of a tile idle. Its products are
// summed along the input channels instead: lanes first, then the lanes.

#define NARROW_COLUMNS 4
#define NARROW_PIXELS 4  // at a time, for chains enough to hide the latency of additions

INLINE int conv_is_narrow(long columns, long depth) { return columns <= NARROW_COLUMNS && depth >= VL; }

/// Weights are [column][tap][depth rounded up to vectors, zeros beyond].
INLINE long narrow_panels_size(long taps, long depth, long columns) { return columns * taps * round_up(depth, VL); }

static void narrow_pack(const float *w, long taps, long depth, long columns, float *panels) {
    long row = round_up(depth, VL);
    memset(panels, 0, (size_t)narrow_panels_size(taps, depth, columns) * sizeof(float));
    for (long c = 0; c < columns; c++)
        for (long t = 0; t < taps; t++)
            for (long k = 0; k < depth; k++) panels[(c * taps + t) * row + k] = w[(t * depth + k) * columns + c];
}

/// NARROW_PIXELS pixels of one column; taps lie `tap` apart from each pixel.
INLINE void narrow_pixels(const row_pointer *x, const long *tap, long taps, long depth, const float *w, float *out) {
    vf acc[NARROW_PIXELS];
    UNROLL for (int i = 0; i < NARROW_PIXELS; i++) acc[i] = (vf){0};
    long full = depth / VL * VL;
    for (long t = 0; t < taps; t++) {
        long k = 0;
        for (; k < full; k += VL, w += VL) {
            UNROLL for (int i = 0; i < NARROW_PIXELS; i++) acc[i] = vfma(vload(x[i] + tap[t] + k), vload(w), acc[i]);
        }
        if (full == depth) continue;
        UNROLL for (int i = 0; i < NARROW_PIXELS; i++) {
            acc[i] = vfma(vload_first(x[i] + tap[t] + k, depth - full), vload(w), acc[i]);
        }
        w += VL;
    }
    UNROLL for (int i = 0; i < NARROW_PIXELS; i++) out[i] = vsum(acc[i]);
}

/// A pixel of an item's outputs.
typedef struct {
    long image, row, column;
} item_pixel;

/// Output pixels at..<at+count of an item, count ≤ NARROW_PIXELS; `at` is moved behind them.
static void narrow_tile(const conv_item_state *s, const long *tap, item_pixel *at, long count) {
    const conv_job *j = s->job;
    long taps = j->taps_y * j->taps_x, row_floats = round_up(j->depth, VL);
    row_pointer inputs[NARROW_PIXELS];
    long outputs[NARROW_PIXELS], images[NARROW_PIXELS];
    for (long i = 0; i < NARROW_PIXELS; i++) {
        inputs[i] = s->base + at->image * s->image_step + at->row * s->row_step + at->column * s->pixel_step;
        images[i] = s->image + at->image;
        outputs[i] = images[i] * j->y_image + (s->first_row + at->row) * j->y_row + at->column * j->y_pixel;
        // Beyond the count the last one again; the next tile's first one after it.
        if (i + 1 >= count && count < NARROW_PIXELS) continue;
        if (++at->column < j->out_width) continue;
        at->column = 0;
        if (++at->row == s->rows) at->row = 0, at->image++;
    }
    for (long c = 0; c < j->columns; c++) {
        float sums[NARROW_PIXELS];
        narrow_pixels(inputs, tap, taps, j->depth, j->panels + c * taps * row_floats, sums);
        for (long i = 0; i < count; i++) {
            float v = sums[i];
            if (j->bias) v += j->bias[c];
            if (j->image_bias) v += j->image_bias[images[i] * j->image_bias_row + c];
            if (j->residual) v += j->residual[outputs[i] + c];
            if (j->accumulate) v += j->y[outputs[i] + c];
            j->y[outputs[i] + c] = v;
        }
    }
}

// ---------------------------------------------------------------- items

static void conv_item(void *context, long index) {
    const conv_job *j = context;
    long group = index % j->groups, chunk = index / j->groups;
    long panels = panel_count(j->columns);
    long first_panel = panels * group / j->groups, end_panel = panels * (group + 1) / j->groups;
    long image = chunk / j->chunks_per_image * j->images, images = least(j->images, j->batch - image);
    long first_row = chunk % j->chunks_per_image * j->rows, rows = least(j->rows, j->out_height - first_row);

    long padded_width = (j->out_width - 1) * j->stride + j->taps_x;
    long padded_rows = (rows - 1) * j->stride + j->taps_y;
    long image_step, line, cell = j->depth;
    const float *base;
    if (j->in_place) {
        line = j->in_width * cell;
        image_step = j->in_height * line;
        base = j->x + image * image_step + first_row * j->stride * line;
    } else {
        if (stride_conflicts(cell)) cell += VL;
        line = padded_width * cell;
        image_step = padded_rows * line;
        float *scratch = dk_scratch(DK_LOCAL_A, images * image_step);
        for (long i = 0; i < images; i++)
            copy_padded(j->x + (image + i) * j->in_height * j->in_width * j->depth, j->in_height, j->in_width, j->depth,
                        0, j->depth, first_row * j->stride - j->pad_top, padded_rows, -j->pad_left, padded_width, cell,
                        scratch + i * image_step);
        base = scratch;
    }
    long pixel_step = j->stride * cell;
    if (j->is_narrow) {
        long tap[CONV_MOST_TAPS];
        for (long y = 0; y < j->taps_y; y++)
            for (long x = 0; x < j->taps_x; x++) tap[y * j->taps_x + x] = y * line + x * cell;
        conv_item_state state = {
            .job = j,
            .base = base,
            .image = image,
            .first_row = first_row,
            .rows = rows,
            .image_step = image_step,
            .row_step = j->stride * line,
            .pixel_step = pixel_step
        };
        long pixels = images * rows * j->out_width;
        item_pixel at = {0, 0, 0};
        for (long q = 0; q < pixels; q += NARROW_PIXELS)
            narrow_tile(&state, tap, &at, least(NARROW_PIXELS, pixels - q));
        return;
    }
    // One run for each row of taps, or one for each tap where pixels are kept apart.
    long segment[CONV_MOST_TAPS], segments = 0, depth = j->taps_x * j->depth;
    if (cell == j->depth) {
        for (long y = 0; y < j->taps_y; y++) segment[segments++] = y * line;
    } else {
        depth = j->depth;
        for (long y = 0; y < j->taps_y; y++)
            for (long x = 0; x < j->taps_x; x++) segment[segments++] = y * line + x * cell;
    }
    long pixels = images * rows * j->out_width;
    conv_item_state state = {j,          base,    image,    first_row, rows, image_step, j->stride * line,
                             pixel_step, segment, segments, depth};
    first_panel = conv_rows(&state, pixels, first_panel, end_panel);
    if (first_panel == end_panel) return;
    // Weights that fit stay in cache while each tile meets all of them, its inputs in the first level; larger ones
    // are streamed once, each panel meeting all tiles.
    long inner = j->taps_y * j->taps_x * j->depth;
    if (inner * (end_panel - first_panel) * NR <= CONV_SMALL_WEIGHTS) {
        for (long q = 0; q < pixels; q += MR) conv_tile(&state, q, least(MR, pixels - q), first_panel, end_panel);
    } else {
        for (long panel = first_panel; panel < end_panel; panel++)
            for (long q = 0; q < pixels; q += MR) conv_tile(&state, q, least(MR, pixels - q), panel, panel + 1);
    }
}

/// Runs a convolution whose panels are packed.
static void conv_run(conv_job *j) {
    if (j->batch <= 0 || j->out_height <= 0 || j->out_width <= 0 || j->columns <= 0) return;
    long image_pixels = j->out_height * j->out_width;
    j->in_place = j->taps_y == 1 && j->taps_x == 1 && j->pad_top == 0 && j->pad_left == 0 &&
                  (j->out_height - 1) * j->stride < j->in_height && (j->out_width - 1) * j->stride < j->in_width;
    j->is_matrix = j->in_place && j->stride == 1 && j->in_height == j->out_height && j->in_width == j->out_width &&
                   j->y_row == j->out_width * j->y_pixel && j->y_image == j->out_height * j->y_row && !j->image_bias;
    long row_floats = ((j->out_width - 1) * j->stride + j->taps_x) * j->depth * j->stride;
    long wanted = 4 * dk_threads(), panels = panel_count(j->columns);
    long most_rows = most(1, least(CONV_SCRATCH_FLOATS / most(1, row_floats), CONV_MOST_PIXELS / j->out_width));
    if (most_rows >= j->out_height) {
        j->rows = j->out_height;
        j->images = most(1, least(j->batch, most_rows / j->out_height));
        // Several items where the batch allows, of enough pixels each to be worth streaming the weights for.
        long split = ceil_div(j->batch, wanted);
        if (split < j->images) j->images = most(split, least(j->images, ceil_div(96, image_pixels)));
        // As many for each thread.
        long items = round_up(ceil_div(j->batch, j->images), dk_threads());
        if (items <= j->batch) j->images = ceil_div(j->batch, items);
    } else {
        j->images = 1;
        j->rows = ceil_div(j->out_height, ceil_div(j->out_height, most_rows));
    }
    j->chunks_per_image = ceil_div(j->out_height, j->rows);
    j->chunks = ceil_div(j->batch, j->images) * j->chunks_per_image;
    j->groups = least(panels, ceil_div(wanted, j->chunks));
    if (j->chunks * j->groups < wanted && j->images == 1) {
        long rows = most(ceil_div(48, j->out_width), ceil_div(j->batch * j->out_height, wanted));
        if (rows < j->rows) {
            j->rows = rows;
            j->chunks_per_image = ceil_div(j->out_height, rows);
            j->chunks = j->batch * j->chunks_per_image;
            j->groups = least(panels, ceil_div(wanted, j->chunks));
        }
    }
    long work = j->batch * image_pixels * j->columns * j->taps_y * j->taps_x * j->depth / 4;
    dk_region(j->chunks * j->groups, work, conv_item, j);
}

// ---------------------------------------------------------------- packing of weights

/// Weights [kernel, kernel, in, out] as the matrix of a convolution with taps (y0 + dy·i, x0 + dx·j), either as they
/// are (rows in, columns out) or transposed (rows out, columns in).
typedef struct {
    const float *w;
    long kernel, in, out;
    long taps_y, taps_x, y0, x0, dy, dx;
    int transposed;
    float *panels;
} weight_packing;

#define PACK_DEPTH 64  // rows of a tap that one item packs, for every panel

static void pack_weights_item(void *context, long index) {
    const weight_packing *p = context;
    long depth = p->transposed ? p->out : p->in, all = p->transposed ? p->in : p->out;
    long blocks = ceil_div(depth, PACK_DEPTH), tap = index / blocks, first = index % blocks * PACK_DEPTH;
    long rows = least(PACK_DEPTH, depth - first), inner = p->taps_y * p->taps_x * depth;
    long y = p->y0 + tap / p->taps_x * p->dy, x = p->x0 + tap % p->taps_x * p->dx;
    const float *w = p->w + (y * p->kernel + x) * p->in * p->out;
    for (long c0 = 0; c0 < all; c0 += NR) {
        long columns = least(NR, all - c0);
        float *dst = p->panels + c0 * inner + (tap * depth + first) * panel_width(columns);
        if (p->transposed)
            pack_panel_transposed(w + c0 * p->out + first, p->out, rows, columns, dst);
        else
            pack_panel(w + first * p->out + c0, p->out, rows, columns, dst);
    }
}

/// To p.panels, which has room for panels_size of them.
static void pack_weights(weight_packing p) {
    long depth = p.transposed ? p.out : p.in, columns = p.transposed ? p.in : p.out;
    long inner = p.taps_y * p.taps_x * depth;
    dk_region(p.taps_y * p.taps_x * ceil_div(depth, PACK_DEPTH), 3 * inner * columns, pack_weights_item, &p);
}
