// The two micro-kernels under every matrix product and convolution, the packing of their operands, and the epilogue.
//
// A tile is up to MR rows × NR columns of the result, held in registers while the whole inner extent is summed: each
// element is one chain of fused operations in k order starting from its bias or zero, whichever tile it falls in.

#define NR (2 * VL)

typedef const float *row_pointer;

/// Keeps the compiler from moving loads across: it would gather a step's broadcasts at its top and run out of
/// registers.
#define LOADS_STAY __asm__ volatile("" ::: "memory")

INLINE void row_tile_step(const int rows, const int width, const row_pointer *p, long k, const float *b, vf (*acc)[2]) {
    vf b0 = vload(b), b1 = width == 2 ? vload(b + VL) : (vf){0};
    UNROLL for (int i = 0; i < rows; i++) {
        vf x = vset(p[i][k]);
        acc[i][0] = vfma(x, b0, acc[i][0]);
        if (width == 2) acc[i][1] = vfma(x, b1, acc[i][1]);
        LOADS_STAY;
    }
}

/// acc[i] += Σ_k p[i][k − depth] · b[k·ldb ...], for a run of `depth` that ends at p.
INLINE void row_tile_sum(const int rows, const int width, const row_pointer *p, long depth, const float *b,
                         const long ldb, vf (*acc)[2]) {
    // One index for all rows, hidden from the optimiser, which would rather keep a pointer or two for each.
    long k = -depth;
    if (depth & 1) {
        row_tile_step(rows, width, p, k, b, acc);
        b += ldb;
        k++;
    }
    while (k < 0) {
        row_tile_step(rows, width, p, k, b, acc);
        row_tile_step(rows, width, p, k + 1, b + ldb, acc);
        b += 2 * ldb;
        k += 2;
        __asm__("" : "+r"(k));
    }
}

/// out[i][0..<width·VL] = start + Σ_s Σ_k a[i][segment[s] + k] · b[(s·depth + k)·ldb ...]; a NULL start is zeros.
INLINE void row_tile_body(const int rows, const int width, const row_pointer *a, const long *segment, long segments,
                          long depth, const float *b, const long ldb, const float *start, float *const *out) {
    vf acc[MR][2], start0 = {0}, start1 = {0};
    if (start) {
        start0 = vload(start);
        if (width == 2) start1 = vload(start + VL);
    }
    UNROLL for (int i = 0; i < rows; i++) {
        acc[i][0] = start0;
        acc[i][1] = start1;
    }
    for (long s = 0; s < segments; s++, b += depth * ldb) {
        row_pointer p[MR];
        UNROLL for (int i = 0; i < rows; i++) p[i] = a[i] + segment[s] + depth;
        row_tile_sum(rows, width, p, depth, b, ldb, acc);
    }
    UNROLL for (int i = 0; i < rows; i++) {
        vstore(out[i], acc[i][0]);
        if (width == 2) vstore(out[i] + VL, acc[i][1]);
    }
}

/// The same as row_tile_sum for VL·full + HALF columns: two rows' last half vectors share an accumulator, and b's is
/// stored twice.
INLINE void half_tile_sum(const int rows, const int full, const row_pointer *p, long depth, const float *b, vf *acc,
                          vf *tail) {
    for (long k = -depth; k < 0; k++) {
        vf b0 = full ? vload(b) : (vf){0}, b1 = vload(b + full * VL);
        UNROLL for (int i = 0; i < rows / 2; i++) {
            vf x = vset(p[2 * i][k]), y = vset(p[2 * i + 1][k]);
            if (full) {
                acc[2 * i] = vfma(x, b0, acc[2 * i]);
                acc[2 * i + 1] = vfma(y, b0, acc[2 * i + 1]);
            }
            tail[i] = vfma(vmerge(x, y), b1, tail[i]);
            LOADS_STAY;
        }
        b += (full + 1) * VL;
        __asm__("" : "+r"(k));
    }
}

/// row_tile_body for VL·full + HALF columns.
INLINE void half_tile_body(const int rows, const int full, const row_pointer *a, const long *segment, long segments,
                           long depth, const float *b, const float *start, float *const *out) {
    vf acc[MR], tail[MR / 2], start0 = {0}, start1 = {0};
    if (start) {
        if (full) start0 = vload(start);
        start1 = vload_halves(start + full * VL, start + full * VL, HALF);
    }
    UNROLL for (int i = 0; i < rows; i++) acc[i] = start0;
    UNROLL for (int i = 0; i < rows / 2; i++) tail[i] = start1;
    for (long s = 0; s < segments; s++, b += depth * (full + 1) * VL) {
        row_pointer p[MR];
        UNROLL for (int i = 0; i < rows; i++) p[i] = a[i] + segment[s] + depth;
        half_tile_sum(rows, full, p, depth, b, acc, tail);
    }
    UNROLL for (int i = 0; i < rows; i++) {
        if (full) vstore(out[i], acc[i]);
    }
    UNROLL for (int i = 0; i < rows / 2; i++) {
        vstore_halves(out[2 * i] + full * VL, out[2 * i + 1] + full * VL, tail[i], HALF);
    }
}

/// Rows that lie lda apart, and a packed panel: out[i·ldo ...] (+)= start + Σ_s Σ_k a[i·lda + segment[s] + k] ·
/// b[(s·depth + k)·width ...]. What was there is added last, as finish_rows does.
INLINE void grid_tile_body(const int rows, const int full, const int half, const float *a, long lda,
                           const long *segment, long segments, long depth, const float *b, const float *start, int add,
                           float *out, long ldo) {
    const long ldb = (full + half) * VL;
    vf acc[MR][2], alone[MR], tail[MR / 2], start0 = {0}, start1 = {0};
    if (start) {
        if (full) start0 = vload(start);
        if (half) start1 = vload_halves(start + full * VL, start + full * VL, HALF);
        if (full == 2) start1 = vload(start + VL);
    }
    UNROLL for (int i = 0; i < rows; i++) {
        acc[i][0] = alone[i] = start0;
        acc[i][1] = tail[i / 2] = start1;
    }
    for (long s = 0; s < segments; s++, b += depth * ldb) {
        row_pointer p[MR];
        UNROLL for (int i = 0; i < rows; i++) p[i] = a + i * lda + segment[s] + depth;
        if (half)
            half_tile_sum(rows, full, p, depth, b, alone, tail);
        else
            row_tile_sum(rows, full, p, depth, b, ldb, acc);
    }
    if (half) {
        UNROLL for (int i = 0; i < rows; i++) {
            if (full && add) alone[i] += vload(out + i * ldo);
            if (full) vstore(out + i * ldo, alone[i]);
        }
        UNROLL for (int i = 0; i < rows / 2; i++) {
            float *first = out + 2 * i * ldo + full * VL, *second = first + ldo;
            if (add) tail[i] += vload_halves(first, second, HALF);
            vstore_halves(first, second, tail[i], HALF);
        }
    } else {
        UNROLL for (int i = 0; i < rows; i++) {
            UNROLL for (int v = 0; v < full; v++) {
                if (add) acc[i][v] += vload(out + i * ldo + v * VL);
                vstore(out + i * ldo + v * VL, acc[i][v]);
            }
        }
    }
}

/// out[i][0..<width·VL] (+)= Σ_k a[k·lda + i] · b[k·ldb ...]
INLINE void outer_tile_body(const int rows, const int width, const float *a, long lda, long depth, const float *b,
                            long ldb, float *const *out, int add) {
    vf acc[MR][2];
    UNROLL for (int i = 0; i < rows; i++) acc[i][0] = acc[i][1] = (vf){0};
    for (long k = 0; k < depth; k++) {
        vf b0 = vload(b), b1 = width == 2 ? vload(b + VL) : (vf){0};
        UNROLL for (int i = 0; i < rows; i++) {
            vf x = vset(a[i]);
            acc[i][0] = vfma(x, b0, acc[i][0]);
            if (width == 2) acc[i][1] = vfma(x, b1, acc[i][1]);
            LOADS_STAY;
        }
        a += lda;
        b += ldb;
    }
    UNROLL for (int i = 0; i < rows; i++) {
        vf low = acc[i][0], high = acc[i][1];
        if (add) {
            low += vload(out[i]);
            if (width == 2) high += vload(out[i] + VL);
        }
        vstore(out[i], low);
        if (width == 2) vstore(out[i] + VL, high);
    }
}

// Three heights each; shorter tiles repeat a row and throw the copies away. Packed panels have a constant row length.
#define ROW_TILE(name, rows, width, ldb_value)                                                                         \
    static __attribute__((noinline)) void name(const row_pointer *a, const long *segment, long segments, long depth,   \
                                               const float *b, long ldb, const float *start, float *const *out) {      \
        (void)ldb;                                                                                                     \
        row_tile_body(rows, width, a, segment, segments, depth, b, ldb_value, start, out);                             \
    }
ROW_TILE(row_tile_3x2, MR, 2, NR)
ROW_TILE(row_tile_2x2, MR / 3 * 2, 2, NR)
ROW_TILE(row_tile_1x2, MR / 3, 2, NR)
ROW_TILE(row_tile_3x1, MR, 1, VL)
ROW_TILE(row_tile_2x1, MR / 3 * 2, 1, VL)
ROW_TILE(row_tile_1x1, MR / 3, 1, VL)
ROW_TILE(row_tile_3x2_strided, MR, 2, ldb)
ROW_TILE(row_tile_2x2_strided, MR / 3 * 2, 2, ldb)
ROW_TILE(row_tile_1x2_strided, MR / 3, 2, ldb)

#define HALF_TILE(name, rows, full)                                                                                    \
    static __attribute__((noinline)) void name(const row_pointer *a, const long *segment, long segments, long depth,   \
                                               const float *b, long ldb, const float *start, float *const *out) {      \
        (void)ldb;                                                                                                     \
        half_tile_body(rows, full, a, segment, segments, depth, b, start, out);                                        \
    }
HALF_TILE(half_tile_3x1, MR, 1)
HALF_TILE(half_tile_2x1, MR / 3 * 2, 1)
HALF_TILE(half_tile_1x1, MR / 3, 1)
HALF_TILE(half_tile_3x0, MR, 0)
HALF_TILE(half_tile_2x0, MR / 3 * 2, 0)
HALF_TILE(half_tile_1x0, MR / 3, 0)

#define GRID_TILE(name, full, half)                                                                                    \
    static __attribute__((noinline)) void name(const float *a, long lda, long rows, const long *segment,               \
                                               long segments, long depth, const float *b, const float *start, int add, \
                                               float *out, long ldo) {                                                 \
        for (; rows > MR / 3 * 2; rows -= MR, a += MR * lda, out += MR * ldo)                                          \
            grid_tile_body(MR, full, half, a, lda, segment, segments, depth, b, start, add, out, ldo);                 \
        if (rows > MR / 3)                                                                                             \
            grid_tile_body(MR / 3 * 2, full, half, a, lda, segment, segments, depth, b, start, add, out, ldo);         \
        else if (rows > 0)                                                                                             \
            grid_tile_body(MR / 3, full, half, a, lda, segment, segments, depth, b, start, add, out, ldo);             \
    }
GRID_TILE(grid_tile_0h, 0, 1)
GRID_TILE(grid_tile_1, 1, 0)
GRID_TILE(grid_tile_1h, 1, 1)
GRID_TILE(grid_tile_2, 2, 0)

#define OUTER_TILE(name, rows, width)                                                                                  \
    static __attribute__((noinline)) void name(const float *a, long lda, long depth, const float *b, long ldb,         \
                                               float *const *out, int add) {                                           \
        outer_tile_body(rows, width, a, lda, depth, b, ldb, out, add);                                                 \
    }
OUTER_TILE(outer_tile_3x2, MR, 2)
OUTER_TILE(outer_tile_2x2, MR / 3 * 2, 2)
OUTER_TILE(outer_tile_1x2, MR / 3, 2)
OUTER_TILE(outer_tile_3x1, MR, 1)
OUTER_TILE(outer_tile_2x1, MR / 3 * 2, 1)
OUTER_TILE(outer_tile_1x1, MR / 3, 1)

/// Rows that the tile for `rows` really computes.
INLINE long tile_height(long rows) { return round_up(rows, MR / 3); }

typedef void row_tile_function(const row_pointer *a, const long *segment, long segments, long depth, const float *b,
                               long ldb, const float *start, float *const *out);

/// Columns of the narrowest tile for `columns` ≤ NR of a packed panel: whole vectors and perhaps half a one.
INLINE long tile_width(long columns) { return round_up(columns, HALF); }

/// a and out must hold tile_height(rows) entries, a start `width` floats. `width` is a tile_width; only b of NR columns
/// may have an ldb that is not its panel's.
static void row_tile(long rows, long width, const row_pointer *a, const long *segment, long segments, long depth,
                     const float *b, long ldb, const float *start, float *const *out) {
    static row_tile_function *const tiles[5][3] = {
        {half_tile_1x0, half_tile_2x0, half_tile_3x0},
        {row_tile_1x1, row_tile_2x1, row_tile_3x1},
        {half_tile_1x1, half_tile_2x1, half_tile_3x1},
        {row_tile_1x2, row_tile_2x2, row_tile_3x2},
        {row_tile_1x2_strided, row_tile_2x2_strided, row_tile_3x2_strided},
    };
    long kind = width < NR || ldb == NR ? width / HALF - 1 : 4;
    tiles[kind][ceil_div(rows, MR / 3) - 1](a, segment, segments, depth, b, ldb, start, out);
}

/// out[rows, width] (+)= start + Σ_s a[rows, segment[s] ...]·b, rows lda and ldo floats apart, segments of `depth`, b a
/// packed panel, `width` a tile_width and start NULL or as many floats. All of tile_height(rows) rows are read and
/// written.
static void grid_tiles(long rows, long width, const float *a, long lda, const long *segment, long segments, long depth,
                       const float *b, const float *start, int add, float *out, long ldo) {
    static void (*const tiles[4])(const float *, long, long, const long *, long, long, const float *, const float *,
                                  int, float *, long) = {grid_tile_0h, grid_tile_1, grid_tile_1h, grid_tile_2};
    tiles[width / HALF - 1](a, lda, rows, segment, segments, depth, b, start, add, out, ldo);
}

/// a and out must reach to tile_height(rows).
static void outer_tile(long rows, long width, const float *a, long lda, long depth, const float *b, long ldb,
                       float *const *out, int add) {
    long thirds = ceil_div(rows, MR / 3);
    if (width == 2) {
        if (thirds == 3)
            outer_tile_3x2(a, lda, depth, b, ldb, out, add);
        else if (thirds == 2)
            outer_tile_2x2(a, lda, depth, b, ldb, out, add);
        else
            outer_tile_1x2(a, lda, depth, b, ldb, out, add);
    } else {
        if (thirds == 3)
            outer_tile_3x1(a, lda, depth, b, ldb, out, add);
        else if (thirds == 2)
            outer_tile_2x1(a, lda, depth, b, ldb, out, add);
        else
            outer_tile_1x1(a, lda, depth, b, ldb, out, add);
    }
}

// ---------------------------------------------------------------- epilogue

/// What is done to a tile's sums on their way to memory; pointers are at the tile's first column.
typedef struct {
    float *out[MR];
    const float *image_bias[MR];  // read only when has_image_bias
    const float *residual[MR];    // read only when has_residual
    const float *bias;            // what sums start from, or NULL
    int has_image_bias, has_residual, accumulate;
} tile_target;

INLINE int tile_is_plain(const tile_target *t) { return !t->has_image_bias && !t->has_residual && !t->accumulate; }

/// Sums rows × columns (≤ NR) of a product straight into t->out or, when there is more to do, by way of the stack.
INLINE void finish_rows(long rows, long columns, const float *tile, const tile_target *t) {
    for (long i = 0; i < rows; i++)
        for (long c = 0; c < columns; c += VL) {
            long n = min_long(VL, columns - c);
            vf v = vload(tile + i * NR + c);
            if (t->has_image_bias) v += vload_first(t->image_bias[i] + c, n);
            if (t->has_residual) v += vload_first(t->residual[i] + c, n);
            if (t->accumulate) v += vload_first(t->out[i] + c, n);
            vstore_first(t->out[i] + c, v, n);
        }
}

/// One tile of a product with rows by pointer: `columns` of it at the target's pointers.
static void product_tile(long rows, long columns, row_pointer *a, const long *segment, long segments, long depth,
                         const float *b, long ldb, tile_target *target) {
    long height = tile_height(rows), width = tile_width(columns);
    float start[NR] __attribute__((aligned(64)));
    const float *bias = target->bias;
    if (bias && columns < width) {
        for (long c = 0; c < width; c += VL)
            vstore(start + c, c < columns ? vload_first(bias + c, columns - c) : (vf){0});
        bias = start;
    }
    for (long i = rows; i < height; i++) a[i] = a[rows - 1];
    if (rows == height && columns == width && tile_is_plain(target)) {
        row_tile(rows, width, a, segment, segments, depth, b, ldb, bias, target->out);
        return;
    }
    float tile[MR * NR] __attribute__((aligned(64)));
    float *lines[MR];
    for (long i = 0; i < height; i++) lines[i] = tile + i * NR;
    row_tile(rows, width, a, segment, segments, depth, b, ldb, bias, lines);
    finish_rows(rows, columns, tile, target);
}

/// One tile of a product with rows a[k·lda + i], of which tile_height(rows) are read, added to or stored at out. b has
/// whole vectors.
static void outer_product_tile(long rows, long columns, const float *a, long lda, long depth, const float *b, long ldb,
                               float *const *out, int add) {
    long height = tile_height(rows), width = columns > VL ? 2 : 1;
    if (rows == height && columns == width * VL) {
        outer_tile(rows, width, a, lda, depth, b, ldb, out, add);
        return;
    }
    float tile[MR * NR] __attribute__((aligned(64)));
    float *lines[MR];
    for (long i = 0; i < height; i++) lines[i] = tile + i * NR;
    outer_tile(rows, width, a, lda, depth, b, ldb, lines, 0);
    for (long i = 0; i < rows; i++)
        for (long c = 0; c < columns; c += VL) {
            long n = min_long(VL, columns - c);
            vf v = vload(tile + i * NR + c);
            if (add) v += vload_first(out[i] + c, n);
            vstore_first(out[i] + c, v, n);
        }
}

// ---------------------------------------------------------------- packing
// A panel is [depth][w]: w = NR columns, or VL when no more than VL remain; missing columns are zero, except that a
// last vector of no more than HALF columns holds them twice.

INLINE long panel_count(long columns) { return ceil_div(columns, NR); }
INLINE long panel_width(long columns) { return columns > VL ? NR : VL; }

/// n columns of one row of a panel.
INLINE void pack_vector(const float *b, long n, float *dst) {
    vf v = vload_first(b, n);
    vstore(dst, n <= HALF ? vtwice(v) : v);
}

/// Rows 0..<depth of b[depth, columns], ldb apart, into dst[depth][w].
static void pack_panel(const float *b, long ldb, long depth, long columns, float *dst) {
    long w = panel_width(columns);
    for (long k = 0; k < depth; k++)
        for (long c = 0; c < w; c += VL) pack_vector(b + k * ldb + c, columns - c, dst + k * w + c);
}

/// The same from b stored transposed, [columns, depth].
static void pack_panel_transposed(const float *b, long ldb, long depth, long columns, float *dst) {
    long w = panel_width(columns);
    transpose_block(b, columns, depth, ldb, dst, w);
    if (columns == w) return;
    long last = (columns - 1) / VL * VL, rest = columns - last;
    for (long k = 0; k < depth; k++) {
        float *v = dst + k * w + last;
        for (long c = rest; c < VL; c++) v[c] = 0.0f;
        if (rest <= HALF) vstore(v, vtwice(vload(v)));
    }
}

/// `count` ≤ MR floats at src and zeros up to MR; writes up to VL floats beyond dst[MR].
INLINE void copy_run(const float *src, long count, float *dst) {
    for (long i = 0; i < MR; i += VL) {
        long n = min_long(VL, min_long(count, MR) - i);
        vstore(dst + i, n > 0 ? vload_first(src + i, n) : (vf){0});
    }
}
