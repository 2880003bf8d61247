// The per-channel part of group normalisation over SCALAR, with FN(name) naming its functions: see group_norm.c, whose
// formulas stand above the code that computes them.

INLINE SCALAR FN(gate)(const dk_group_norm *n, long c) { return FN(load_or)(n->gate, c, 1.0); }
INLINE SCALAR FN(scale)(const dk_group_norm *n, long i) {
    return n->scale.value ? FN(add)(FN(number)(1.0), FN(load)(n->scale, i)) : FN(number)(1.0);
}

typedef struct {
    SCALAR weight, mean, variance, root;  // W, μ, v and r; all zero where W is
} FN(statistics);
#define STATISTICS FN(statistics)

/// Scratch memory for the statistics of all groups, `sets` times.
static STATISTICS *FN(statistics_room)(const dk_group_norm *n, long sets) {
    return (STATISTICS *)dk_scratch(DK_LOCAL_A, sets * n->groups * (long)(sizeof(STATISTICS) / sizeof(float)));
}

/// The first channel from c on that is not in channel c's group.
INLINE long FN(run_end)(const dk_group_norm *n, long c) {
    long end = c + 1;
    while (end < n->channels && n->group_of[end] == n->group_of[c]) end++;
    return end;
}

/// Moments of every group of one image, whose first channel is at `base`. Neighbours of one group are summed on their
/// own first: a sum in memory would wait for its last store at every channel.
static void FN(group_statistics)(const dk_group_norm *n, dk_dual_in mean, dk_dual_in variance, long base,
                                 STATISTICS *groups) {
    memset(groups, 0, (size_t)n->groups * sizeof *groups);
    // W = Σ m_c, and Σ m_c·mean_c in place of μ.
    for (long c = 0; c < n->channels;) {
        STATISTICS *s = groups + n->group_of[c];
        SCALAR weight = FN(number)(0.0), sum = weight;
        for (long end = FN(run_end)(n, c); c < end; c++) {
            SCALAR m = FN(gate)(n, c);
            weight = FN(add)(weight, m);
            sum = FN(add)(sum, FN(multiply)(m, FN(load)(mean, base + c)));
        }
        s->weight = FN(add)(s->weight, weight);
        s->mean = FN(add)(s->mean, sum);
    }
    // μ = Σ m_c·mean_c / W
    for (long g = 0; g < n->groups; g++)
        if (FN(primal)(groups[g].weight) > 0) groups[g].mean = FN(divide)(groups[g].mean, groups[g].weight);
    // Σ m_c·(variance_c + (mean_c − μ)²), in place of v.
    for (long c = 0; c < n->channels;) {
        STATISTICS *s = groups + n->group_of[c];
        SCALAR sum = FN(number)(0.0), center = s->mean;
        for (long end = FN(run_end)(n, c); c < end; c++) {
            SCALAR offset = FN(subtract)(FN(load)(mean, base + c), center);
            SCALAR spread = FN(add)(FN(load)(variance, base + c), FN(multiply)(offset, offset));
            sum = FN(add)(sum, FN(multiply)(FN(gate)(n, c), spread));
        }
        s->variance = FN(add)(s->variance, sum);
    }
    // v = Σ … / W        r = 1/√(v + ε)
    for (long g = 0; g < n->groups; g++) {
        STATISTICS *s = groups + g;
        if (!(FN(primal)(s->weight) > 0)) continue;
        s->variance = FN(divide)(s->variance, s->weight);
        s->root = FN(reciprocal_root)(FN(add)(s->variance, FN(number)(n->epsilon)));
    }
}

static void FN(maps_item)(void *context, long image) {
    const maps_job *job = context;
    const dk_group_norm *n = job->norm;
    long base = image * n->channels;
    STATISTICS *groups = FN(statistics_room)(n, 1);
    FN(group_statistics)(n, job->mean, job->variance, base, groups);
    for (long c = 0; c < n->channels; c++) {
        const STATISTICS *s = groups + n->group_of[c];
        // a_c = γ_c·r·s_c, which is zero where W is, since r is then.
        SCALAR slope = FN(multiply)(FN(load)(n->gamma, c), s->root), scale = FN(scale)(n, base + c);
        SCALAR a = FN(multiply)(slope, scale), d = FN(number)(0.0);
        if (FN(primal)(s->weight) > 0) {
            // d_c = (β_c − μ·r·γ_c)·s_c + t_c
            d = FN(subtract)(FN(load)(n->beta, c), FN(multiply)(s->mean, slope));
            d = FN(add)(FN(multiply)(d, scale), FN(load_or)(n->shift, base + c, 0.0));
        }
        FN(store)(job->a, base + c, a);
        FN(store)(job->d, base + c, d);
    }
}

/// Through the maps of one image: gradients of scale and shift, the image's parts of those of γ and β, to sums[0] and
/// sums[1] of [channels] each, and μ_bar and r_bar, as mean and root of `bars`.
static void FN(maps_adjoint)(const adjoint_job *job, long base, const STATISTICS *groups, STATISTICS *bars,
                             SCALAR *sums) {
    const dk_group_norm *n = job->norm;
    const dk_group_norm_gradients *o = job->gradients;
    memset(bars, 0, (size_t)n->groups * sizeof *bars);
    for (long c = 0; c < n->channels; c++) {
        long i = base + c;
        const STATISTICS *s = groups + n->group_of[c];
        STATISTICS *bar = bars + n->group_of[c];
        SCALAR zero = FN(number)(0.0), gamma_bar = zero, beta_bar = zero, scale_bar = zero, shift_bar = zero;
        if (FN(primal)(s->weight) > 0) {
            SCALAR a_bar = FN(load)(o->a_bar, i), d_bar = FN(load)(o->d_bar, i);
            SCALAR gamma = FN(load)(n->gamma, c), beta = FN(load)(n->beta, c), scale = FN(scale)(n, i);
            // ρ_c = a_bar_c − μ·d_bar_c
            SCALAR rho = FN(subtract)(a_bar, FN(multiply)(d_bar, s->mean));
            SCALAR scaled_gamma = FN(multiply)(gamma, scale), scaled_rho = FN(multiply)(rho, s->root);
            // r_bar = Σ_c γ_c·s_c·ρ_c        μ_bar = −r·Σ_c γ_c·s_c·d_bar_c
            bar->root = FN(add)(bar->root, FN(multiply)(rho, scaled_gamma));
            bar->mean = FN(subtract)(bar->mean, FN(multiply)(FN(multiply)(d_bar, s->root), scaled_gamma));
            // γ_bar_c = r·s_c·ρ_c        β_bar_c = s_c·d_bar_c
            gamma_bar = FN(multiply)(scaled_rho, scale);
            beta_bar = FN(multiply)(d_bar, scale);
            // s_bar_c = r·γ_c·ρ_c + β_c·d_bar_c        t_bar_c = d_bar_c
            scale_bar = FN(add)(FN(multiply)(scaled_rho, gamma), FN(multiply)(d_bar, beta));
            shift_bar = d_bar;
        }
        sums[c] = gamma_bar;
        sums[n->channels + c] = beta_bar;
        if (o->scale.value) FN(store)(o->scale, i, scale_bar);
        if (o->shift.value) FN(store)(o->shift, i, shift_bar);
    }
}

/// Through the moments of one image: slope and offset, and the image's part of the gates' gradients, [channels].
static void FN(moments_adjoint)(const adjoint_job *job, long base, const STATISTICS *groups, const STATISTICS *bars,
                                SCALAR *gate_sums) {
    const dk_group_norm *n = job->norm;
    const dk_group_norm_gradients *o = job->gradients;
    SCALAR two = FN(number)(2.0), per_pixel = FN(number)(1.0 / (double)n->pixels);
    for (long c = 0; c < n->channels; c++) {
        long i = base + c;
        const STATISTICS *s = groups + n->group_of[c], *bar = bars + n->group_of[c];
        SCALAR slope = FN(number)(0.0), offset = slope, gate_bar = slope;
        if (FN(primal)(s->weight) > 0) {
            // v_bar = −½·r³·r_bar
            SCALAR cube = FN(multiply)(FN(multiply)(s->root, s->root), s->root);
            SCALAR v_bar = FN(multiply)(FN(multiply)(bar->root, FN(number)(-0.5)), cube);
            SCALAR mean = FN(load)(o->mean, i), away = FN(subtract)(mean, s->mean);
            // variance_bar_c = v_bar·m_c/W        mean_bar_c = 2·variance_bar_c·(mean_c − μ) + μ_bar·m_c/W
            SCALAR share = FN(divide)(FN(gate)(n, c), s->weight);
            SCALAR variance_bar = FN(multiply)(v_bar, share);
            SCALAR mean_bar = FN(multiply)(FN(multiply)(two, variance_bar), away);
            mean_bar = FN(add)(mean_bar, FN(multiply)(bar->mean, share));
            // slope_c = 2·variance_bar_c / P        offset_c = mean_bar_c / P − slope_c·mean_c
            slope = FN(multiply)(FN(multiply)(two, variance_bar), per_pixel);
            offset = FN(subtract)(FN(multiply)(mean_bar, per_pixel), FN(multiply)(slope, mean));
            if (o->gate.value) {
                // [μ_bar·(mean_c − μ) + v_bar·(variance_c + (mean_c − μ)² − v)] / W
                SCALAR spread = FN(add)(FN(load)(o->variance, i), FN(multiply)(away, away));
                spread = FN(multiply)(v_bar, FN(subtract)(spread, s->variance));
                gate_bar = FN(divide)(FN(add)(spread, FN(multiply)(bar->mean, away)), s->weight);
            }
        }
        // m_bar_c = gate_sum_c + [ … ] / W
        if (o->gate.value) gate_bar = FN(add)(gate_bar, FN(load)(o->gate_sum, i));
        gate_sums[c] = gate_bar;
        FN(store)(o->slope, i, slope);
        FN(store)(o->offset, i, offset);
    }
}

/// Adjoints of one image; those of gamma, beta and the gates go to its part of the partial sums.
static void FN(adjoint_item)(void *context, long image) {
    const adjoint_job *job = context;
    const dk_group_norm *n = job->norm;
    long base = image * n->channels;
    STATISTICS *groups = FN(statistics_room)(n, 2), *bars = groups + n->groups;
    SCALAR *sums = (SCALAR *)job->partial + image * 3 * n->channels;
    FN(group_statistics)(n, job->gradients->mean, job->gradients->variance, base, groups);
    FN(maps_adjoint)(job, base, groups, bars, sums);
    FN(moments_adjoint)(job, base, groups, bars, sums + 2 * n->channels);
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
#undef STATISTICS
