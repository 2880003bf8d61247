// Forward tangents of the affine map with activation and of its backward pass.

typedef struct {
    affine_activation_job affine;                 // of values; its y is the tangent of y or of gz
    const float *x_t, *a_t, *d_t, *gate_t, *g_t;  // NULL: zero
} affine_tangent_job;

/// Coefficients of an image and their tangents; `room` has six periods.
typedef struct {
    affine_coefficients value, tangent;
} tangent_coefficients;

static tangent_coefficients tangent_coefficients_of(const affine_tangent_job *job, long image, float *room) {
    const affine_activation_job *values = &job->affine;
    const image_view *v = &values->view;
    return (tangent_coefficients){
        affine_coefficients_of(v, image, values->a, values->d, values->gate, 1.0f, room),
        affine_coefficients_of(v, image, job->a_t, job->d_t, job->gate_t, 0.0f, room + 3 * v->period)
    };
}

INLINE void affine_tangent_block(const dk_activation kind, const affine_tangent_job *job, long index) {
    const image_view *v = &job->affine.view;
    image_block b = block_at(v, index);
    tangent_coefficients both = tangent_coefficients_of(job, b.image, dk_scratch(DK_LOCAL_A, 6 * v->period));
    affine_coefficients c = both.value, c_t = both.tangent;
    const float *x = job->affine.x + b.offset, *x_t = job->x_t ? job->x_t + b.offset : NULL;
    float *y_t = job->affine.y + b.offset;
#define PUSH(i, k, n)                                                                                                  \
    do {                                                                                                               \
        vf xv = vload_first(x + (i), n), a = vload(c.a + (k));                                                         \
        activation_values phi = activation_at(kind, vfma(xv, a, vload(c.d + (k))), 1);                                 \
        vf z_t = vfma(xv, vload(c_t.a + (k)), vload(c_t.d + (k)));                                                     \
        if (x_t) z_t = vfma(vload_first(x_t + (i), n), a, z_t);                                                        \
        vf r = vload(c.gate + (k)) * phi.first * z_t;                                                                  \
        vstore_first(y_t + (i), vfma(vload(c_t.gate + (k)), phi.value, r), n);                                         \
    } while (0)
    FOR_BLOCK(v, b.count, PUSH);
#undef PUSH
}

static void affine_tangent_item(void *context, long index) {
    const affine_tangent_job *job = context;
#define CALL(KIND) affine_tangent_block(KIND, job, index)
    FOR_ACTIVATION(job->affine.kind, CALL)
#undef CALL
}

static void affine_activation_tangent(dk_activation kind, const float *x, const float *a, const float *d,
                                      const float *gate, const float *x_t, const float *a_t, const float *d_t,
                                      const float *gate_t, long images, long pixels, long channels, float *y_t) {
    if (images <= 0 || pixels <= 0 || channels <= 0) return;
    image_view view = view_of(images, pixels, channels);
    affine_tangent_job job = {
        .affine = {.view = view, .kind = kind, .x = x, .a = a, .d = d, .gate = gate, .y = y_t},
        .x_t = x_t,
        .a_t = a_t,
        .d_t = d_t,
        .gate_t = gate_t
    };
    dk_region(images * view.blocks, 6 * images * pixels * channels, affine_tangent_item, &job);
}

INLINE void affine_backward_tangent_block(const dk_activation kind, const affine_tangent_job *job, long index) {
    const affine_activation_job *values = &job->affine;
    const image_view *v = &values->view;
    image_block b = block_at(v, index);
    float *room = dk_scratch(DK_LOCAL_A, 9 * v->period);
    tangent_coefficients both = tangent_coefficients_of(job, b.image, room);
    affine_coefficients c = both.value, c_t = both.tangent;
    adjoint_sums sums = clear_adjoint_sums(v, room + 6 * v->period);
    const float *x = values->x + b.offset, *g = values->g + b.offset;
    const float *x_t = job->x_t ? job->x_t + b.offset : NULL, *g_t = job->g_t ? job->g_t + b.offset : NULL;
    float *gz_t = values->y + b.offset;
#define PULL_BACK(i, k, n)                                                                                             \
    do {                                                                                                               \
        vf xv = vload_first(x + (i), n), gv = vload_first(g + (i), n);                                                 \
        vf xt = x_t ? vload_first(x_t + (i), n) : vset(0.0f), gt = g_t ? vload_first(g_t + (i), n) : vset(0.0f);       \
        vf a = vload(c.a + (k)), gate = vload(c.gate + (k));                                                           \
        activation_values phi = activation_at(kind, vfma(xv, a, vload(c.d + (k))), 2);                                 \
        vf z_t = vfma(xt, a, vfma(xv, vload(c_t.a + (k)), vload(c_t.d + (k))));                                        \
        vf gz = gv * gate * phi.first;                                                                                 \
        vf r = vfma(gt, gate, gv * vload(c_t.gate + (k))) * phi.first;                                                 \
        r = vfma(gv * gate * phi.second, z_t, r);                                                                      \
        vstore_first(gz_t + (i), r, n);                                                                                \
        vstore(sums.gz + (k), vload(sums.gz + (k)) + r);                                                               \
        vstore(sums.gzx + (k), vfma(r, xv, vfma(gz, xt, vload(sums.gzx + (k)))));                                      \
        vstore(sums.gphi + (k), vfma(gt, phi.value, vfma(gv * phi.first, z_t, vload(sums.gphi + (k)))));               \
    } while (0)
    FOR_BLOCK(v, b.count, PULL_BACK);
#undef PULL_BACK
    fold_adjoint_sums(values, index, sums);
}

static void affine_backward_tangent_item(void *context, long index) {
    const affine_tangent_job *job = context;
#define CALL(KIND) affine_backward_tangent_block(KIND, job, index)
    FOR_ACTIVATION(job->affine.kind, CALL)
#undef CALL
}

static void affine_activation_backward_tangent(dk_activation kind, const float *x, const float *a, const float *d,
                                               const float *gate, const float *g, const float *x_t, const float *a_t,
                                               const float *d_t, const float *gate_t, const float *g_t, long images,
                                               long pixels, long channels, float *gz_t, float *sum_gz_t,
                                               float *sum_gzx_t, float *sum_gphi_t) {
    if (images <= 0 || channels <= 0) return;
    image_view view = view_of(images, pixels, channels);
    affine_tangent_job job = {
        .affine = {.view = view, .kind = kind, .x = x, .a = a, .d = d, .gate = gate, .g = g, .y = gz_t},
        .x_t = x_t,
        .a_t = a_t,
        .d_t = d_t,
        .gate_t = gate_t,
        .g_t = g_t
    };
    run_backward(&job.affine, &job, affine_backward_tangent_item, 8, sum_gz_t, sum_gzx_t, sum_gphi_t);
}
