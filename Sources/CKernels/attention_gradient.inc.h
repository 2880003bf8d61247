// The backward pass of attention, by blocks of queries whose probabilities are computed once more:
//
//     P = softmax    dV = Pᵀ·G    dP = G·Vᵀ    dS = scale·P·(dP − D)    dQ = dS·K    dK = dSᵀ·Q
//
// where D, a query's Σ P·dP, is Σ G·output; and the tangent of each. A block meets the keys a chunk at a time, so that
// its squares stay in a first-level cache.
//
// Sums of dQ run over the keys of a chunk, then over chunks; those of dK and dV over the queries of a block, then over
// blocks.

#define ATTENTION_BLOCK (4 * NR)  // queries
#define ATTENTION_CHUNK (4 * MR)  // keys

typedef struct {
    const dk_attention *p;
    dk_dual_in out, g;
    dk_dual_out dq, dk, dv;
    float *statistics;
    int tangents;
    long packed_floats;  // of one head's K and its tangent
    // When blocks are items of their own:
    float *packed, *squares;         // every head's K; the squares of a wave's blocks
    long first_block, wave, pieces;  // the first block of a wave and how many; pieces of the keys
} gradient_job;

/// A block of queries of one head.
typedef struct {
    const gradient_job *job;
    attention_head h;
    long row;               // where its head's first token begins in arrays of rows `inner` apart
    long first, count, ld;  // its queries; ld: between the keys of its squares
} gradient_block;

/// Squares [keys][ld], keys by queries.
typedef struct {
    float *p, *ds, *p_t, *ds_t;
} gradient_squares;

/// What a block's products read: panels [width][w] of scale·Qᵀ and Gᵀ, NR·width floats apart, their tangents; D and its
/// tangent [ATTENTION_BLOCK]; and where its dQᵀ is summed, in panels [round_up(width, MR)][w].
typedef struct {
    float *q, *g, *q_t, *g_t, *mean, *mean_t, *dq, *dq_t;
    long dq_floats;  // between panels of dq
} gradient_panels;

static gradient_block gradient_block_at(const gradient_job *job, long pair, long number) {
    gradient_block b = {.job = job, .h = attention_at(job->p, job->statistics, pair)};
    b.row = attention_row(job->p, pair, &b.h, 0);
    b.first = number * ATTENTION_BLOCK;
    b.count = min_long(ATTENTION_BLOCK, b.h.tokens - b.first);
    b.ld = round_up(b.count, VL);
    return b;
}

INLINE long square_floats(const gradient_job *job, long keys) {
    return (job->tangents ? 4 : 2) * keys * round_up(min_long(ATTENTION_BLOCK, job->p->tokens), VL);
}
INLINE gradient_squares squares_in(float *memory, long keys, long ld) {
    return (gradient_squares){memory, memory + keys * ld, memory + 2 * keys * ld, memory + 3 * keys * ld};
}
INLINE gradient_squares squares_from(gradient_squares s, long offset) {
    return (gradient_squares){s.p + offset, s.ds + offset, s.p_t + offset, s.ds_t + offset};
}

static void pack_keys(const gradient_job *job, const attention_head *h, float *dst) {
    pack_columns(h->k.value, h->pitch, h->tokens, h->width, dst);
    if (h->k.tangent) pack_columns(h->k.tangent, h->pitch, h->tokens, h->width, dst + job->packed_floats / 2);
}

/// Zeros, for the tangent of what has none.
static void clear_columns(float *x, long ld, long rows, long columns) {
    for (long r = 0; r < rows; r++) memset(x + r * ld, 0, (size_t)columns * sizeof(float));
}

// ---------------------------------------------------------------- a block's squares and its dQ

/// sum[w] (+)= Σ_c a[c][w]·b[c][w]
static void sum_products(const float *a, const float *b, long width, long w, float *sum, int accumulate) {
    for (long i = 0; i < w; i += VL) {
        vf total = accumulate ? vload(sum + i) : (vf){0};
        for (long c = 0; c < width; c++) total = vfma(vload(a + c * w + i), vload(b + c * w + i), total);
        vstore(sum + i, total);
    }
}

static gradient_panels pack_block(const gradient_block *b) {
    const gradient_job *job = b->job;
    long width = b->h.width, inner = job->p->inner, panel = width * ATTENTION_BLOCK;
    gradient_panels x = {.dq_floats = round_up(width, MR) * NR};
    long dq = x.dq_floats * (ATTENTION_BLOCK / NR);
    x.q = dk_scratch(DK_LOCAL_A, (job->tangents ? 2 : 1) * (2 * panel + ATTENTION_BLOCK + dq));
    x.g = x.q + panel, x.mean = x.g + panel, x.dq = x.mean + ATTENTION_BLOCK;
    x.q_t = x.dq + dq, x.g_t = x.q_t + panel, x.mean_t = x.g_t + panel, x.dq_t = x.mean_t + ATTENTION_BLOCK;
    dk_dual_in g = dual_offset(job->g, b->row), out = dual_offset(job->out, b->row);
    for (long offset = 0; offset < b->count; offset += NR) {
        long first = b->first + offset, count = min_long(NR, b->count - offset), at = offset * width;
        pack_queries(b->h.q.value, b->h.pitch, first, count, width, job->p->scale, x.q + at);
        pack_queries(g.value, inner, first, count, width, 1.0f, x.g + at);
        if (job->tangents && b->h.q.tangent)
            pack_queries(b->h.q.tangent, b->h.pitch, first, count, width, job->p->scale, x.q_t + at);
        // The outputs, which D needs, lie where dQ will be summed.
        long w = panel_width(count), sum = offset / NR * x.dq_floats;
        pack_queries(out.value, inner, first, count, width, 1.0f, x.dq + sum);
        sum_products(x.g + at, x.dq + sum, width, w, x.mean + offset, 0);
        if (!job->tangents) continue;
        memset(x.mean_t + offset, 0, (size_t)w * sizeof(float));
        if (g.tangent) {
            pack_queries(g.tangent, inner, first, count, width, 1.0f, x.g_t + at);
            sum_products(x.g_t + at, x.dq + sum, width, w, x.mean_t + offset, 1);
        }
        if (out.tangent) {
            pack_queries(out.tangent, inner, first, count, width, 1.0f, x.dq_t + sum);
            sum_products(x.g + at, x.dq_t + sum, width, w, x.mean_t + offset, 1);
        }
    }
    return x;
}

/// Products of `rows` keys with a panel of queries: Q·Kᵀ to p and G·Vᵀ to ds, and the tangent of each.
static void multiply_squares(const gradient_block *b, const gradient_panels *x, dk_dual_in k, dk_dual_in v, long rows,
                             long at, long w, gradient_squares s) {
    const gradient_job *job = b->job;
    const attention_head *h = &b->h;
    long width = h->width, ld = b->ld, pitch = h->pitch;
    dk_dual_in q = h->q, g = job->g;
    rows_by_panel(k.value, pitch, rows, width, x->q + at, w, s.p, ld, 0);
    rows_by_panel(v.value, pitch, rows, width, x->g + at, w, s.ds, ld, 0);
    if (!job->tangents) return;
    if (q.tangent) rows_by_panel(k.value, pitch, rows, width, x->q_t + at, w, s.p_t, ld, 0);
    if (k.tangent) rows_by_panel(k.tangent, pitch, rows, width, x->q + at, w, s.p_t, ld, q.tangent != NULL);
    if (!q.tangent && !k.tangent) clear_columns(s.p_t, ld, rows, w);
    if (g.tangent) rows_by_panel(v.value, pitch, rows, width, x->g_t + at, w, s.ds_t, ld, 0);
    if (v.tangent) rows_by_panel(v.tangent, pitch, rows, width, x->g + at, w, s.ds_t, ld, g.tangent != NULL);
    if (!g.tangent && !v.tangent) clear_columns(s.ds_t, ld, rows, w);
}

/// One vector of queries, i and on of the block's, over `rows` keys: from the products to
///     P = exp(S − maximum)·inverse        dS = scale·P·(dP − D)
/// and, with tangents,
///     Ṗ = P·(Ṡ − Σ P·Ṡ)                   dṠ = scale·(Ṗ·(dP − D) + P·(dṖ − Ḋ))
static void finish_squares(const gradient_block *b, const gradient_panels *x, long i, long rows, gradient_squares s) {
    const gradient_job *job = b->job;
    const attention_head *h = &b->h;
    // Lanes beyond the last query are computed with it: nobody reads them.
    long ld = b->ld, query = b->first + i, n = min_long(VL, b->count - i);
    vf scale = vset(job->p->scale), mean = vload(x->mean + i);
    vf maximum = vload_first(h->maximum + query, n), inverse = vload_first(h->inverse + query, n);
    if (!job->tangents) {
        for (long t = 0; t < rows; t++) {
            float *p = s.p + t * ld + i, *ds = s.ds + t * ld + i;
            vf y = vexp_nonpositive(vload(p) - maximum) * inverse;
            vstore(p, y);
            vstore(ds, scale * y * (vload(ds) - mean));
        }
        return;
    }
    int moving = h->q.tangent || h->k.tangent;
    vf mean_s = moving ? vload_first(h->mean_tangent + query, n) : (vf){0}, mean_t = vload(x->mean_t + i);
    for (long t = 0; t < rows; t++) {
        float *p = s.p + t * ld + i, *ds = s.ds + t * ld + i;
        float *p_t = s.p_t + t * ld + i, *ds_t = s.ds_t + t * ld + i;
        vf y = vexp_nonpositive(vload(p) - maximum) * inverse, y_t = y * (vload(p_t) - mean_s);
        vf d = vload(ds) - mean;
        vstore(p, y);
        vstore(p_t, y_t);
        vstore(ds, scale * y * d);
        vstore(ds_t, scale * vfma(y, vload(ds_t) - mean_t, y_t * d));
    }
}

/// The squares of keys first..<end, which their first row is for, and what these keys add to dQ.
static void fill_squares(const gradient_block *b, const gradient_panels *x, const float *keys, long first, long end,
                         gradient_squares s) {
    const gradient_job *job = b->job;
    const attention_head *h = &b->h;
    long rows = end - first, width = h->width, ld = b->ld, at_row = first * h->pitch;
    dk_dual_in k = dual_offset(h->k, at_row), v = dual_offset(h->v, at_row);
    const float *keys_t = keys + job->packed_floats / 2;
    for (long offset = 0; offset < b->count; offset += NR) {
        long w = panel_width(b->count - offset);
        gradient_squares part = squares_from(s, offset);
        multiply_squares(b, x, k, v, rows, offset * width, w, part);
        for (long i = offset; i < min_long(offset + w, ld); i += VL) finish_squares(b, x, i, rows, s);
        float *dq = x->dq + offset / NR * x->dq_floats, *dq_t = x->dq_t + offset / NR * x->dq_floats;
        columns_by_weights(keys, h->tokens, first, rows, width, part.ds, ld, w, dq, first > 0);
        if (!job->tangents) continue;
        columns_by_weights(keys, h->tokens, first, rows, width, part.ds_t, ld, w, dq_t, first > 0);
        if (k.tangent) columns_by_weights(keys_t, h->tokens, first, rows, width, part.ds, ld, w, dq_t, 1);
    }
}

static void store_queries(const gradient_block *b, const gradient_panels *x) {
    long inner = b->job->p->inner;
    dk_dual_out dq = dual_out_offset(b->job->dq, b->row + b->first * inner);
    for (long offset = 0; offset < b->count; offset += NR) {
        long count = min_long(NR, b->count - offset), w = panel_width(count), at = offset / NR * x->dq_floats;
        transpose_block(x->dq + at, b->h.width, count, w, dq.value + offset * inner, inner);
        if (b->job->tangents) transpose_block(x->dq_t + at, b->h.width, count, w, dq.tangent + offset * inner, inner);
    }
}

// ---------------------------------------------------------------- dK and dV

/// A block's rows of Q and G, with their tangents, in panels of columns; for narrow heads transposed, in panels of
/// rows.
typedef struct {
    float *q, *g, *q_t, *g_t;
} gradient_rows;

#if VL == 16
/// Heads so narrow that a row of dK or dV would leave half of a vector empty: their sums run along vectors of queries.
#define NARROW 8

/// Lane 2i: a[i] + a[i + 8], lane 2i + 1 the same of b.
INLINE vf fold(vf a, vf b) {
    return __builtin_shufflevector(a, b, INTERLEAVE_LOW) + __builtin_shufflevector(a, b, INTERLEAVE_HIGH);
}

/// The sums of eight vectors in the lower half.
INLINE vf fold_eight(const vf *v) {
    vf even = fold(fold(v[0], v[4]), fold(v[2], v[6])), odd = fold(fold(v[1], v[5]), fold(v[3], v[7]));
    vf all = fold(even, odd);
    return all + __builtin_shufflevector(all, all, HIGH_HALF, LOW_HALF);
}

/// out[rows, width] (+)= weights[rows, count] · x of `count` rows in panels [width][w], width ≤ NARROW.
static void weights_by_narrow_rows(const float *weights, long ld, long rows, long count, const float *panels,
                                   long width, float *out, long ld_out, int accumulate) {
    for (long r = 0; r < rows; r += 3) {
        const float *line[3];
        vf sums[3][NARROW];
        UNROLL for (int i = 0; i < 3; i++) {
            line[i] = weights + min_long(r + i, rows - 1) * ld;
            UNROLL for (int c = 0; c < NARROW; c++) sums[i][c] = (vf){0};
        }
        for (long q = 0; q < count; q += VL) {
            const float *x = panels + q / NR * NR * width + q % NR;
            long n = count - q, w = panel_width(count - q / NR * NR);
            vf p[3];
            UNROLL for (int i = 0; i < 3; i++) p[i] = vload_first(line[i] + q, n);
            UNROLL for (int c = 0; c < NARROW; c++) {
                vf v = vload(x + min_long(c, width - 1) * w);
                UNROLL for (int i = 0; i < 3; i++) sums[i][c] = vfma(p[i], v, sums[i][c]);
            }
        }
        for (long i = 0; i < min_long(3, rows - r); i++) {
            float *y = out + (r + i) * ld_out;
            vf total = fold_eight(sums[i]);
            if (accumulate) total += vload_first(y, width);
            vstore_first(y, total, width);
        }
    }
}
#else
#define NARROW 0
#endif

/// The sums of weights_by_rows over rows that pack_rows laid out.
static void weights_by_packed_rows(const float *weights, long ld, long rows, long count, const float *packed,
                                   long width, float *out, long ld_out, int accumulate) {
#if NARROW > 0
    if (width <= NARROW) {
        weights_by_narrow_rows(weights, ld, rows, count, packed, width, out, ld_out, accumulate);
        return;
    }
#endif
    weights_by_rows(weights, ld, rows, count, packed, width, out, ld_out, accumulate);
}

static void pack_rows(const gradient_block *b, const float *x, long pitch, float *dst) {
    long width = b->h.width;
    if (!x) return;
    if (width <= NARROW)
        for (long i = 0; i < b->count; i += NR)
            pack_queries(x, pitch, b->first + i, min_long(NR, b->count - i), width, 1.0f, dst + i * width);
    else
        for (long c = 0; c < width; c += NR)
            pack_panel(x + b->first * pitch + c, pitch, b->count, min_long(NR, width - c), dst + c * b->count);
}

static gradient_rows pack_block_rows(const gradient_block *b, dk_scratch_slot slot) {
    const gradient_job *job = b->job;
    long size = round_up(b->h.width, NR) * ATTENTION_BLOCK;
    float *memory = dk_scratch(slot, (job->tangents ? 4 : 2) * size);
    gradient_rows r = {memory, memory + size, memory + 2 * size, memory + 3 * size};
    dk_dual_in g = dual_offset(job->g, b->row);
    pack_rows(b, b->h.q.value, b->h.pitch, r.q);
    pack_rows(b, g.value, job->p->inner, r.g);
    if (!job->tangents) return r;
    pack_rows(b, b->h.q.tangent, b->h.pitch, r.q_t);
    pack_rows(b, g.tangent, job->p->inner, r.g_t);
    return r;
}

/// A block's part of dK and dV for `rows` keys from the first on, which the squares' first row is for.
static void add_to_keys(const gradient_block *b, gradient_rows x, gradient_squares s, long first, long rows) {
    const gradient_job *job = b->job;
    long inner = job->p->inner, width = b->h.width, at = b->row + first * inner;
    int add = b->first > 0;
    dk_dual_out dk = dual_out_offset(job->dk, at), dv = dual_out_offset(job->dv, at);
#define ADD(weights, factor, out, add)                                                                                 \
    weights_by_packed_rows(weights, b->ld, rows, b->count, factor, width, out, inner, add)
    ADD(s.p, x.g, dv.value, add);
    ADD(s.ds, x.q, dk.value, add);
    if (!job->tangents) return;
    ADD(s.p_t, x.g, dv.tangent, add);
    if (job->g.tangent) ADD(s.p, x.g_t, dv.tangent, 1);
    ADD(s.ds_t, x.q, dk.tangent, add);
    if (b->h.q.tangent) ADD(s.ds, x.q_t, dk.tangent, 1);
#undef ADD
}

// ---------------------------------------------------------------- items

/// All of one head.
static void gradient_head_item(void *context, long pair) {
    const gradient_job *job = context;
    float *keys = dk_scratch(DK_LOCAL_B, job->packed_floats);
    float *memory = dk_scratch(DK_LOCAL_C, square_floats(job, ATTENTION_CHUNK));
    for (long number = 0; number * ATTENTION_BLOCK < job->p->tokens; number++) {
        gradient_block b = gradient_block_at(job, pair, number);
        if (b.h.width == 0) return;
        if (number == 0) pack_keys(job, &b.h, keys);
        gradient_panels panels = pack_block(&b);
        gradient_rows rows = pack_block_rows(&b, DK_LOCAL_D);
        for (long first = 0; first < b.h.tokens; first += ATTENTION_CHUNK) {
            long end = min_long(first + ATTENTION_CHUNK, b.h.tokens);
            gradient_squares s = squares_in(memory, end - first, b.ld);
            fill_squares(&b, &panels, keys, first, end, s);
            add_to_keys(&b, rows, s, first, end - first);
        }
        store_queries(&b, &panels);
    }
}

static void gradient_pack_item(void *context, long pair) {
    const gradient_job *job = context;
    attention_head h = attention_at(job->p, job->statistics, pair);
    pack_keys(job, &h, job->packed + pair * job->packed_floats);
}

/// The squares of one block of a wave, kept for gradient_keys_item.
static void gradient_block_item(void *context, long index) {
    const gradient_job *job = context;
    long pair = index / job->wave, tokens = job->p->tokens;
    gradient_block b = gradient_block_at(job, pair, job->first_block + index % job->wave);
    if (b.h.width == 0) return;
    gradient_squares s = squares_in(job->squares + index * square_floats(job, tokens), tokens, b.ld);
    gradient_panels panels = pack_block(&b);
    for (long first = 0; first < tokens; first += ATTENTION_CHUNK)
        fill_squares(&b, &panels, job->packed + pair * job->packed_floats, first,
                     min_long(first + ATTENTION_CHUNK, tokens), squares_from(s, first * b.ld));
    store_queries(&b, &panels);
}

/// What the blocks of a wave add to a piece of the keys, in their order.
static void gradient_keys_item(void *context, long index) {
    const gradient_job *job = context;
    long pair = index / job->pieces, piece = index % job->pieces, tokens = job->p->tokens, tiles = ceil_div(tokens, MR);
    long first = tiles * piece / job->pieces * MR, end = min_long(tokens, tiles * (piece + 1) / job->pieces * MR);
    for (long number = 0; number < job->wave; number++) {
        gradient_block b = gradient_block_at(job, pair, job->first_block + number);
        if (b.h.width == 0) return;
        float *memory = job->squares + (pair * job->wave + number) * square_floats(job, tokens);
        gradient_rows rows = pack_block_rows(&b, DK_LOCAL_D);
        add_to_keys(&b, rows, squares_from(squares_in(memory, tokens, b.ld), first * b.ld), first, end - first);
    }
}

/// What is common to all items.
static gradient_job gradient_plan(const dk_attention *p, int tangents) {
    return (gradient_job){.p = p, .tangents = tangents, .packed_floats = 2 * columns_size(p->tokens, widest_head(p))};
}

/// The most blocks of a wave, where heads are too few to be items.
INLINE long wave_blocks(const dk_attention *p) {
    return min_long(ceil_div(p->tokens, ATTENTION_BLOCK), max_long(1, 4 * dk_threads() / (p->batch * p->heads)));
}

static long attention_backward_workspace(const dk_attention *p, int tangents) {
    long pairs = p->batch * p->heads;
    if (pairs <= 0 || heads_are_enough(p)) return 1;
    gradient_job job = gradient_plan(p, tangents);
    return max_long(1, pairs * (job.packed_floats + wave_blocks(p) * square_floats(&job, p->tokens)));
}

static void attention_backward(const dk_attention *p, dk_dual_in out, const float *statistics, dk_dual_in g,
                               dk_dual_out dq, dk_dual_out dk, dk_dual_out dv, float *workspace) {
    long pairs = p->batch * p->heads, blocks = ceil_div(p->tokens, ATTENTION_BLOCK);
    if (pairs <= 0 || p->tokens <= 0) return;
    gradient_job job = gradient_plan(p, dq.tangent != NULL);
    job.out = out, job.g = g, job.dq = dq, job.dk = dk, job.dv = dv;
    job.statistics = (float *)statistics;
    long work = p->batch * p->tokens * p->tokens * (p->inner + 4 * p->heads);
    if (heads_are_enough(p)) {
        dk_region(pairs, work, gradient_head_item, &job);
        return;
    }
    // Too few heads: the blocks of a wave are computed side by side, then added to pieces of the keys.
    job.squares = workspace;
    job.packed = job.squares + pairs * wave_blocks(p) * square_floats(&job, p->tokens);
    job.pieces = min_long(ceil_div(4 * dk_threads(), pairs), ceil_div(p->tokens, MR));
    dk_region(pairs, p->batch * p->tokens * p->inner, gradient_pack_item, &job);
    for (; job.first_block < blocks; job.first_block += job.wave) {
        job.wave = min_long(wave_blocks(p), blocks - job.first_block);
        dk_region(pairs * job.wave, work * job.wave / blocks, gradient_block_item, &job);
        dk_region(pairs * job.pieces, work * job.wave / blocks, gradient_keys_item, &job);
    }
}
