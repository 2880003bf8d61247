// General matrix products.
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

static void gemm_rows_item(void *context, long index) {
    gemm_job *job = context;
    const dk_gemm_problem *p = job->p;
    long group = index % job->groups, chunk = index / job->groups % job->chunks;
    long problem = index / job->groups / job->chunks;
    long panels = panel_count(p->n);
    long first_panel = panels * group / job->groups, end_panel = panels * (group + 1) / job->groups;
    long tiles = ceil_div(p->m, MR);
    long first_row = tiles * chunk / job->chunks * MR, end_row = min_long(p->m, tiles * (chunk + 1) / job->chunks * MR);
    const float *a = p->a + problem * p->stride_a, *b = p->b + problem * p->stride_b;
    float *c = p->c + problem * p->stride_c;
    const float *packed = job->panels ? job->panels + (p->stride_b ? problem : 0) * job->panel_floats : NULL;
    const long segment = 0;
    long lda = p->lda;
    if (stride_conflicts(lda) && p->k >= 256 && end_panel - first_panel > 1) {
        long rows = end_row - first_row;
        float *copy = dk_scratch(DK_LOCAL_B, rows * (p->k + VL));
        for (long r = 0; r < rows; r++)
            memcpy(copy + r * (p->k + VL), a + (first_row + r) * lda, (size_t)p->k * sizeof(float));
        lda = p->k + VL;
        a = copy - first_row * lda;
    }
    for (long panel = first_panel; panel < end_panel; panel++) {
        long c0 = panel * NR, columns = min_long(NR, p->n - c0);
        const float *bp;
        long ldb = panel_width(columns);
        if (packed) {
            bp = packed + panel * NR * p->k;
        } else if (!p->transpose_b && columns == NR && p->m < 2 * MR) {
            // Too few rows to repay the packing.
            bp = b + c0;
            ldb = p->ldb;
        } else {
            float *own = dk_scratch(DK_LOCAL_A, NR * p->k);
            gemm_pack_panel(p, b, panel, own);
            bp = own;
        }
        long r = first_row;
        if (columns == tile_width(columns) && ldb == panel_width(columns)) {
            // All but what does not fill a tile of its own.
            long rows = (end_row - r) / tile_height(1) * tile_height(1);
            grid_tiles(rows, columns, a + r * lda, lda, &segment, 1, p->k, bp, p->bias ? p->bias + c0 : NULL,
                       p->accumulate, c + r * p->ldc + c0, p->ldc);
            r += rows;
        }
        for (; r < end_row; r += MR) {
            long rows = min_long(MR, end_row - r);
            row_pointer line[MR];
            tile_target target = {.bias = p->bias ? p->bias + c0 : NULL, .accumulate = p->accumulate};
            for (long i = 0; i < rows; i++) {
                line[i] = a + (r + i) * lda;
                target.out[i] = c + (r + i) * p->ldc + c0;
            }
            product_tile(rows, columns, line, &segment, 1, p->k, bp, ldb, &target);
        }
    }
}

/// op(A) = Aᵀ: items are blocks of rows of C.
static void gemm_outer_item(void *context, long index) {
    gemm_job *job = context;
    const dk_gemm_problem *p = job->p;
    long group = index % job->groups, chunk = index / job->groups % job->chunks;
    long problem = index / job->groups / job->chunks;
    long panels = panel_count(p->n);
    long first_panel = panels * group / job->groups, end_panel = panels * (group + 1) / job->groups;
    long tiles = ceil_div(p->m, MR);
    long first_tile = tiles * chunk / job->chunks, end_tile = tiles * (chunk + 1) / job->chunks;
    const float *a = p->a + problem * p->stride_a, *b = p->b + problem * p->stride_b;
    float *c = p->c + problem * p->stride_c;
    // Rows that make whole tiles are read where they are.
    int in_place = p->m % tile_height(1) == 0;
    float *rows_packed = in_place ? NULL : dk_scratch(DK_LOCAL_A, (end_tile - first_tile) * MR * GEMM_DEPTH_BLOCK + VL);
    float *panel_packed = dk_scratch(DK_LOCAL_B, NR * GEMM_DEPTH_BLOCK);
    for (long k0 = 0; k0 < p->k; k0 += GEMM_DEPTH_BLOCK) {
        long depth = min_long(GEMM_DEPTH_BLOCK, p->k - k0);
        for (long t = first_tile; t < end_tile && !in_place; t++) {
            long rows = min_long(MR, p->m - t * MR);
            float *dst = rows_packed + (t - first_tile) * MR * GEMM_DEPTH_BLOCK;
            for (long k = 0; k < depth; k++) copy_run(a + (k0 + k) * p->lda + t * MR, rows, dst + k * MR);
        }
        for (long panel = first_panel; panel < end_panel; panel++) {
            long c0 = panel * NR, columns = min_long(NR, p->n - c0);
            const float *bp = b + k0 * p->ldb + c0;
            long ldb = p->ldb;
            if (p->transpose_b || columns != panel_width(columns)) {
                if (p->transpose_b)
                    pack_panel_transposed(b + c0 * p->ldb + k0, p->ldb, depth, columns, panel_packed);
                else
                    pack_panel(bp, ldb, depth, columns, panel_packed);
                bp = panel_packed;
                ldb = panel_width(columns);
            }
            for (long t = first_tile; t < end_tile; t++) {
                long rows = min_long(MR, p->m - t * MR);
                float *out[MR];
                for (long i = 0; i < MR; i++) out[i] = c + (t * MR + min_long(i, rows - 1)) * p->ldc + c0;
                const float *lines =
                    in_place ? a + k0 * p->lda + t * MR : rows_packed + (t - first_tile) * MR * GEMM_DEPTH_BLOCK;
                outer_product_tile(rows, columns, lines, in_place ? p->lda : MR, depth, bp, ldb, out,
                                   p->accumulate || k0 > 0);
            }
        }
    }
    if (!p->bias) return;
    for (long r = first_tile * MR; r < min_long(p->m, end_tile * MR); r++)
        for (long column = first_panel * NR; column < min_long(p->n, end_panel * NR); column += VL) {
            long n = min_long(VL, p->n - column);
            float *out = c + r * p->ldc + column;
            vstore_first(out, vload_first(out, n) + vload_first(p->bias + column, n), n);
        }
}

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
