// Gradients of a convolution.

// ---------------------------------------------------------------- input
// dx[y] = Σ g[(y + pad − k)/stride]·w[k] over the taps k for which the division is exact. For each residue of y + pad
// modulo the stride that is a convolution of g with every stride-th tap, flipped, on a grid of every stride-th pixel.

typedef struct {
    long first, count;  // pixels of dx: first, first + stride, ...
    long taps, last;    // taps: last, last − stride, ...
    long pad;           // of the sub-convolution over g
} residue_axis;

static residue_axis residue_of(long residue, long stride, long kernel, long pad, long extent) {
    residue_axis r;
    r.first = ((residue - pad) % stride + stride) % stride;
    r.count = r.first < extent ? ceil_div(extent - r.first, stride) : 0;
    r.taps = residue < kernel ? ceil_div(kernel - residue, stride) : 0;
    r.last = residue + (r.taps - 1) * stride;
    // The first pixel's last tap reads g at (first + pad − last)/stride, which is exact.
    r.pad = -(r.first + pad - r.last) / stride;
    return r;
}

static long conv_input_gradient_floats(const dk_conv_shape *s) {
    if (s->kernel == 3 && s->stride == 1 &&
        winograd_applies(s->in_height, s->in_width, s->out_channels, s->in_channels))
        return winograd_workspace_floats(s->out_channels, s->in_channels);
    // Residue 0 has the most taps.
    long taps = ceil_div(s->kernel, s->stride);
    return panels_size(taps * taps * s->out_channels, s->in_channels);
}

static void conv_input_gradient(const dk_conv_shape *s, const float *g, const float *w, float *dx, int accumulate,
                                float *workspace) {
    for (long ry = 0; ry < s->stride; ry++)
        for (long rx = 0; rx < s->stride; rx++) {
            residue_axis v = residue_of(ry, s->stride, s->kernel, s->pad_top, s->in_height);
            residue_axis h = residue_of(rx, s->stride, s->kernel, s->pad_left, s->in_width);
            if (v.count == 0 || h.count == 0) continue;
            int empty = v.taps == 0 || h.taps == 0;
            if (empty && accumulate) continue;
            weight_packing packing = {
                .w = w,
                .kernel = s->kernel,
                .in = s->in_channels,
                .out = s->out_channels,
                .taps_y = empty ? 0 : v.taps,
                .taps_x = empty ? 0 : h.taps,
                .y0 = v.last,
                .x0 = h.last,
                .dy = -s->stride,
                .dx = -s->stride,
                .transposed = 1
            };
            conv_job job = {
                .batch = s->batch,
                .in_height = s->out_height,
                .in_width = s->out_width,
                .depth = s->out_channels,
                .out_height = v.count,
                .out_width = h.count,
                .columns = s->in_channels,
                .taps_y = packing.taps_y,
                .taps_x = packing.taps_x,
                .stride = 1,
                .pad_top = v.pad,
                .pad_left = h.pad,
                .x = g,
                .y = dx + (v.first * s->in_width + h.first) * s->in_channels,
                .y_image = s->in_height * s->in_width * s->in_channels,
                .y_row = s->stride * s->in_width * s->in_channels,
                .y_pixel = s->stride * s->in_channels,
                .accumulate = accumulate
            };
            if (packing.taps_y == 3 && packing.taps_x == 3 &&
                winograd_applies(job.out_height, job.out_width, job.depth, job.columns)) {
                winograd_weights weights = {.w = w, .in = s->in_channels, .out = s->out_channels, .transposed = 1};
                winograd_convolve(&job, weights, workspace);
            } else {
                job.panels = packing.panels = workspace;
                pack_weights(packing);
                conv_run(&job);
            }
        }
}

// ---------------------------------------------------------------- weights
// An item owns a slice of the input channels and some panels of the output channels, and walks all images in order in
// blocks of output pixels. In a block the rows of dw for kernel row ky are one contiguous run (kx, channel) of each
// pixel's padded input; MR of them at a time are packed [pixel][MR] and multiplied with g, packed [pixel][NR]. Where
// the stride is one, kernel rows see the same packed pixels a line apart, so that packing once serves them all.

#define WGRAD_PIXELS 256  // of a block, about

typedef struct {
    const dk_conv_shape *s;
    const float *x, *g;
    float *dw;
    int accumulate;
    long images, rows;  // of a block: whole images, or rows of one
    long slice_channels, groups;
} wgrad_job;

/// The padded input pixels under a block for MR runs of (kx, channel): dst[pixel][MR].
static void pack_pixels(const float *padded, long images, long image_step, long rows, long row_step, long width,
                        long pixel_step, long count, float *dst) {
    for (long b = 0; b < images; b++)
        for (long r = 0; r < rows; r++) {
            const float *src = padded + b * image_step + r * row_step;
            if (count == MR) {
                for (long q = 0; q < width; q++, src += pixel_step, dst += MR) copy_run(src, MR, dst);
            } else {
                for (long q = 0; q < width; q++, src += pixel_step, dst += MR) copy_run(src, count, dst);
            }
        }
}

/// An item's part of dw, and what it works in.
typedef struct {
    const wgrad_job *job;
    long first_channel, channels, first_panel, end_panel;
    long width, line, image_step,
        run;          // padded pixels of a row; floats of a row, of an image and of a kernel row's taps
    long max_pixels;  // of a block
    int shares_rows;  // whether kernel rows see the same packed pixels
    // What lies evenly is read where it is: inputs that are the rows of a matrix, output gradients in whole vectors.
    int x_in_place, g_in_place;
    float *padded, *packed, *panels;
} wgrad_part;

static wgrad_part wgrad_part_of(const wgrad_job *job, long index) {
    const dk_conv_shape *s = job->s;
    long slice = index / job->groups, group = index % job->groups, panels = panel_count(s->out_channels);
    wgrad_part part = {.job = job, .first_channel = slice * job->slice_channels};
    part.channels = min_long(job->slice_channels, s->in_channels - part.first_channel);
    part.first_panel = panels * group / job->groups;
    part.end_panel = panels * (group + 1) / job->groups;
    part.width = (s->out_width - 1) * s->stride + s->kernel;
    part.line = part.width * part.channels;
    part.image_step = ((job->rows - 1) * s->stride + s->kernel) * part.line;
    part.run = s->kernel * part.channels;
    part.max_pixels = job->images * job->rows * s->out_width;
    part.shares_rows = s->stride == 1 && job->images == 1;
    part.x_in_place = s->kernel == 1 && s->stride == 1 && s->pad_top == 0 && s->pad_left == 0 &&
                      s->in_height == s->out_height && s->in_width == s->out_width &&
                      part.channels % tile_height(1) == 0;
    part.g_in_place = s->out_channels % VL == 0;
    long lead = part.shares_rows ? (s->kernel - 1) * s->out_width : 0;  // pixels beyond those of one kernel row
    part.padded = dk_scratch(DK_LOCAL_A, job->images * part.image_step);
    part.packed = dk_scratch(DK_LOCAL_B, round_up(part.run, MR) * (part.max_pixels + lead) + VL);
    part.panels = dk_scratch(DK_LOCAL_C, (part.end_panel - part.first_panel) * NR * part.max_pixels);
    return part;
}

/// A block of output pixels: some rows of one image, or whole images.
typedef struct {
    long image, images, row, rows, pixels;
    const float *g;  // of the first pixel
} wgrad_block;

static wgrad_block wgrad_block_at(const wgrad_job *job, long image, long row) {
    const dk_conv_shape *s = job->s;
    wgrad_block b = {.image = image, .row = row};
    b.images = min_long(job->images, s->batch - image);
    b.rows = min_long(job->rows, s->out_height - row);
    b.pixels = b.images * b.rows * s->out_width;
    b.g = job->g + (image * s->out_height + row) * s->out_width * s->out_channels;
    return b;
}

/// The padded inputs under a block, and the panels of its output gradients.
static void wgrad_gather(const wgrad_part *part, const wgrad_block *b) {
    const wgrad_job *job = part->job;
    const dk_conv_shape *s = job->s;
    for (long i = 0; i < b->images && !part->x_in_place; i++)
        copy_padded(job->x + (b->image + i) * s->in_height * s->in_width * s->in_channels, s->in_height, s->in_width,
                    s->in_channels, part->first_channel, part->channels, b->row * s->stride - s->pad_top,
                    (b->rows - 1) * s->stride + s->kernel, -s->pad_left, part->width, part->channels,
                    part->padded + i * part->image_step);
    for (long panel = part->first_panel; panel < part->end_panel && !part->g_in_place; panel++)
        pack_panel(b->g + panel * NR, s->out_channels, b->pixels, min_long(NR, s->out_channels - panel * NR),
                   part->panels + (panel - part->first_panel) * NR * part->max_pixels);
}

/// Columns of a block's inputs for kernel row ky: run r's at at + r·step, its pixels ld apart.
typedef struct {
    const float *at;
    long step, ld;
} wgrad_lines;

static wgrad_lines wgrad_lines_of(const wgrad_part *part, const wgrad_block *b, long ky) {
    const wgrad_job *job = part->job;
    const dk_conv_shape *s = job->s;
    if (part->x_in_place) {
        long pixel = (b->image * s->in_height + b->row) * s->in_width;
        return (wgrad_lines){job->x + pixel * s->in_channels + part->first_channel, 1, s->in_channels};
    }
    long rows = part->shares_rows ? b->rows + s->kernel - 1 : b->rows, pixels = b->images * rows * s->out_width;
    if (!part->shares_rows || ky == 0)
        for (long r = 0; r < part->run; r += MR)
            pack_pixels(part->padded + ky * part->line + r, b->images, part->image_step, rows, s->stride * part->line,
                        s->out_width, s->stride * part->channels, min_long(MR, part->run - r),
                        part->packed + r * pixels);
    return (wgrad_lines){part->packed + (part->shares_rows ? ky * s->out_width * MR : 0), pixels, MR};
}

/// What a block adds to the rows of dw that belong to kernel row ky, in one panel of columns.
static void wgrad_panel(const wgrad_part *part, const wgrad_block *b, wgrad_lines lines, long ky, long panel, int add) {
    const dk_conv_shape *s = part->job->s;
    long column = panel * NR, columns = min_long(NR, s->out_channels - column);
    const float *g =
        part->g_in_place ? b->g + column : part->panels + (panel - part->first_panel) * NR * part->max_pixels;
    long ldg = part->g_in_place ? s->out_channels : panel_width(columns);
    for (long r = 0; r < part->run; r += MR) {
        long count = min_long(MR, part->run - r), kx = r / part->channels, c = r % part->channels;
        float *out[MR];
        for (long i = 0; i < count; i++) {
            long weight = (ky * s->kernel + kx) * s->in_channels + part->first_channel + c;
            out[i] = part->job->dw + weight * s->out_channels + column;
            if (++c == part->channels) c = 0, kx++;
        }
        outer_product_tile(count, columns, lines.at + r * lines.step, lines.ld, b->pixels, g, ldg, out, add);
    }
}

static void wgrad_item(void *context, long index) {
    const wgrad_job *job = context;
    const dk_conv_shape *s = job->s;
    wgrad_part part = wgrad_part_of(job, index);
    int add = job->accumulate;
    for (long image = 0; image < s->batch; image += job->images)
        for (long row = 0; row < s->out_height; row += job->rows, add = 1) {
            wgrad_block b = wgrad_block_at(job, image, row);
            wgrad_gather(&part, &b);
            for (long ky = 0; ky < s->kernel; ky++) {
                wgrad_lines lines = wgrad_lines_of(&part, &b, ky);
                for (long panel = part.first_panel; panel < part.end_panel; panel++)
                    wgrad_panel(&part, &b, lines, ky, panel, add);
            }
        }
}

// ---------------------------------------------------------------- weights to few output channels
// Lanes are input channels: dw[tap][channel] = Σ g[pixel]·x[pixel + tap][channel] for one output channel after the
// other. Each image has its own sums, which are added in order.

#define NARROW_VECTORS 4  // of channels at a time

typedef struct {
    const dk_conv_shape *s;
    const float *x, *g;
    float *sums;      // [images][output channel][tap][channel]
    long image_sums;  // floats of one image's
    long rows;        // output rows whose inputs are worked on together
} narrow_gradient_job;

/// Adds the products of rows × width pixels to the sums of `taps` neighbouring taps for `vectors` vectors of channels,
/// of which the last has `last` lanes. x is at the first pixel's first tap, g at its output channel.
INLINE void narrow_gradient_run(const int taps, const int vectors, const float *x, long row_step, long pixel_step,
                                long tap_step, const float *g, long g_step, long rows, long width, float *sums,
                                long channels, long last) {
    vf acc[3][NARROW_VECTORS];
    UNROLL for (int t = 0; t < taps; t++) { UNROLL for (int v = 0; v < vectors; v++) acc[t][v] = (vf){0}; }
    for (long r = 0; r < rows; r++) {
        const float *at = x + r * row_step;
        for (long c = 0; c < width; c++, at += pixel_step, g += g_step) {
            vf slope = vset(*g);
            UNROLL for (int t = 0; t < taps; t++) {
                UNROLL for (int v = 0; v < vectors; v++) {
                    acc[t][v] = vfma(slope, vload(at + t * tap_step + v * VL), acc[t][v]);
                }
            }
        }
    }
    UNROLL for (int t = 0; t < taps; t++) {
        UNROLL for (int v = 0; v < vectors; v++) {
            long n = v + 1 < vectors ? VL : last;
            float *to = sums + t * channels + v * VL;
            vstore_first(to, vload_first(to, n) + acc[t][v], n);
        }
    }
}

static void narrow_gradient_item(void *context, long image) {
    const narrow_gradient_job *job = context;
    const dk_conv_shape *s = job->s;
    long channels = s->in_channels, width = (s->out_width - 1) * s->stride + s->kernel, line = width * channels;
    long max_lines = (job->rows - 1) * s->stride + s->kernel;
    float *padded = dk_scratch(DK_LOCAL_A, max_lines * line + NARROW_VECTORS * VL);
    float *sums = job->sums + image * job->image_sums;
    memset(sums, 0, (size_t)job->image_sums * sizeof(float));
    for (long row = 0; row < s->out_height; row += job->rows) {
        long rows = min_long(job->rows, s->out_height - row);
        copy_padded(job->x + image * s->in_height * s->in_width * channels, s->in_height, s->in_width, channels, 0,
                    channels, row * s->stride - s->pad_top, (rows - 1) * s->stride + s->kernel, -s->pad_left, width,
                    channels, padded);
        const float *g = job->g + (image * s->out_height + row) * s->out_width * s->out_channels;
        for (long o = 0; o < s->out_channels; o++)
            for (long ky = 0; ky < s->kernel; ky++)
                for (long c = 0; c < channels; c += NARROW_VECTORS * VL) {
                    long vectors = ceil_div(min_long(NARROW_VECTORS * VL, channels - c), VL);
                    long last = min_long(VL, channels - c - (vectors - 1) * VL);
                    float *to = sums + (o * s->kernel + ky) * s->kernel * channels + c;
                    const float *from = padded + ky * line + c;
#define RUN(taps, vectors, kx)                                                                                         \
    narrow_gradient_run(taps, vectors, from + (kx) * channels, s->stride * line, s->stride * channels, channels,       \
                        g + o, s->out_channels, rows, s->out_width, to + (kx) * channels, channels, last)
#define RUN_TAPS(taps, kx)                                                                                             \
    switch (vectors) {                                                                                                 \
    case 1: RUN(taps, 1, kx); break;                                                                                   \
    case 2: RUN(taps, 2, kx); break;                                                                                   \
    case 3: RUN(taps, 3, kx); break;                                                                                   \
    default: RUN(taps, 4, kx); break;                                                                                  \
    }
                    if (s->kernel == 3) {
                        RUN_TAPS(3, 0)
                    } else {
                        for (long kx = 0; kx < s->kernel; kx++) RUN_TAPS(1, kx)
                    }
#undef RUN_TAPS
#undef RUN
                }
    }
}

static void narrow_weight_gradient(const dk_conv_shape *s, const float *x, const float *g, float *dw, int accumulate,
                                   float *workspace) {
    long taps = s->kernel * s->kernel, width = (s->out_width - 1) * s->stride + s->kernel;
    narrow_gradient_job job = {.s = s, .x = x, .g = g, .image_sums = s->out_channels * taps * s->in_channels};
    job.rows = max_long(1, min_long(s->out_height, CONV_SCRATCH_FLOATS / (width * s->in_channels * s->stride)));
    job.sums = workspace;
    long work = s->batch * s->out_height * s->out_width * job.image_sums / 4;
    dk_region(s->batch, work, narrow_gradient_item, &job);
    for (long o = 0; o < s->out_channels; o++)
        for (long i = 0; i < taps * s->in_channels; i++) {
            double sum = accumulate ? dw[i * s->out_channels + o] : 0.0;
            for (long b = 0; b < s->batch; b++) sum += job.sums[b * job.image_sums + o * taps * s->in_channels + i];
            dw[i * s->out_channels + o] = (float)sum;
        }
}

static long conv_weight_gradient_floats(const dk_conv_shape *s) {
    if (conv_is_winograd(s) && winograd_gradient_applies(s)) return winograd_gradient_floats(s);
    if (conv_is_narrow(s->out_channels, s->in_channels))
        return s->batch * s->kernel * s->kernel * s->in_channels * s->out_channels;
    return 0;
}

static void conv_weight_gradient(const dk_conv_shape *s, const float *x, const float *g, float *dw, int accumulate,
                                 float *workspace) {
    long pixels = s->out_height * s->out_width;
    if (s->batch <= 0 || pixels <= 0) {
        if (!accumulate)
            memset(dw, 0, (size_t)(s->kernel * s->kernel * s->in_channels * s->out_channels) * sizeof(float));
        return;
    }
    if (conv_is_winograd(s) && winograd_gradient_applies(s)) {
        winograd_weight_gradient(s, x, g, dw, accumulate, workspace);
        return;
    }
    if (conv_is_narrow(s->out_channels, s->in_channels)) {
        narrow_weight_gradient(s, x, g, dw, accumulate, workspace);
        return;
    }
    wgrad_job job = {.s = s, .x = x, .g = g, .dw = dw, .accumulate = accumulate};
    // Blocks depend on the shape of an image only, so that the order of additions does.
    long rows = max_long(1, min_long(WGRAD_PIXELS / s->out_width, s->out_height));
    job.rows = ceil_div(s->out_height, ceil_div(s->out_height, rows));
    job.images = job.rows == s->out_height ? max_long(1, WGRAD_PIXELS / pixels) : 1;
    long threads = dk_threads(), panels = panel_count(s->out_channels);
    // Thin slices pack g over again and copy in small pieces: more of them than threads only where channels abound.
    long slices = max_long(1, min_long(s->in_channels >= 64 * threads ? 2 * threads : threads, s->in_channels / 8));
    job.slice_channels = round_up(ceil_div(s->in_channels, slices), 4);
    slices = ceil_div(s->in_channels, job.slice_channels);
    job.groups = min_long(panels, ceil_div(threads, slices));
    long work = s->batch * pixels * s->kernel * s->kernel * s->in_channels * s->out_channels / 4;
    dk_region(slices * job.groups, work, wgrad_item, &job);
}

static long conv_workspace_size(const dk_conv_shape *s, dk_conv_pass pass) {
    switch (pass) {
    case DK_CONV_FORWARD: return conv_forward_floats(s);
    case DK_CONV_INPUT_GRADIENT: return max_long(1, conv_input_gradient_floats(s));
    default: return max_long(1, conv_weight_gradient_floats(s));
    }
}
