// Forward tangents of the affine map with activation and of its backward pass.

typedef struct {
    image_view view;
    dk_activation kind;
    const float *x, *a, *d, *gate, *g;
    const float *x_t, *a_t, *d_t, *gate_t, *g_t;  // NULL: zero
    float *y_t;                                   // or gz_t
    float *partial;
} affine_tangent_job;

/// Coefficients and tangent coefficients of one image over a period.
typedef struct {
    const float *a, *d, *gate, *a_t, *d_t, *gate_t;
} tangent_coefficients;

static tangent_coefficients tangent_coefficients_of(const affine_tangent_job *job, long image, float *room) {
    const image_view *v = &job->view;
    long at = image * v->channels, period = v->period;
    return (tangent_coefficients){
        repeat_coefficients(v, job->a + at, 0.0f, room),
        repeat_coefficients(v, job->d + at, 0.0f, room + period),
        repeat_coefficients(v, job->gate, 1.0f, room + 2 * period),
        repeat_coefficients(v, job->a_t ? job->a_t + at : NULL, 0.0f, room + 3 * period),
        repeat_coefficients(v, job->d_t ? job->d_t + at : NULL, 0.0f, room + 4 * period),
        repeat_coefficients(v, job->gate_t, 0.0f, room + 5 * period),
    };
}

INLINE void affine_tangent_block(const dk_activation kind, const affine_tangent_job *job, long index) {
    const image_view *v = &job->view;
    image_block b = block_at(v, index);
    tangent_coefficients c = tangent_coefficients_of(job, b.image, dk_scratch(DK_LOCAL_A, 6 * v->period));
    const float *x = job->x + b.offset, *x_t = job->x_t ? job->x_t + b.offset : NULL;
    float *y_t = job->y_t + b.offset;
#define PUSH(i, k, n)                                                                                                  \
    do {                                                                                                               \
        vf xv = vload_first(x + (i), n), a = vload(c.a + (k));                                                         \
        activation_values phi = activation_at(kind, vfma(xv, a, vload(c.d + (k))), 1);                                 \
        vf z_t = vfma(xv, vload(c.a_t + (k)), vload(c.d_t + (k)));                                                     \
        if (x_t) z_t = vfma(vload_first(x_t + (i), n), a, z_t);                                                        \
        vf r = vload(c.gate + (k)) * phi.first * z_t;                                                                  \
        vstore_first(y_t + (i), vfma(vload(c.gate_t + (k)), phi.value, r), n);                                         \
    } while (0)
    FOR_BLOCK(v, b.count, PUSH);
#undef PUSH
}

static void affine_tangent_item(void *context, long index) {
    const affine_tangent_job *job = context;
#define CALL(KIND) affine_tangent_block(KIND, job, index)
    FOR_ACTIVATION(job->kind, CALL)
#undef CALL
}

static void affine_activation_tangent(dk_activation kind, const float *x, const float *a, const float *d,
                                      const float *gate, const float *x_t, const float *a_t, const float *d_t,
                                      const float *gate_t, long images, long pixels, long channels, float *y_t) {
    if (images <= 0 || pixels <= 0 || channels <= 0) return;
    affine_tangent_job job = {
        .view = view_of(images, pixels, channels),
        .kind = kind,
        .x = x,
        .a = a,
        .d = d,
        .gate = gate,
        .x_t = x_t,
        .a_t = a_t,
        .d_t = d_t,
        .gate_t = gate_t,
        .y_t = y_t
    };
    dk_region(images * job.view.blocks, 6 * images * pixels * channels, affine_tangent_item, &job);
}

INLINE void affine_backward_tangent_block(const dk_activation kind, const affine_tangent_job *job, long index) {
    const image_view *v = &job->view;
    image_block b = block_at(v, index);
    long period = v->period;
    float *room = dk_scratch(DK_LOCAL_A, 9 * period);
    tangent_coefficients c = tangent_coefficients_of(job, b.image, room);
    float *sum_gz = room + 6 * period, *sum_gzx = room + 7 * period, *sum_gphi = room + 8 * period;
    memset(sum_gz, 0, (size_t)(3 * period) * sizeof(float));
    const float *x = job->x + b.offset, *g = job->g + b.offset;
    const float *x_t = job->x_t ? job->x_t + b.offset : NULL, *g_t = job->g_t ? job->g_t + b.offset : NULL;
    float *gz_t = job->y_t + b.offset;
#define PULL_BACK(i, k, n)                                                                                             \
    do {                                                                                                               \
        vf xv = vload_first(x + (i), n), gv = vload_first(g + (i), n);                                                 \
        vf xt = x_t ? vload_first(x_t + (i), n) : vset(0.0f), gt = g_t ? vload_first(g_t + (i), n) : vset(0.0f);       \
        vf a = vload(c.a + (k)), gate = vload(c.gate + (k));                                                           \
        activation_values phi = activation_at(kind, vfma(xv, a, vload(c.d + (k))), 2);                                 \
        vf z_t = vfma(xt, a, vfma(xv, vload(c.a_t + (k)), vload(c.d_t + (k))));                                        \
        vf gz = gv * gate * phi.first;                                                                                 \
        vf r = vfma(gt, gate, gv * vload(c.gate_t + (k))) * phi.first;                                                 \
        r = vfma(gv * gate * phi.second, z_t, r);                                                                      \
        vstore_first(gz_t + (i), r, n);                                                                                \
        vstore(sum_gz + (k), vload(sum_gz + (k)) + r);                                                                 \
        vstore(sum_gzx + (k), vfma(r, xv, vfma(gz, xt, vload(sum_gzx + (k)))));                                        \
        vstore(sum_gphi + (k), vfma(gt, phi.value, vfma(gv * phi.first, z_t, vload(sum_gphi + (k)))));                 \
    } while (0)
    FOR_BLOCK(v, b.count, PULL_BACK);
#undef PULL_BACK
    float *partial = job->partial + index * 3 * v->channels;
    for (long q = 0; q < 3; q++) fold_period(v, sum_gz + q * period, partial + q * v->channels);
}

static void affine_backward_tangent_item(void *context, long index) {
    const affine_tangent_job *job = context;
#define CALL(KIND) affine_backward_tangent_block(KIND, job, index)
    FOR_ACTIVATION(job->kind, CALL)
#undef CALL
}

static void affine_activation_backward_tangent(dk_activation kind, const float *x, const float *a, const float *d,
                                               const float *gate, const float *g, const float *x_t, const float *a_t,
                                               const float *d_t, const float *gate_t, const float *g_t, long images,
                                               long pixels, long channels, float *gz_t, float *sum_gz_t,
                                               float *sum_gzx_t, float *sum_gphi_t) {
    if (images <= 0 || channels <= 0) return;
    affine_tangent_job job = {
        .view = view_of(images, pixels, channels),
        .kind = kind,
        .x = x,
        .a = a,
        .d = d,
        .gate = gate,
        .g = g,
        .x_t = x_t,
        .a_t = a_t,
        .d_t = d_t,
        .gate_t = gate_t,
        .g_t = g_t,
        .y_t = gz_t
    };
    long items = images * job.view.blocks;
    job.partial = dk_scratch(DK_SHARED_A, items * 3 * channels);
    dk_region(items, 8 * images * pixels * channels, affine_backward_tangent_item, &job);
    block_sums sums = {&job.view, job.partial, 3, {sum_gz_t, sum_gzx_t, sum_gphi_t}, 0};
    add_blocks(&sums);
}
