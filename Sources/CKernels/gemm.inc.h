// General matrix products. The plain reference is beside its tests, KernelMatrixTests.
//
// A stored [M,K]: rows are read in place; B is packed in column panels. A stored [K,M]: MR columns of A at a time are
// packed for the outer-product kernel, K in blocks that are added in order.

#define GEMM_DEPTH_BLOCK 256  // inner extent summed at once when A is transposed
#define GEMM_ROW_CHUNK 192    // rows of one work item: a multiple of MR for every path

/// Whether rows this many floats apart fall into so few sets of a first-level cache (4 KiB a way) that a tile's rows
/// push each other out.
INLINE int stride_conflicts(long floats) { return floats % 512 == 0; }

typedef struct {
    const dk_gemm_problem *p;
    float *panels;        // packed B of every problem, or NULL when an item packs its own
    long panel_floats;    // of one problem
    long chunks, groups;  // rows and panels of a problem split so
} gemm_job;

/// Floats of all packed panels of a [depth, columns] matrix; panel p starts at p·NR·depth.
INLINE long panels_size(long depth, long columns) { return panel_count(columns) * NR * depth; }

static void gemm_pack_panel(const dk_gemm_problem *p, const float *b, long panel, float *dst) {
    long c0 = panel * NR, columns = min_long(NR, p->n - c0);
    if (p->transpose_b)
        pack_panel_transposed(b + c0 * p->ldb, p->ldb, p->k, columns, dst);
    else
        pack_panel(b + c0, p->ldb, p->k, columns, dst);
}

static void gemm_pack_item(void *context, long index) {
    gemm_job *job = context;
    long panels = panel_count(job->p->n), problem = index / panels, panel = index % panels;
    gemm_pack_panel(job->p, job->p->b + problem * job->p->stride_b, panel,
                    job->panels + problem * job->panel_floats + panel * NR * job->p->k);
}

/// What an item computes: some tiles of rows and some panels of columns of one problem.
typedef struct {
    const float *a, *b, *packed;  // the problem's; packed: its panels, or NULL
    float *c;
    long first_tile, end_tile, first_panel, end_panel;
} gemm_place;

static gemm_place gemm_place_of(const gemm_job *job, long index) {
    const dk_gemm_problem *p = job->p;
    long group = index % job->groups, chunk = index / job->groups % job->chunks;
    long problem = index / job->groups / job->chunks;
    long panels = panel_count(p->n), tiles = ceil_div(p->m, MR);
    return (gemm_place){
        .a = p->a + problem * p->stride_a,
        .b = p->b + problem * p->stride_b,
        .packed = job->panels ? job->panels + (p->stride_b ? problem : 0) * job->panel_floats : NULL,
        .c = p->c + problem * p->stride_c,
        .first_tile = tiles * chunk / job->chunks,
        .end_tile = tiles * (chunk + 1) / job->chunks,
        .first_panel = panels * group / job->groups,
        .end_panel = panels * (group + 1) / job->groups
    };
}

// ---------------------------------------------------------------- op(A) = A

/// Rows of A for every panel of an item: row r at at + r·ld.
typedef struct {
    const float *at;
    long ld, first, end;
} gemm_rows;

/// Where they lie or, where they would push each other out of the cache, in a copy.
static gemm_rows gemm_rows_of(const dk_gemm_problem *p, const gemm_place *place) {
    gemm_rows rows = {place->a, p->lda, place->first_tile * MR, min_long(p->m, place->end_tile * MR)};
    if (!stride_conflicts(p->lda) || p->k < 256 || place->end_panel - place->first_panel <= 1) return rows;
    long ld = p->k + VL;
    float *copy = dk_scratch(DK_LOCAL_B, (rows.end - rows.first) * ld);
    for (long r = rows.first; r < rows.end; r++)
        memcpy(copy + (r - rows.first) * ld, place->a + r * p->lda, (size_t)p->k * sizeof(float));
    rows.at = copy - rows.first * ld;
    rows.ld = ld;
    return rows;
}

/// A panel of B: packed beforehand, where it lies, or packed now; *ldb: floats between its rows.
static const float *gemm_panel_of(const dk_gemm_problem *p, const gemm_place *place, long panel, long *ldb) {
    long c0 = panel * NR, columns = min_long(NR, p->n - c0);
    *ldb = panel_width(columns);
    if (place->packed) return place->packed + c0 * p->k;
    if (!p->transpose_b && columns == NR && p->m < 2 * MR) {
        // Too few rows to repay the packing.
        *ldb = p->ldb;
        return place->b + c0;
    }
    float *own = dk_scratch(DK_LOCAL_A, NR * p->k);
    gemm_pack_panel(p, place->b, panel, own);
    return own;
}

static void gemm_rows_item(void *context, long index) {
    const gemm_job *job = context;
    const dk_gemm_problem *p = job->p;
    gemm_place place = gemm_place_of(job, index);
    gemm_rows rows = gemm_rows_of(p, &place);
    const long segment = 0;
    for (long panel = place.first_panel; panel < place.end_panel; panel++) {
        long c0 = panel * NR, columns = min_long(NR, p->n - c0), ldb;
        const float *b = gemm_panel_of(p, &place, panel, &ldb), *bias = p->bias ? p->bias + c0 : NULL;
        float *c = place.c + c0;
        long r = rows.first;
        if (columns == tile_width(columns) && ldb == panel_width(columns)) {
            // All but what does not fill a tile of its own.
            long count = (rows.end - r) / tile_height(1) * tile_height(1);
            grid_tiles(count, columns, rows.at + r * rows.ld, rows.ld, &segment, 1, p->k, b, bias, p->accumulate,
                       c + r * p->ldc, p->ldc);
            r += count;
        }
        for (; r < rows.end; r += MR) {
            long count = min_long(MR, rows.end - r);
            row_pointer line[MR];
            tile_target target = {.bias = bias, .accumulate = p->accumulate};
            for (long i = 0; i < count; i++) {
                line[i] = rows.at + (r + i) * rows.ld;
                target.out[i] = c + (r + i) * p->ldc;
            }
            product_tile(count, columns, line, &segment, 1, p->k, b, ldb, &target);
        }
    }
}

// ---------------------------------------------------------------- op(A) = Aᵀ

/// Rows of A for one block of the inner extent: tile t of an item's at at + t·step, its rows ld apart.
typedef struct {
    const float *at;
    long step, ld;
} gemm_lines;

/// Where they lie if they make whole tiles, else packed.
static gemm_lines gemm_lines_of(const dk_gemm_problem *p, const gemm_place *place, long k0, long depth, float *packed) {
    const float *a = place->a + k0 * p->lda + place->first_tile * MR;
    if (!packed) return (gemm_lines){a, MR, p->lda};
    for (long t = 0; t < place->end_tile - place->first_tile; t++) {
        long rows = min_long(MR, p->m - (place->first_tile + t) * MR);
        float *dst = packed + t * MR * GEMM_DEPTH_BLOCK;
        for (long k = 0; k < depth; k++) copy_run(a + k * p->lda + t * MR, rows, dst + k * MR);
    }
    return (gemm_lines){packed, MR * GEMM_DEPTH_BLOCK, MR};
}

/// The products of an item's rows with rows k0..<k0 + depth of a panel of B, added where there were some before.
static void gemm_outer_panel(const dk_gemm_problem *p, const gemm_place *place, gemm_lines lines, long k0, long depth,
                             long panel, float *packed) {
    long c0 = panel * NR, columns = min_long(NR, p->n - c0), ldb = p->ldb;
    const float *b = place->b + k0 * ldb + c0;
    if (p->transpose_b || columns != panel_width(columns)) {
        if (p->transpose_b)
            pack_panel_transposed(place->b + c0 * ldb + k0, ldb, depth, columns, packed);
        else
            pack_panel(b, ldb, depth, columns, packed);
        b = packed;
        ldb = panel_width(columns);
    }
    for (long t = place->first_tile; t < place->end_tile; t++) {
        long rows = min_long(MR, p->m - t * MR);
        float *out[MR];
        for (long i = 0; i < MR; i++) out[i] = place->c + (t * MR + min_long(i, rows - 1)) * p->ldc + c0;
        outer_product_tile(rows, columns, lines.at + (t - place->first_tile) * lines.step, lines.ld, depth, b, ldb, out,
                           p->accumulate || k0 > 0);
    }
}

static void gemm_add_bias(const dk_gemm_problem *p, const gemm_place *place) {
    long end_row = min_long(p->m, place->end_tile * MR), end_column = min_long(p->n, place->end_panel * NR);
    for (long r = place->first_tile * MR; r < end_row; r++)
        for (long column = place->first_panel * NR; column < end_column; column += VL) {
            long n = min_long(VL, p->n - column);
            float *out = place->c + r * p->ldc + column;
            vstore_first(out, vload_first(out, n) + vload_first(p->bias + column, n), n);
        }
}

static void gemm_outer_item(void *context, long index) {
    const gemm_job *job = context;
    const dk_gemm_problem *p = job->p;
    gemm_place place = gemm_place_of(job, index);
    long tiles = place.end_tile - place.first_tile;
    float *packed_rows = p->m % tile_height(1) == 0 ? NULL : dk_scratch(DK_LOCAL_A, tiles * MR * GEMM_DEPTH_BLOCK + VL);
    float *packed_panel = dk_scratch(DK_LOCAL_B, NR * GEMM_DEPTH_BLOCK);
    for (long k0 = 0; k0 < p->k; k0 += GEMM_DEPTH_BLOCK) {
        long depth = min_long(GEMM_DEPTH_BLOCK, p->k - k0);
        gemm_lines lines = gemm_lines_of(p, &place, k0, depth, packed_rows);
        for (long panel = place.first_panel; panel < place.end_panel; panel++)
            gemm_outer_panel(p, &place, lines, k0, depth, panel, packed_panel);
    }
    if (p->bias) gemm_add_bias(p, &place);
}

// ---------------------------------------------------------------- the whole product

/// K = 0: an empty sum.
static void gemm_empty(const dk_gemm_problem *p) {
    for (long problem = 0; problem < p->batch; problem++)
        for (long r = 0; r < p->m; r++)
            for (long column = 0; column < p->n; column++) {
                float *c = p->c + problem * p->stride_c + r * p->ldc + column;
                *c = (p->accumulate ? *c : 0.0f) + (p->bias ? p->bias[column] : 0.0f);
            }
}

static void gemm(const dk_gemm_problem *p) {
    if (p->m <= 0 || p->n <= 0 || p->batch <= 0) return;
    if (p->k <= 0) {
        gemm_empty(p);
        return;
    }
    long work = p->batch * p->m * p->n * p->k / 2;
    long wanted = 4 * dk_threads(), panels = panel_count(p->n);
    gemm_job job = {.p = p, .panel_floats = panels_size(p->k, p->n)};
    if (p->transpose_a) {
        job.chunks = ceil_div(p->m, GEMM_ROW_CHUNK);
        if (job.chunks * p->batch < wanted) job.chunks = min_long(ceil_div(p->m, 2 * MR), ceil_div(wanted, p->batch));
        job.groups = min_long(panels, ceil_div(wanted, job.chunks * p->batch));
        dk_region(p->batch * job.chunks * job.groups, work, gemm_outer_item, &job);
        return;
    }
    job.chunks = ceil_div(p->m, GEMM_ROW_CHUNK);
    job.groups = min_long(panels, ceil_div(wanted, job.chunks * p->batch));
    int shared_b = p->batch == 1 || p->stride_b == 0;
    // A B that several items read is packed once, ahead of them.
    if (p->packed_b) {
        job.panels = (float *)p->packed_b;
        job.panel_floats = 0;
    } else if (job.chunks > 1 || (shared_b && p->batch > 1)) {
        long problems = shared_b ? 1 : p->batch;
        job.panels = dk_scratch(DK_SHARED_A, problems * job.panel_floats);
        dk_region(problems * panels, 3 * problems * p->k * p->n, gemm_pack_item, &job);
    }
    dk_region(p->batch * job.chunks * job.groups, work, gemm_rows_item, &job);
}

static long gemm_packed_size(long k, long n) { return panels_size(k, n); }

static void gemm_pack(long k, long n, const float *b, long ldb, float *packed) {
    dk_gemm_problem problem = {.n = n, .k = k, .b = b, .ldb = ldb, .batch = 1};
    gemm_job job = {.p = &problem, .panels = packed};
    dk_region(panel_count(n), 3 * k * n, gemm_pack_item, &job);
}
