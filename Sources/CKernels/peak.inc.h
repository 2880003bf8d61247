// The most multiply–adds a second that this instruction set can do: what the kernels' speed is a share of.

// Chains that do not wait for one another: enough to fill two units of a latency of four to six cycles, few enough for
// sixteen registers.
#define BURST_CHAINS 12

typedef struct {
    long rounds;
    float *sums;
} burst_job;

static void fma_burst_item(void *context, long index) {
    const burst_job *job = context;
    vf sum[BURST_CHAINS], factor = vset(0.5f), term = vset(1 + (float)index);
    UNROLL for (int c = 0; c < BURST_CHAINS; c++) sum[c] = vset((float)c);
    for (long round = 0; round < job->rounds; round++)
        UNROLL for (int c = 0; c < BURST_CHAINS; c++) sum[c] = vfma(sum[c], factor, term);
    vf all = sum[0];
    UNROLL for (int c = 1; c < BURST_CHAINS; c++) all += sum[c];
    // Kept, so that nothing can be left out.
    job->sums[index] = vsum_lanes(all);
}

static double fma_burst(long items, long rounds) {
    burst_job job = {rounds, dk_scratch(DK_SHARED_A, items)};
    dk_region(items, DK_INLINE_WORK, fma_burst_item, &job);
    return 2.0 * BURST_CHAINS * VL * (double)rounds * (double)items;
}
