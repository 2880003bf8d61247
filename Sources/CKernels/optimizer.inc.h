// Optimiser steps on flat arrays.

typedef struct {
    const dk_adam_options *options;
    const float *gradient;
    long count;
    float *parameter, *first, *second;
    float learning_rate, momentum, weight_decay, grad_scale;
} optimizer_job;

static void adam_item(void *context, long index) {
    const optimizer_job *job = context;
    const dk_adam_options *o = job->options;
    vf rest1 = vset(o->rest1), rest2 = vset(o->rest2), step = vset(-o->step), root = vset(o->root);
    vf scale = vset(o->grad_scale), l2 = vset(o->l2), decay = vset(-o->decay), epsilon = vset(o->epsilon);
#define STEP(i, n)                                                                                                     \
    do {                                                                                                               \
        vf p = vload_first(job->parameter + (i), n), m = vload_first(job->first + (i), n);                             \
        vf v = vload_first(job->second + (i), n);                                                                      \
        vf g = vfma(l2, p, scale * vload_first(job->gradient + (i), n));                                               \
        p = vfma(decay, p, p);                                                                                         \
        m = vfma(rest1, g - m, m);                                                                                     \
        v = vfma(rest2, g * g - v, v);                                                                                 \
        vstore_first(job->first + (i), m, n);                                                                          \
        vstore_first(job->second + (i), v, n);                                                                         \
        vstore_first(job->parameter + (i), vfma(step, m / vfma(vsqrt(v), root, epsilon), p), n);                       \
    } while (0)
    FOR_FLAT(index * FLAT_CHUNK, min_long((index + 1) * FLAT_CHUNK, job->count), STEP);
#undef STEP
}

static void adam(const dk_adam_options *options, const float *gradient, long count, float *parameter,
                 float *first_moment, float *second_moment) {
    optimizer_job job = {
        .options = options,
        .gradient = gradient,
        .count = count,
        .parameter = parameter,
        .first = first_moment,
        .second = second_moment
    };
    if (count > 0) dk_region(ceil_div(count, FLAT_CHUNK), 4 * count, adam_item, &job);
}

static void sgd_item(void *context, long index) {
    const optimizer_job *job = context;
    vf momentum = vset(job->momentum), decay = vset(job->weight_decay), scale = vset(job->grad_scale);
    vf step = vset(-job->learning_rate);
#define STEP(i, n)                                                                                                     \
    do {                                                                                                               \
        vf p = vload_first(job->parameter + (i), n);                                                                   \
        vf g = vfma(decay, p, scale * vload_first(job->gradient + (i), n));                                            \
        vf b = vfma(momentum, vload_first(job->first + (i), n), g);                                                    \
        vstore_first(job->first + (i), b, n);                                                                          \
        vstore_first(job->parameter + (i), vfma(step, b, p), n);                                                       \
    } while (0)
    FOR_FLAT(index * FLAT_CHUNK, min_long((index + 1) * FLAT_CHUNK, job->count), STEP);
#undef STEP
}

static void sgd(float learning_rate, float momentum, float weight_decay, float grad_scale, const float *gradient,
                long count, float *parameter, float *momentum_buffer) {
    optimizer_job job = {
        .gradient = gradient,
        .count = count,
        .parameter = parameter,
        .first = momentum_buffer,
        .learning_rate = learning_rate,
        .momentum = momentum,
        .weight_decay = weight_decay,
        .grad_scale = grad_scale
    };
    if (count > 0) dk_region(ceil_div(count, FLAT_CHUNK), 4 * count, sgd_item, &job);
}

typedef struct {
    const float *value;
    long count;
    float *average;
    float rest;
} ema_job;

static void ema_item(void *context, long index) {
    const ema_job *job = context;
    vf rest = vset(job->rest);
#define MOVE(i, n)                                                                                                     \
    do {                                                                                                               \
        vf average = vload_first(job->average + (i), n);                                                               \
        vstore_first(job->average + (i), vfma(rest, vload_first(job->value + (i), n) - average, average), n);          \
    } while (0)
    FOR_FLAT(index * FLAT_CHUNK, min_long((index + 1) * FLAT_CHUNK, job->count), MOVE);
#undef MOVE
}

static void ema(float rest, const float *value, long count, float *average) {
    ema_job job = {value, count, average, rest};
    if (count > 0) dk_region(ceil_div(count, FLAT_CHUNK), 2 * count, ema_item, &job);
}
