// The per-channel part of group normalisation over SCALAR, with FN(name) naming its functions: see group_norm.c.

INLINE SCALAR FN(gate)(const dk_group_norm *n, long c) { return FN(load_or)(n->gate, c, 1.0); }
INLINE SCALAR FN(scale)(const dk_group_norm *n, long i) {
    return n->scale.value ? FN(add)(FN(number)(1.0), FN(load)(n->scale, i)) : FN(number)(1.0);
}

typedef struct {
    SCALAR weight, mean, variance, root;
} FN(statistics);

/// The first channel from c on that is not in channel c's group.
INLINE long FN(run_end)(const dk_group_norm *n, long c) {
    long end = c + 1;
    while (end < n->channels && n->group_of[end] == n->group_of[c]) end++;
    return end;
}

/// Moments of every group of one image, whose first channel is at `base`. Neighbours of one group are summed on their
/// own first: a sum in memory would wait for its last store at every channel.
static void FN(group_statistics)(const dk_group_norm *n, dk_dual_in mean, dk_dual_in variance, long base,
                                 FN(statistics) * groups) {
    memset(groups, 0, (size_t)n->groups * sizeof *groups);
    for (long c = 0; c < n->channels;) {
        FN(statistics) *s = groups + n->group_of[c];
        SCALAR weight = FN(number)(0.0), sum = weight;
        for (long end = FN(run_end)(n, c); c < end; c++) {
            SCALAR m = FN(gate)(n, c);
            weight = FN(add)(weight, m);
            sum = FN(add)(sum, FN(multiply)(m, FN(load)(mean, base + c)));
        }
        s->weight = FN(add)(s->weight, weight);
        s->mean = FN(add)(s->mean, sum);
    }
    for (long g = 0; g < n->groups; g++)
        if (FN(primal)(groups[g].weight) > 0) groups[g].mean = FN(divide)(groups[g].mean, groups[g].weight);
    for (long c = 0; c < n->channels;) {
        FN(statistics) *s = groups + n->group_of[c];
        SCALAR sum = FN(number)(0.0), center = s->mean;
        for (long end = FN(run_end)(n, c); c < end; c++) {
            SCALAR offset = FN(subtract)(FN(load)(mean, base + c), center);
            SCALAR spread = FN(add)(FN(load)(variance, base + c), FN(multiply)(offset, offset));
            sum = FN(add)(sum, FN(multiply)(FN(gate)(n, c), spread));
        }
        s->variance = FN(add)(s->variance, sum);
    }
    for (long g = 0; g < n->groups; g++) {
        FN(statistics) *s = groups + g;
        if (!(FN(primal)(s->weight) > 0)) continue;
        s->variance = FN(divide)(s->variance, s->weight);
        s->root = FN(reciprocal_root)(FN(add)(s->variance, FN(number)(n->epsilon)));
    }
}

static void FN(maps_item)(void *context, long image) {
    const maps_job *job = context;
    const dk_group_norm *n = job->norm;
    long base = image * n->channels;
    FN(statistics) *groups = (FN(statistics) *)dk_scratch(DK_LOCAL_A, n->groups * (long)(sizeof(FN(statistics)) / 4));
    FN(group_statistics)(n, job->mean, job->variance, base, groups);
    for (long c = 0; c < n->channels; c++) {
        const FN(statistics) *s = groups + n->group_of[c];
        // A group that is gated away altogether maps to zero: its root is.
        SCALAR slope = FN(multiply)(FN(load)(n->gamma, c), s->root), scale = FN(scale)(n, base + c);
        SCALAR d = FN(number)(0.0);
        if (FN(primal)(s->weight) > 0) {
            d = FN(subtract)(FN(load)(n->beta, c), FN(multiply)(s->mean, slope));
            d = FN(add)(FN(multiply)(d, scale), FN(load_or)(n->shift, base + c, 0.0));
        }
        FN(store)(job->a, base + c, FN(multiply)(slope, scale));
        FN(store)(job->d, base + c, d);
    }
}

/// Adjoints of one image; those of gamma, beta and the gates go to its part of the partial sums.
static void FN(adjoint_item)(void *context, long image) {
    const adjoint_job *job = context;
    const dk_group_norm *n = job->norm;
    const dk_group_norm_gradients *o = job->gradients;
    long base = image * n->channels, room = (long)(sizeof(FN(statistics)) / 4);
    FN(statistics) *groups = (FN(statistics) *)dk_scratch(DK_LOCAL_A, 2 * n->groups * room);
    // Of these only mean and root are used: the adjoints of a group's mean and reciprocal root.
    FN(statistics) *bars = groups + n->groups;
    FN(group_statistics)(n, o->mean, o->variance, base, groups);
    memset(bars, 0, (size_t)n->groups * sizeof *bars);
    SCALAR *sums = (SCALAR *)job->partial + image * 3 * n->channels;
    for (long c = 0; c < n->channels; c++) {
        long i = base + c;
        const FN(statistics) *s = groups + n->group_of[c];
        FN(statistics) *bar = bars + n->group_of[c];
        SCALAR zero = FN(number)(0.0), gamma_bar = zero, beta_bar = zero, scale_bar = zero, shift_bar = zero;
        if (FN(primal)(s->weight) > 0) {
            SCALAR a_bar = FN(load)(o->a_bar, i), d_bar = FN(load)(o->d_bar, i), gamma = FN(load)(n->gamma, c);
            SCALAR scale = FN(scale)(n, i), scaled = FN(multiply)(gamma, scale);
            SCALAR root_bar = FN(subtract)(a_bar, FN(multiply)(d_bar, s->mean));
            SCALAR through_gamma = FN(multiply)(root_bar, s->root);
            bar->root = FN(add)(bar->root, FN(multiply)(root_bar, scaled));
            bar->mean = FN(subtract)(bar->mean, FN(multiply)(FN(multiply)(d_bar, s->root), scaled));
            gamma_bar = FN(multiply)(through_gamma, scale);
            beta_bar = FN(multiply)(d_bar, scale);
            scale_bar = FN(add)(FN(multiply)(through_gamma, gamma), FN(multiply)(d_bar, FN(load)(n->beta, c)));
            shift_bar = d_bar;
        }
        sums[c] = gamma_bar;
        sums[n->channels + c] = beta_bar;
        if (o->scale.value) FN(store)(o->scale, i, scale_bar);
        if (o->shift.value) FN(store)(o->shift, i, shift_bar);
    }
    SCALAR per_pixel = FN(number)(1.0 / (double)n->pixels);
    for (long c = 0; c < n->channels; c++) {
        long i = base + c;
        const FN(statistics) *s = groups + n->group_of[c];
        SCALAR slope = FN(number)(0.0), offset = slope, gate_bar = slope;
        if (FN(primal)(s->weight) > 0) {
            const FN(statistics) *bar = bars + n->group_of[c];
            // dr/dv = −r³/2; the group mean's own part in v vanishes because Σ m·(mean − μ) = 0.
            SCALAR cube = FN(multiply)(FN(multiply)(s->root, s->root), s->root);
            SCALAR variance_bar = FN(multiply)(FN(multiply)(bar->root, FN(number)(-0.5)), cube);
            SCALAR mean = FN(load)(o->mean, i), away = FN(subtract)(mean, s->mean);
            SCALAR share = FN(divide)(FN(gate)(n, c), s->weight);
            SCALAR own_variance_bar = FN(multiply)(variance_bar, share);
            SCALAR own_mean_bar = FN(multiply)(FN(multiply)(FN(number)(2.0), own_variance_bar), away);
            own_mean_bar = FN(add)(own_mean_bar, FN(multiply)(bar->mean, share));
            slope = FN(multiply)(FN(multiply)(FN(number)(2.0), own_variance_bar), per_pixel);
            offset = FN(subtract)(FN(multiply)(own_mean_bar, per_pixel), FN(multiply)(slope, mean));
            if (o->gate.value) {
                SCALAR spread = FN(add)(FN(load)(o->variance, i), FN(multiply)(away, away));
                spread = FN(multiply)(variance_bar, FN(subtract)(spread, s->variance));
                gate_bar = FN(divide)(FN(add)(spread, FN(multiply)(bar->mean, away)), s->weight);
            }
        }
        if (o->gate.value) gate_bar = FN(add)(gate_bar, FN(load)(o->gate_sum, i));
        sums[2 * n->channels + c] = gate_bar;
        FN(store)(o->slope, i, slope);
        FN(store)(o->offset, i, offset);
    }
}

/// Adds the images' parts in order.
static void FN(add_images)(const adjoint_job *job) {
    const dk_group_norm *n = job->norm;
    const dk_dual_out outputs[3] = {job->gradients->gamma, job->gradients->beta, job->gradients->gate};
    const SCALAR *partial = (const SCALAR *)job->partial;
    for (long q = 0; q < 3; q++)
        for (long c = 0; outputs[q].value && c < n->channels; c++) {
            SCALAR sum = FN(number)(0.0);
            for (long image = 0; image < n->images; image++)
                sum = FN(add)(sum, partial[(image * 3 + q) * n->channels + c]);
            FN(store)(outputs[q], c, sum);
        }
}
