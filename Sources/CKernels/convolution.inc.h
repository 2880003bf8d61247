// Convolution by the row micro-kernel, without an im2col of the tensor: a work item copies the padded input rows that
// it needs into its thread's scratch, where the taps of one kernel row are one contiguous run of taps_x·Cin floats.
//
// The core takes any rectangle of taps, any stride and any padding (negative crops), and writes its result anywhere
// on a pixel grid; forward passes, input gradients and the four parities of a strided input gradient are calls of it.

#define CONV_SCRATCH_FLOATS (48 * 1024)  // of padded input an item keeps in cache
#define CONV_MOST_PIXELS 384             // of an item
#define CONV_MOST_TAPS 3

typedef struct {
    long batch, in_height, in_width, depth;      // depth: channels summed over
    long out_height, out_width, columns;         // columns: channels written
    long taps_y, taps_x, stride, pad_top, pad_left;
    const float *x;
    const float *panels;                         // packed [taps_y·taps_x·depth, columns]
    float *y;
    long y_image, y_row, y_pixel;                // floats between images, rows and pixels of the output
    const float *bias, *image_bias, *residual;   // residual is laid out as y
    int accumulate;
    // The plan:
    int in_place;                                // 1×1 taps without padding read x directly
    long images, rows;                           // output rows of an item: whole images, or some rows of one
    long chunks_per_image, chunks, groups;
} conv_job;

/// Copies the rows of the padded input under output rows [y0, y0 + rows) of image b to dst [..][padded width][depth].
static void copy_padded(const float *image, long in_height, long in_width, long channels, long first_channel,
                        long depth, long first_row, long rows, long first_column, long width, float *dst) {
    long left = least(width, most(0, -first_column)), right = most(left, least(width, in_width - first_column));
    for (long r = 0; r < rows; r++, dst += width * depth) {
        long y = first_row + r;
        if (y < 0 || y >= in_height) {
            memset(dst, 0, (size_t)(width * depth) * sizeof(float));
            continue;
        }
        memset(dst, 0, (size_t)(left * depth) * sizeof(float));
        const float *src = image + (y * in_width + first_column + left) * channels + first_channel;
        if (depth == channels) {
            memcpy(dst + left * depth, src, (size_t)((right - left) * depth) * sizeof(float));
        } else {
            for (long c = left; c < right; c++, src += channels)
                memcpy(dst + c * depth, src, (size_t)depth * sizeof(float));
        }
        memset(dst + right * depth, 0, (size_t)((width - right) * depth) * sizeof(float));
    }
}

static void conv_item(void *context, long index) {
    const conv_job *j = context;
    long group = index % j->groups, chunk = index / j->groups;
    long panels = panel_count(j->columns);
    long first_panel = panels * group / j->groups, end_panel = panels * (group + 1) / j->groups;
    long image = chunk / j->chunks_per_image * j->images, images = least(j->images, j->batch - image);
    long first_row = chunk % j->chunks_per_image * j->rows, rows = least(j->rows, j->out_height - first_row);

    // Where the pixels' inputs are: base + image·image_step + row·row_step + column·pixel_step.
    long padded_width = (j->out_width - 1) * j->stride + j->taps_x;
    long padded_rows = (rows - 1) * j->stride + j->taps_y;
    long image_step, line, pixel_step = j->stride * j->depth;
    const float *base;
    if (j->in_place) {
        line = j->in_width * j->depth;
        image_step = j->in_height * line;
        base = j->x + image * image_step + first_row * j->stride * line;
    } else {
        line = padded_width * j->depth;
        image_step = padded_rows * line;
        float *scratch = dk_scratch(DK_LOCAL_A, images * image_step);
        for (long i = 0; i < images; i++)
            copy_padded(j->x + (image + i) * j->in_height * j->in_width * j->depth, j->in_height, j->in_width, j->depth,
                        0, j->depth, first_row * j->stride - j->pad_top, padded_rows, -j->pad_left, padded_width,
                        scratch + i * image_step);
        base = scratch;
    }
    long segment[CONV_MOST_TAPS];
    for (long s = 0; s < j->taps_y; s++) segment[s] = s * line;

    long pixels = images * rows * j->out_width, inner = j->taps_y * j->taps_x * j->depth;
    for (long panel = first_panel; panel < end_panel; panel++) {
        long c0 = panel * NR, columns = least(NR, j->columns - c0);
        const float *weights = j->panels + panel * NR * inner;
        tile_target target = {.bias = j->bias ? j->bias + c0 : NULL,
                              .has_image_bias = j->image_bias != NULL,
                              .has_residual = j->residual != NULL,
                              .accumulate = j->accumulate,
                              .alpha = 1.0f};
        long column = 0, row = 0, local = 0;
        for (long q = 0; q < pixels; q += MR) {
            long count = least(MR, pixels - q);
            row_pointer line_of[MR];
            for (long i = 0; i < count; i++) {
                line_of[i] = base + local * image_step + row * j->stride * line + column * pixel_step;
                long at = (image + local) * j->y_image + (first_row + row) * j->y_row + column * j->y_pixel + c0;
                target.out[i] = j->y + at;
                if (j->residual) target.residual[i] = j->residual + at;
                if (j->image_bias) target.image_bias[i] = j->image_bias + (image + local) * j->columns + c0;
                if (++column == j->out_width) {
                    column = 0;
                    if (++row == rows) row = 0, local++;
                }
            }
            product_tile(count, columns, line_of, segment, j->taps_y, j->taps_x * j->depth, weights,
                         panel_width(columns), &target);
        }
    }
}

/// Runs a convolution whose panels are packed.
static void conv_run(conv_job *j) {
    if (j->batch <= 0 || j->out_height <= 0 || j->out_width <= 0 || j->columns <= 0) return;
    long image_pixels = j->out_height * j->out_width;
    j->in_place = j->taps_y == 1 && j->taps_x == 1 && j->pad_top == 0 && j->pad_left == 0 &&
                  (j->out_height - 1) * j->stride < j->in_height && (j->out_width - 1) * j->stride < j->in_width;
    long row_floats = ((j->out_width - 1) * j->stride + j->taps_x) * j->depth * j->stride;
    long wanted = 4 * dk_threads(), panels = panel_count(j->columns);
    long most_rows = most(1, least(CONV_SCRATCH_FLOATS / most(1, row_floats), CONV_MOST_PIXELS / j->out_width));
    if (most_rows >= j->out_height) {
        j->rows = j->out_height;
        j->images = most(1, least(j->batch, most_rows / j->out_height));
        // Several items where the batch allows, of enough pixels each to be worth streaming the weights for.
        long split = ceil_div(j->batch, wanted);
        if (split < j->images) j->images = most(split, least(j->images, ceil_div(96, image_pixels)));
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

static void pack_weights_item(void *context, long panel) {
    const weight_packing *p = context;
    long depth = p->transposed ? p->out : p->in, all = p->transposed ? p->in : p->out;
    long c0 = panel * NR, columns = least(NR, all - c0), w = panel_width(columns);
    float *dst = p->panels + panel * NR * p->taps_y * p->taps_x * depth;
    for (long i = 0; i < p->taps_y; i++)
        for (long k = 0; k < p->taps_x; k++, dst += depth * w) {
            const float *tap = p->w + ((p->y0 + i * p->dy) * p->kernel + p->x0 + k * p->dx) * p->in * p->out;
            if (p->transposed)
                pack_panel_transposed(tap + c0 * p->out, p->out, depth, columns, dst);
            else
                pack_panel(tap + c0, p->out, depth, columns, dst);
        }
}

static const float *pack_weights(weight_packing p) {
    long depth = p.transposed ? p.out : p.in, columns = p.transposed ? p.in : p.out;
    long inner = p.taps_y * p.taps_x * depth;
    p.panels = dk_scratch(DK_SHARED_A, most(1, panels_size(inner, columns)));
    dk_region(panel_count(columns), inner * columns, pack_weights_item, &p);
    return p.panels;
}

static void conv_forward(const dk_conv_shape *s, const float *x, const float *w, const float *bias,
                         const float *image_bias, const float *residual, float *y, int accumulate) {
    weight_packing packing = {.w = w, .kernel = s->kernel, .in = s->in_channels, .out = s->out_channels,
                              .taps_y = s->kernel, .taps_x = s->kernel, .dy = 1, .dx = 1};
    conv_job job = {.batch = s->batch, .in_height = s->in_height, .in_width = s->in_width, .depth = s->in_channels,
                    .out_height = s->out_height, .out_width = s->out_width, .columns = s->out_channels,
                    .taps_y = s->kernel, .taps_x = s->kernel, .stride = s->stride, .pad_top = s->pad_top,
                    .pad_left = s->pad_left, .x = x, .panels = pack_weights(packing), .y = y,
                    .y_image = s->out_height * s->out_width * s->out_channels,
                    .y_row = s->out_width * s->out_channels, .y_pixel = s->out_channels, .bias = bias,
                    .image_bias = image_bias, .residual = residual, .accumulate = accumulate};
    conv_run(&job);
}
