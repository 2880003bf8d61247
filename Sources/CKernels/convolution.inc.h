// Convolution by the row micro-kernel, without an im2col of the tensor: a work item copies the padded input rows that
// it needs into its thread's scratch, where the taps of one kernel row are one contiguous run of taps_x·Cin floats.
//
// The core takes any rectangle of taps, any stride and any padding (negative crops), and writes its result anywhere
// on a pixel grid; forward passes, input gradients and the four parities of a strided input gradient are calls of it.
//
// The plain reference of this and of Winograd's method is Reference.convolution.

#define CONV_SCRATCH_FLOATS (48 * 1024)  // of padded input an item keeps in cache
#define CONV_MAX_PIXELS 384              // of an item
#define CONV_MAX_TAPS 9
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
    long left = min_long(width, max_long(0, -first_column)),
         right = max_long(left, min_long(width, in_width - first_column));
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
                    long n = min_long(VL, depth - i);
                    vstore_first(dst + c * cell + i, vload_first(src + i, n), n);
                }
        }
        memset(dst + right * cell, 0, (size_t)((width - right) * cell) * sizeof(float));
    }
}

/// An item's output pixels and where their inputs lie: base + image·image_step + row·row_step + column·pixel_step, then
/// the segments.
typedef struct {
    const conv_job *job;
    long image, images, first_row, rows;  // images from `image` on, and rows of each
    const float *base;
    long image_step, row_step, pixel_step;
    long line, cell;  // floats between rows and between pixels of the input
    // Runs of `depth` floats that a pixel's products are summed over.
    long segment[CONV_MAX_TAPS], segments, depth;
} conv_inputs;

/// Output pixels q..<q+count of an item, for some panels.
static void conv_tile(const conv_inputs *in, long q, long count, long first_panel, long end_panel) {
    const conv_job *job = in->job;
    row_pointer inputs[MR];
    long outputs[MR], images[MR];
    if (job->is_matrix) {
        long first = in->image * job->y_image + in->first_row * job->y_row + q * job->y_pixel;
        SCALAR_LOOP for (long i = 0; i < count; i++) {
            inputs[i] = in->base + (q + i) * job->depth;
            outputs[i] = first + i * job->y_pixel;
        }
    } else {
        long column = q % job->out_width, row = q / job->out_width % in->rows, local = q / job->out_width / in->rows;
        for (long i = 0; i < count; i++) {
            inputs[i] = in->base + local * in->image_step + row * in->row_step + column * in->pixel_step;
            images[i] = in->image + local;
            outputs[i] = images[i] * job->y_image + (in->first_row + row) * job->y_row + column * job->y_pixel;
            if (++column == job->out_width) {
                column = 0;
                if (++row == in->rows) row = 0, local++;
            }
        }
    }
    tile_target target = {
        .has_image_bias = job->image_bias != NULL, .has_residual = job->residual != NULL, .accumulate = job->accumulate
    };
    for (long panel = first_panel; panel < end_panel; panel++) {
        long c0 = panel * NR, columns = min_long(NR, job->columns - c0);
        if (job->bias) target.bias = job->bias + c0;
        // One at a time: a vector would have to wait for the single stores it covers.
        SCALAR_LOOP for (long i = 0; i < count; i++) target.out[i] = job->y + outputs[i] + c0;
        if (job->residual) {
            SCALAR_LOOP for (long i = 0; i < count; i++) target.residual[i] = job->residual + outputs[i] + c0;
        }
        if (job->image_bias) {
            SCALAR_LOOP for (long i = 0; i < count; i++) {
                target.image_bias[i] = job->image_bias + images[i] * job->image_bias_row + c0;
            }
        }
        product_tile(count, columns, inputs, in->segment, in->segments, in->depth,
                     job->panels + panel * NR * in->segments * in->depth, panel_width(columns), &target);
    }
}

/// The panels from first_panel on whose tiles can be rows that lie evenly: all pixels of a matrix, or lines of the
/// output that are made of whole tiles. Returns the first panel that is left to do.
static long conv_rows(const conv_inputs *in, long pixels, long first_panel, long end_panel) {
    const conv_job *job = in->job;
    long unit = tile_height(1), lines = job->is_matrix ? 1 : pixels / job->out_width, line = pixels / lines;
    long rows = line / unit * unit;
    int is_even = job->is_matrix || (rows == line && line >= MR);
    if (!is_even || job->residual || job->image_bias) return first_panel;
    long panel = first_panel;
    for (; panel < end_panel; panel++) {
        long c0 = panel * NR, columns = min_long(NR, job->columns - c0);
        if (columns != tile_width(columns)) break;
        for (long i = 0; i < lines; i++) {
            long image = i / in->rows, row = i % in->rows;
            float *out = job->y + (in->image + image) * job->y_image + (in->first_row + row) * job->y_row + c0;
            grid_tiles(rows, columns, in->base + image * in->image_step + row * in->row_step, in->pixel_step,
                       in->segment, in->segments, in->depth, job->panels + panel * NR * in->segments * in->depth,
                       job->bias ? job->bias + c0 : NULL, job->accumulate, out, job->y_pixel);
        }
    }
    if (rows < line && panel > first_panel) conv_tile(in, rows, line - rows, first_panel, panel);
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
    UNROLL for (int i = 0; i < NARROW_PIXELS; i++) out[i] = vsum_lanes(acc[i]);
}

/// A pixel of an item's outputs.
typedef struct {
    long image, row, column;
} item_pixel;

/// Output pixels at..<at+count of an item, count ≤ NARROW_PIXELS; `at` is moved behind them.
static void narrow_tile(const conv_inputs *in, item_pixel *at, long count) {
    const conv_job *job = in->job;
    long taps = job->taps_y * job->taps_x, row_floats = round_up(job->depth, VL);
    row_pointer inputs[NARROW_PIXELS];
    long outputs[NARROW_PIXELS], images[NARROW_PIXELS];
    for (long i = 0; i < NARROW_PIXELS; i++) {
        inputs[i] = in->base + at->image * in->image_step + at->row * in->row_step + at->column * in->pixel_step;
        images[i] = in->image + at->image;
        outputs[i] = images[i] * job->y_image + (in->first_row + at->row) * job->y_row + at->column * job->y_pixel;
        // Beyond the count the last one again; the next tile's first one after it.
        if (i + 1 >= count && count < NARROW_PIXELS) continue;
        if (++at->column < job->out_width) continue;
        at->column = 0;
        if (++at->row == in->rows) at->row = 0, at->image++;
    }
    for (long c = 0; c < job->columns; c++) {
        float sums[NARROW_PIXELS];
        narrow_pixels(inputs, in->segment, taps, job->depth, job->panels + c * taps * row_floats, sums);
        for (long i = 0; i < count; i++) {
            float v = sums[i];
            if (job->bias) v += job->bias[c];
            if (job->image_bias) v += job->image_bias[images[i] * job->image_bias_row + c];
            if (job->residual) v += job->residual[outputs[i] + c];
            if (job->accumulate) v += job->y[outputs[i] + c];
            job->y[outputs[i] + c] = v;
        }
    }
}

// ---------------------------------------------------------------- items

/// The images and rows of chunk `chunk`, their inputs read in place or from a padded copy.
static conv_inputs conv_inputs_of(const conv_job *job, long chunk) {
    conv_inputs in = {.job = job};
    in.image = chunk / job->chunks_per_image * job->images;
    in.images = min_long(job->images, job->batch - in.image);
    in.first_row = chunk % job->chunks_per_image * job->rows;
    in.rows = min_long(job->rows, job->out_height - in.first_row);
    long width = (job->out_width - 1) * job->stride + job->taps_x, rows = (in.rows - 1) * job->stride + job->taps_y;
    in.cell = job->depth;
    if (job->in_place) {
        in.line = job->in_width * in.cell;
        in.image_step = job->in_height * in.line;
        in.base = job->x + in.image * in.image_step + in.first_row * job->stride * in.line;
    } else {
        if (stride_conflicts(in.cell)) in.cell += VL;
        in.line = width * in.cell;
        in.image_step = rows * in.line;
        float *padded = dk_scratch(DK_LOCAL_A, in.images * in.image_step);
        for (long i = 0; i < in.images; i++)
            copy_padded(job->x + (in.image + i) * job->in_height * job->in_width * job->depth, job->in_height,
                        job->in_width, job->depth, 0, job->depth, in.first_row * job->stride - job->pad_top, rows,
                        -job->pad_left, width, in.cell, padded + i * in.image_step);
        in.base = padded;
    }
    in.row_step = job->stride * in.line;
    in.pixel_step = job->stride * in.cell;
    return in;
}

/// One segment for each tap.
static void conv_segment_by_taps(conv_inputs *in) {
    in->depth = in->job->depth;
    for (long y = 0; y < in->job->taps_y; y++)
        for (long x = 0; x < in->job->taps_x; x++) in->segment[in->segments++] = y * in->line + x * in->cell;
}

/// One segment for each row of taps, or one for each tap where pixels are kept apart.
static void conv_segment(conv_inputs *in) {
    if (in->cell != in->job->depth) {
        conv_segment_by_taps(in);
        return;
    }
    in->depth = in->job->taps_x * in->job->depth;
    for (long y = 0; y < in->job->taps_y; y++) in->segment[in->segments++] = y * in->line;
}

static void conv_narrow_item(void *context, long chunk) {
    const conv_job *job = context;
    conv_inputs in = conv_inputs_of(job, chunk);
    conv_segment_by_taps(&in);
    long pixels = in.images * in.rows * job->out_width;
    item_pixel at = {0, 0, 0};
    for (long q = 0; q < pixels; q += NARROW_PIXELS) narrow_tile(&in, &at, min_long(NARROW_PIXELS, pixels - q));
}

static void conv_item(void *context, long index) {
    const conv_job *job = context;
    long group = index % job->groups, panels = panel_count(job->columns);
    long first_panel = panels * group / job->groups, end_panel = panels * (group + 1) / job->groups;
    conv_inputs in = conv_inputs_of(job, index / job->groups);
    conv_segment(&in);
    long pixels = in.images * in.rows * job->out_width;
    first_panel = conv_rows(&in, pixels, first_panel, end_panel);
    if (first_panel == end_panel) return;
    // Weights that fit stay in cache while each tile meets all of them, its inputs in the first level; larger ones
    // are streamed once, each panel meeting all tiles.
    long inner = job->taps_y * job->taps_x * job->depth;
    int stays = inner * (end_panel - first_panel) * NR <= CONV_SMALL_WEIGHTS;
    long at_once = stays ? end_panel - first_panel : 1;
    for (long panel = first_panel; panel < end_panel; panel += at_once)
        for (long q = 0; q < pixels; q += MR) conv_tile(&in, q, min_long(MR, pixels - q), panel, panel + at_once);
}

/// Runs a convolution whose panels are packed.
static void conv_run(conv_job *job) {
    if (job->batch <= 0 || job->out_height <= 0 || job->out_width <= 0 || job->columns <= 0) return;
    long image_pixels = job->out_height * job->out_width;
    job->in_place = job->taps_y == 1 && job->taps_x == 1 && job->pad_top == 0 && job->pad_left == 0 &&
                    (job->out_height - 1) * job->stride < job->in_height &&
                    (job->out_width - 1) * job->stride < job->in_width;
    job->is_matrix = job->in_place && job->stride == 1 && job->in_height == job->out_height &&
                     job->in_width == job->out_width && job->y_row == job->out_width * job->y_pixel &&
                     job->y_image == job->out_height * job->y_row && !job->image_bias;
    long row_floats = ((job->out_width - 1) * job->stride + job->taps_x) * job->depth * job->stride;
    long wanted = 4 * dk_threads(), panels = panel_count(job->columns);
    long max_rows =
        max_long(1, min_long(CONV_SCRATCH_FLOATS / max_long(1, row_floats), CONV_MAX_PIXELS / job->out_width));
    if (max_rows >= job->out_height) {
        job->rows = job->out_height;
        job->images = max_long(1, min_long(job->batch, max_rows / job->out_height));
        // Several items where the batch allows, of enough pixels each to be worth streaming the weights for.
        long split = ceil_div(job->batch, wanted);
        if (split < job->images) job->images = max_long(split, min_long(job->images, ceil_div(96, image_pixels)));
        // As many for each thread.
        long items = round_up(ceil_div(job->batch, job->images), dk_threads());
        if (items <= job->batch) job->images = ceil_div(job->batch, items);
    } else {
        job->images = 1;
        job->rows = ceil_div(job->out_height, ceil_div(job->out_height, max_rows));
    }
    job->chunks_per_image = ceil_div(job->out_height, job->rows);
    job->chunks = ceil_div(job->batch, job->images) * job->chunks_per_image;
    job->groups = min_long(panels, ceil_div(wanted, job->chunks));
    if (job->chunks * job->groups < wanted && job->images == 1) {
        long rows = max_long(ceil_div(48, job->out_width), ceil_div(job->batch * job->out_height, wanted));
        if (rows < job->rows) {
            job->rows = rows;
            job->chunks_per_image = ceil_div(job->out_height, rows);
            job->chunks = job->batch * job->chunks_per_image;
            job->groups = min_long(panels, ceil_div(wanted, job->chunks));
        }
    }
    long work = job->batch * image_pixels * job->columns * job->taps_y * job->taps_x * job->depth / 4;
    dk_region(job->chunks * job->groups, work, job->is_narrow ? conv_narrow_item : conv_item, job);
}

// ---------------------------------------------------------------- packing of weights

/// Weights [kernel, kernel, in, out] as the matrix of a convolution with taps (y0 + dy·ky, x0 + dx·kx), either as they
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
    long rows = min_long(PACK_DEPTH, depth - first), inner = p->taps_y * p->taps_x * depth;
    long y = p->y0 + tap / p->taps_x * p->dy, x = p->x0 + tap % p->taps_x * p->dx;
    const float *w = p->w + (y * p->kernel + x) * p->in * p->out;
    for (long c0 = 0; c0 < all; c0 += NR) {
        long columns = min_long(NR, all - c0);
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
