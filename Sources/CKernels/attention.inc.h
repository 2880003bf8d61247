// Attention softmax(scale·Q·Kᵀ)·V by panels of queries: [T,T] squares never lie in memory.
//
// A panel is up to NR queries, one a lane, and its logits lie as [T][w], keys by queries: the softmax along the keys is
// then elementwise, K is read row by row where it lies, and both products are the micro-kernels' at any width of a
// head. V, packed in tiles of MR columns, times a panel's weights gives the panel of the output transposed, [width][w].
//
// A query's sums run over the keys in their order, whatever the batch and the threads.
//
// The plain reference is Reference.attention.

/// One head of one image.
typedef struct {
    const dk_attention *problem;
    long tokens, width, pitch, first;  // first: of the head's columns
    dk_dual_in q, k, v;                // at the image's first token and the head's first column
    // Statistics [T], or NULL: the logits' maximum, 1/Σ exp(logit − maximum), the mean of the logits' tangents.
    float *maximum, *inverse, *mean_tangent;
} attention_head;

INLINE dk_dual_in dual_offset(dk_dual_in x, long offset) {
    return (dk_dual_in){x.value + offset, x.tangent ? x.tangent + offset : NULL};
}
INLINE dk_dual_out dual_out_offset(dk_dual_out x, long offset) {
    return (dk_dual_out){x.value + offset, x.tangent ? x.tangent + offset : NULL};
}

static attention_head attention_at(const dk_attention *p, float *statistics, long pair) {
    long image = pair / p->heads, head = pair % p->heads, first = 0;
    for (long h = 0; h < head; h++) first += p->widths[h];
    long offset = image * p->tokens * p->pitch + first;
    float *row = statistics ? statistics + pair * DK_ATTENTION_STATISTICS * p->tokens : NULL;
    return (attention_head){
        .problem = p,
        .tokens = p->tokens,
        .width = p->widths[head],
        .pitch = p->pitch,
        .first = first,
        .q = dual_offset(p->q, offset),
        .k = dual_offset(p->k, offset),
        .v = dual_offset(p->v, offset),
        .maximum = row,
        .inverse = row ? row + p->tokens : NULL,
        .mean_tangent = row ? row + 2 * p->tokens : NULL
    };
}

/// Where row `token` of the head begins in an output of rows `inner` apart.
INLINE long attention_row(const dk_attention *p, long pair, const attention_head *h, long token) {
    return (pair / p->heads * p->tokens + token) * p->inner + h->first;
}

// ---------------------------------------------------------------- the products

/// Floats of a head's packed columns: tiles [T][MR], a last one filled up with zeros.
INLINE long columns_size(long tokens, long width) { return round_up(width, MR) * tokens + VL; }

/// x[T, width], rows `pitch` apart, in tiles of MR columns.
static void pack_columns(const float *x, long pitch, long tokens, long width, float *dst) {
    for (long c = 0; c < width; c += MR)
        for (long t = 0; t < tokens; t++)
            copy_run(x + t * pitch + c, min_long(MR, width - c), dst + c * tokens + t * MR);
}

/// out[T][w] (+)= x[T, width] · panel[width][w], x's rows `pitch` apart and out's `ld`.
static void rows_by_panel(const float *x, long pitch, long tokens, long width, const float *panel, long w, float *out,
                          long ld, int accumulate) {
    const long segment = 0;
    for (long t = 0; t < tokens; t += MR) {
        long rows = min_long(MR, tokens - t);
        row_pointer line[MR];
        tile_target target = {.accumulate = accumulate};
        for (long i = 0; i < rows; i++) {
            line[i] = x + (t + i) * pitch;
            target.out[i] = out + (t + i) * ld;
        }
        product_tile(rows, w, line, &segment, 1, width, panel, w, &target);
    }
}

/// out[width][w] (+)= xᵀ · weights[rows][w] over rows from `first` on of x, packed in tiles of `tokens`; out has
/// round_up(width, MR) rows.
static void columns_by_weights(const float *packed, long tokens, long first, long rows, long width,
                               const float *weights, long ld, long w, float *out, int accumulate) {
    for (long c = 0; c < width; c += MR) {
        float *line[MR];
        for (long i = 0; i < MR; i++) line[i] = out + (c + i) * w;
        outer_tile(min_long(MR, width - c), w / VL, packed + c * tokens + first * MR, MR, rows, weights, ld, line,
                   accumulate);
    }
}

/// out[rows, width] (+)= weights[rows, count] · x, x's `count` rows packed in panels.
static void weights_by_rows(const float *weights, long ld, long rows, long count, const float *panels, long width,
                            float *out, long ld_out, int accumulate) {
    const long segment = 0;
    for (long c = 0; c < width; c += NR) {
        long columns = min_long(NR, width - c);
        for (long r = 0; r < rows; r += MR) {
            long height = min_long(MR, rows - r);
            row_pointer line[MR];
            tile_target target = {.accumulate = accumulate};
            for (long i = 0; i < height; i++) {
                line[i] = weights + (r + i) * ld;
                target.out[i] = out + (r + i) * ld_out + c;
            }
            product_tile(height, columns, line, &segment, 1, count, panels + c * count, panel_width(columns), &target);
        }
    }
}

/// Queries first..<first+count as a panel [width][w] times `scale`.
static void pack_queries(const float *x, long pitch, long first, long count, long width, float scale, float *dst) {
    pack_panel_transposed(x + first * pitch, pitch, width, count, dst);
    if (scale == 1.0f) return;
    vf factor = vset(scale);
    for (long i = 0; i < width * panel_width(count); i += VL) vstore(dst + i, vload(dst + i) * factor);
}

// ---------------------------------------------------------------- softmax
// One vector of queries at a time, their logits ld floats apart from key to key.

/// e^x for x ≤ 0, to about 1 ulp; at least the smallest normal number.
INLINE vf vexp_nonpositive(vf x) { return vexp_negated(vmin(-x, 87.0f)); }

/// Calls body(t, chain) for every key t, chain = t mod 4: four chains hide the latency of sums.
#define FOR_KEYS(tokens, body)                                                                                         \
    do {                                                                                                               \
        long t_ = 0;                                                                                                   \
        for (; t_ + 4 <= (tokens); t_ += 4) {                                                                          \
            body(t_, 0);                                                                                               \
            body(t_ + 1, 1);                                                                                           \
            body(t_ + 2, 2);                                                                                           \
            body(t_ + 3, 3);                                                                                           \
        }                                                                                                              \
        for (; t_ < (tokens); t_++) body(t_, 0);                                                                       \
    } while (0)

INLINE vf sum_of_four(const vf *sums) { return (sums[0] + sums[1]) + (sums[2] + sums[3]); }

/// Turns logits into exp(logit − maximum); `inverse` gets 1/Σ.
INLINE void exponentiate(float *s, long ld, long tokens, vf *maximum, vf *inverse) {
    vf best[4] = {vload(s), vload(s), vload(s), vload(s)};
#define LARGEST(t, chain)                                                                                              \
    do {                                                                                                               \
        vf v = vload(s + (t) * ld);                                                                                    \
        best[chain] = vselect(v > best[chain], v, best[chain]);                                                        \
    } while (0)
    FOR_KEYS(tokens, LARGEST);
#undef LARGEST
    for (int chain = 1; chain < 4; chain++) best[0] = vselect(best[chain] > best[0], best[chain], best[0]);
    vf sums[4] = {{0}};
#define EXPONENTIATE(t, chain)                                                                                         \
    do {                                                                                                               \
        vf e = vexp_nonpositive(vload(s + (t) * ld) - best[0]);                                                        \
        sums[chain] += e;                                                                                              \
        vstore(s + (t) * ld, e);                                                                                       \
    } while (0)
    FOR_KEYS(tokens, EXPONENTIATE);
#undef EXPONENTIATE
    *maximum = best[0];
    *inverse = vset(1.0f) / sum_of_four(sums);
}

/// The tangents ṡ of logits become e·(ṡ − Σ p·ṡ), p = e·inverse; returns that sum.
INLINE vf exponentiate_tangent(const float *e, float *s_t, long ld, long tokens, vf inverse) {
    vf sums[4] = {{0}};
#define ADD(t, chain) sums[chain] = vfma(vload(e + (t) * ld), vload(s_t + (t) * ld), sums[chain])
    FOR_KEYS(tokens, ADD);
#undef ADD
    vf mean = sum_of_four(sums) * inverse;
    for (long t = 0; t < tokens; t++) vstore(s_t + t * ld, vload(e + t * ld) * (vload(s_t + t * ld) - mean));
    return mean;
}

// ---------------------------------------------------------------- forward

typedef struct {
    const dk_attention *p;
    dk_dual_out out;
    float *statistics;
    const float *packed;  // every head's V and its tangent when panels are items of their own, else NULL
    long packed_floats;   // of one head and one of the two
} attention_job;

/// A panel of output [width][w], each lane times its factor, to rows of the output.
static void store_panel(float *mixed, long width, long w, long count, const float *factor, float *out, long ld) {
    for (long c = 0; c < width; c++)
        for (long i = 0; i < w; i += VL) {
            float *v = mixed + c * w + i;
            vstore(v, vload(v) * vload(factor + i));
        }
    transpose_block(mixed, width, count, w, out, ld);
}

static void attention_panel(const attention_job *job, long pair, const attention_head *h, const float *v,
                            const float *v_t, long first) {
    long tokens = h->tokens, width = h->width, count = min_long(NR, tokens - first), w = panel_width(count);
    long panel = width * w, square = tokens * w, mixed = round_up(width, MR) * w;
    float *queries = dk_scratch(DK_LOCAL_A, 2 * (panel + square + mixed)), *scores = queries + panel;
    float *out = scores + square, factor[NR];
    pack_queries(h->q.value, h->pitch, first, count, width, job->p->scale, queries);
    rows_by_panel(h->k.value, h->pitch, tokens, width, queries, w, scores, w, 0);
    for (long i = 0; i < w; i += VL) {
        vf maximum, inverse;
        exponentiate(scores + i, w, tokens, &maximum, &inverse);
        vstore(factor + i, inverse);
        if (h->maximum && i < count) {
            vstore_first(h->maximum + first + i, maximum, count - i);
            vstore_first(h->inverse + first + i, inverse, count - i);
        }
    }
    columns_by_weights(v, tokens, 0, tokens, width, scores, w, w, out, 0);
    long row = attention_row(job->p, pair, h, first);
    store_panel(out, width, w, count, factor, job->out.value + row, job->p->inner);
    if (!job->out.tangent) return;

    float *queries_t = out + mixed, *scores_t = queries_t + panel, *out_t = scores_t + square;
    int moving = h->q.tangent || h->k.tangent;
    if (moving) {
        if (h->q.tangent) {
            pack_queries(h->q.tangent, h->pitch, first, count, width, job->p->scale, queries_t);
            rows_by_panel(h->k.value, h->pitch, tokens, width, queries_t, w, scores_t, w, 0);
        }
        if (h->k.tangent)
            rows_by_panel(h->k.tangent, h->pitch, tokens, width, queries, w, scores_t, w, h->q.tangent != NULL);
        for (long i = 0; i < w; i += VL) {
            vf mean = exponentiate_tangent(scores + i, scores_t + i, w, tokens, vload(factor + i));
            if (h->mean_tangent && i < count) vstore_first(h->mean_tangent + first + i, mean, count - i);
        }
        columns_by_weights(v, tokens, 0, tokens, width, scores_t, w, w, out_t, 0);
    }
    if (h->v.tangent)
        columns_by_weights(v_t, tokens, 0, tokens, width, scores, w, w, out_t, moving);
    else if (!moving)
        memset(out_t, 0, (size_t)mixed * sizeof(float));
    store_panel(out_t, width, w, count, factor, job->out.tangent + row, job->p->inner);
}

static void attention_pack_item(void *context, long pair) {
    const attention_job *job = context;
    attention_head h = attention_at(job->p, NULL, pair);
    float *packed = (float *)job->packed + 2 * pair * job->packed_floats;
    pack_columns(h.v.value, h.pitch, h.tokens, h.width, packed);
    if (h.v.tangent) pack_columns(h.v.tangent, h.pitch, h.tokens, h.width, packed + job->packed_floats);
}

static void attention_panel_item(void *context, long index) {
    const attention_job *job = context;
    long panels = ceil_div(job->p->tokens, NR), pair = index / panels;
    attention_head h = attention_at(job->p, job->statistics, pair);
    const float *packed = job->packed + 2 * pair * job->packed_floats;
    if (h.width > 0) attention_panel(job, pair, &h, packed, packed + job->packed_floats, index % panels * NR);
}

static void attention_head_item(void *context, long pair) {
    const attention_job *job = context;
    attention_head h = attention_at(job->p, job->statistics, pair);
    if (h.width == 0) return;
    long size = columns_size(h.tokens, h.width);
    float *packed = dk_scratch(DK_LOCAL_B, 2 * size);
    pack_columns(h.v.value, h.pitch, h.tokens, h.width, packed);
    if (h.v.tangent) pack_columns(h.v.tangent, h.pitch, h.tokens, h.width, packed + size);
    for (long first = 0; first < h.tokens; first += NR) attention_panel(job, pair, &h, packed, packed + size, first);
}

INLINE long widest_head(const dk_attention *p) {
    long widest = 0;
    for (long h = 0; h < p->heads; h++) widest = max_long(widest, p->widths[h]);
    return widest;
}

/// Whether heads of images are many enough to be the items of a region.
INLINE int heads_are_enough(const dk_attention *p) {
    long threads = dk_threads();
    return threads == 1 || p->batch * p->heads >= 4 * threads;
}

/// Whether each head of an image is an item that packs for itself.
INLINE int attention_by_heads(const dk_attention *p) { return p->tokens <= NR || heads_are_enough(p); }

static long attention_forward_workspace(const dk_attention *p) {
    if (attention_by_heads(p)) return 1;
    return max_long(1, 2 * p->batch * p->heads * columns_size(p->tokens, widest_head(p)));
}

static void attention_forward(const dk_attention *p, dk_dual_out out, float *statistics, float *workspace) {
    long pairs = p->batch * p->heads, panels = ceil_div(p->tokens, NR);
    if (pairs <= 0 || p->tokens <= 0) return;
    long work = p->batch * p->tokens * p->tokens * (p->inner + 8 * p->heads) / 2;
    attention_job job = {.p = p, .out = out, .statistics = statistics};
    if (attention_by_heads(p)) {
        dk_region(pairs, work, attention_head_item, &job);
        return;
    }
    job.packed_floats = columns_size(p->tokens, widest_head(p));
    job.packed = workspace;
    dk_region(pairs, p->batch * p->tokens * p->inner, attention_pack_item, &job);
    dk_region(pairs * panels, work, attention_panel_item, &job);
}
