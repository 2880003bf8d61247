// Functions of one number with their first two derivatives, on flat arrays.

INLINE vf sign_of(vf x) {
    vf zero = vset(0.0f);
    return nan_or(x, vselect(x > zero, vset(1.0f), vselect(x < zero, vset(-1.0f), zero)));
}

INLINE vf sigmoid_order(const int order, vf x) {
    vf s, c;
    vsigmoid(x, &s, &c);
    if (order == 0) return s;
    vf slope = vselect(x > vset(87.0f), vset(0.0f), s * c);
    return order == 1 ? slope : slope * (c - s);
}

INLINE vf softplus_order(const int order, vf x) {
    if (order > 0) return sigmoid_order(order - 1, x);
    return vmax(x, 0.0f) + vlog_one_plus(vexp(-vabs(x)));
}

INLINE vf logarithm_order(const int order, vf x) {
    if (order == 0) return vlog(x);
    vf slope = vset(1.0f) / x;
    return order == 1 ? slope : -(slope * slope);
}

INLINE vf square_root_order(const int order, vf x) {
    vf root = vsqrt(x);
    return order == 0 ? root : order == 1 ? vset(0.5f) / root : vset(-0.25f) / (x * root);
}

INLINE vf reciprocal_order(const int order, vf x) {
    vf r = vset(1.0f) / x;
    return order == 0 ? r : order == 1 ? -(r * r) : vset(2.0f) * r * r * r;
}

INLINE vf clamp_order(const int order, float low, float high, vf x) {
    if (order == 0) return vmin(vmax(x, low), high);
    if (order == 2) return nan_or(x, vset(0.0f));
    return nan_or(x, vselect((x >= vset(low)) & (x <= vset(high)), vset(1.0f), vset(0.0f)));
}

/// f, f' or f'' of x.
INLINE vf function_order(const dk_function_kind kind, const dk_function *f, const int order, vf x) {
    switch (kind) {
    case DK_SIGMOID: return sigmoid_order(order, x);
    case DK_EXP: return vexp(x);
    case DK_LOG: return logarithm_order(order, x);
    case DK_ABS: return order == 0 ? vabs(x) : order == 1 ? sign_of(x) : nan_or(x, vset(0.0f));
    case DK_SQRT: return square_root_order(order, x);
    case DK_RECIPROCAL: return reciprocal_order(order, x);
    case DK_SIGN: return order == 0 ? sign_of(x) : nan_or(x, vset(0.0f));
    case DK_CLAMP: return clamp_order(order, f->low, f->high, x);
    default: return softplus_order(order, x);
    }
}

typedef struct {
    flat_job flat;
    dk_function function;
} function_job;

INLINE void apply_range(const dk_function_kind kind, const int order, const function_job *job, long index) {
    FLAT_RANGE(&job->flat);
    const float *v = job->flat.v;
    vf scale = vset(job->flat.alpha);
#define F(x) function_order(kind, &job->function, order, x)
    FOR_FLAT(lo, hi, APPLY);
#undef F
}

static void apply_item(void *context, long index) {
    const function_job *job = context;
#define ORDERS(KIND)                                                                                                   \
    case KIND:                                                                                                         \
        switch (job->flat.order) {                                                                                     \
        case 0: apply_range(KIND, 0, job, index); break;                                                               \
        case 1: apply_range(KIND, 1, job, index); break;                                                               \
        default: apply_range(KIND, 2, job, index); break;                                                              \
        }                                                                                                              \
        break;
    switch (job->function.kind) {
        ORDERS(DK_SIGMOID)
        ORDERS(DK_EXP)
        ORDERS(DK_LOG)
        ORDERS(DK_ABS)
        ORDERS(DK_SQRT)
        ORDERS(DK_RECIPROCAL)
        ORDERS(DK_SIGN)
        ORDERS(DK_CLAMP)
        ORDERS(DK_SOFTPLUS)
    }
#undef ORDERS
}

static void apply(dk_function function, int order, float scale, const float *x, const float *u, const float *v,
                  long count, float *y, int accumulate) {
    function_job job = {
        .flat =
            {.x = x, .z = u, .v = v, .y = y, .alpha = scale, .order = order, .accumulate = accumulate, .count = count},
        .function = function
    };
    run_flat(&job.flat, 4, apply_item);
}
