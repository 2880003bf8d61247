// Sums over pixels and per-channel scaling.

typedef struct {
    image_view view;
    const float *x, *y;
    float *partial;
} pixel_sum_job;

static void pixel_sum_item(void *context, long index) {
    const pixel_sum_job *job = context;
    const image_view *v = &job->view;
    image_block b = block_at(v, index);
    float *sums = dk_scratch(DK_LOCAL_A, v->period);
    clear_period(v, sums);
    const float *x = job->x + b.offset, *y = job->y ? job->y + b.offset : NULL;
#define ADD(i, k, n) vstore(sums + (k), vload(sums + (k)) + vload_first(x + (i), n))
#define ADD_PRODUCT(i, k, n)                                                                                           \
    vstore(sums + (k), vfma(vload_first(x + (i), n), vload_first(y + (i), n), vload(sums + (k))))
    if (y)
        FOR_BLOCK(v, b.count, ADD_PRODUCT);
    else
        FOR_BLOCK(v, b.count, ADD);
#undef ADD
#undef ADD_PRODUCT
    fold_period(v, sums, job->partial + index * v->channels);
}

static void pixel_sums(const float *x, const float *y, long images, long pixels, long channels, float *out,
                       int accumulate) {
    if (images <= 0 || channels <= 0) return;
    pixel_sum_job job = {.view = view_of(images, pixels, channels), .x = x, .y = y};
    long items = images * job.view.blocks;
    job.partial = dk_scratch(DK_SHARED_A, items * channels);
    dk_region(items, images * pixels * channels, pixel_sum_item, &job);
    block_sums sums = {&job.view, job.partial, 1, {out}, accumulate};
    add_blocks(&sums);
}

static void sum_pixels(const float *x, long images, long pixels, long channels, float *out, int accumulate) {
    pixel_sums(x, NULL, images, pixels, channels, out, accumulate);
}
static void dot_pixels(const float *x, const float *y, long images, long pixels, long channels, float *out,
                       int accumulate) {
    pixel_sums(x, y, images, pixels, channels, out, accumulate);
}

typedef struct {
    image_view view;
    const float *x, *a, *z, *d, *e;
    float *y;
    int accumulate;
} affine_job;

INLINE void affine_block(const int with_x, const int with_z, const int with_e, const affine_job *job, image_block b) {
    const image_view *v = &job->view;
    float *room = dk_scratch(DK_LOCAL_A, 3 * v->period);
    long at = b.image * v->channels;
    const float *a = repeat_coefficients(v, with_x ? job->a + at : NULL, 0.0f, room);
    const float *d = repeat_coefficients(v, with_z ? job->d + at : NULL, 0.0f, room + v->period);
    const float *e = repeat_coefficients(v, with_e ? job->e + at : NULL, 0.0f, room + 2 * v->period);
    const float *x = with_x ? job->x + b.offset : NULL, *z = with_z ? job->z + b.offset : NULL;
    float *y = job->y + b.offset;
    int accumulate = job->accumulate;
#define AFFINE(i, k, n)                                                                                                \
    do {                                                                                                               \
        vf r = with_e ? vload(e + (k)) : vset(0.0f);                                                                   \
        if (with_z) r = vfma(vload_first(z + (i), n), vload(d + (k)), r);                                              \
        if (with_x) r = vfma(vload_first(x + (i), n), vload(a + (k)), r);                                              \
        if (accumulate) r += vload_first(y + (i), n);                                                                  \
        vstore_first(y + (i), r, n);                                                                                   \
    } while (0)
    FOR_BLOCK(v, b.count, AFFINE);
#undef AFFINE
}

static void affine_item(void *context, long index) {
    const affine_job *job = context;
    image_block b = block_at(&job->view, index);
    switch ((job->x != NULL) | (job->z != NULL) << 1 | (job->e != NULL) << 2) {
    case 0: affine_block(0, 0, 0, job, b); break;
    case 1: affine_block(1, 0, 0, job, b); break;
    case 2: affine_block(0, 1, 0, job, b); break;
    case 3: affine_block(1, 1, 0, job, b); break;
    case 4: affine_block(0, 0, 1, job, b); break;
    case 5: affine_block(1, 0, 1, job, b); break;
    case 6: affine_block(0, 1, 1, job, b); break;
    default: affine_block(1, 1, 1, job, b); break;
    }
}

static void affine_images(const float *x, const float *a, const float *z, const float *d, const float *e, long images,
                          long pixels, long channels, float *y, int accumulate) {
    if (images <= 0 || pixels <= 0 || channels <= 0) return;
    affine_job job = {view_of(images, pixels, channels), a ? x : NULL, a, d ? z : NULL, d, e, y, accumulate};
    dk_region(images * job.view.blocks, 2 * images * pixels * channels, affine_item, &job);
}

static void scale_channels(const float *x, const float *s, long rows, long channels, float *y, int accumulate) {
    affine_images(x, s, NULL, NULL, NULL, 1, rows, channels, y, accumulate);
}
