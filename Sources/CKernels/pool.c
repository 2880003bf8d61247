#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "pool.h"
#include "CKernels.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
typedef unsigned int float_mode;
static float_mode flush_denormals(void) {
    float_mode saved = _mm_getcsr();
    _mm_setcsr(saved | 0x8040);
    return saved;
}
static void restore_float_mode(float_mode saved) { _mm_setcsr(saved); }
static void relax(void) { _mm_pause(); }
#elif defined(__aarch64__)
typedef uint64_t float_mode;
static float_mode flush_denormals(void) {
    float_mode saved;
    __asm__ volatile("mrs %0, fpcr" : "=r"(saved));
    __asm__ volatile("msr fpcr, %0" ::"r"(saved | (1ull << 24)));
    return saved;
}
static void restore_float_mode(float_mode saved) { __asm__ volatile("msr fpcr, %0" ::"r"(saved)); }
static void relax(void) { __asm__ volatile("yield"); }
#else
typedef int float_mode;
static float_mode flush_denormals(void) { return 0; }
static void restore_float_mode(float_mode saved) { (void)saved; }
static void relax(void) {}
#endif

// ---------------------------------------------------------------- scratch

typedef struct {
    float *block[DK_SCRATCH_SLOTS];
    long capacity[DK_SCRATCH_SLOTS];
} scratch_blocks;

static _Thread_local scratch_blocks *own_scratch;
static pthread_key_t scratch_key;
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;

static void release_scratch(scratch_blocks *blocks, int slot) {
    if (blocks->block[slot]) dk_memory_release(blocks->block[slot], blocks->capacity[slot] * (long)sizeof(float));
}
static void free_scratch(void *pointer) {
    scratch_blocks *blocks = pointer;
    for (int i = 0; i < DK_SCRATCH_SLOTS; i++) release_scratch(blocks, i);
    free(blocks);
}
static void make_scratch_key(void) { pthread_key_create(&scratch_key, free_scratch); }

float *dk_scratch(dk_scratch_slot slot, long count) {
    scratch_blocks *blocks = own_scratch;
    if (!blocks) {
        pthread_once(&scratch_once, make_scratch_key);
        blocks = calloc(1, sizeof *blocks);
        if (!blocks) dk_memory_exhausted((long)sizeof *blocks);
        pthread_setspecific(scratch_key, blocks);
        own_scratch = blocks;
    }
    if (blocks->capacity[slot] < count) {
        // A quarter more than asked, so that slowly growing requests do not each map anew; what is not touched takes no
        // memory, and what is outgrown leaves none behind.
        long capacity = (count + count / 4 + 1023) / 1024 * 1024;
        release_scratch(blocks, slot);
        void *memory = dk_memory_reserve(capacity * (long)sizeof(float));
        if (!memory) dk_memory_exhausted(capacity * (long)sizeof(float));
        blocks->block[slot] = memory;
        blocks->capacity[slot] = capacity;
    }
    return blocks->block[slot];
}

// ---------------------------------------------------------------- pool
// A region's items are divided into one run for each thread. A thread takes the items of its own run first and then
// helps with the others': as long as nobody is late the same thread meets the same images in one region after the
// other, and finds them in its cache.
//
// One region at a time. `state` packs generation << 32 | open << 16 | workers inside. A worker enters an open region
// by incrementing the low bits; the owner closes it when no items are left and waits for those inside only, so that a
// worker that was asleep never delays a region that others have finished.

#define OPEN (1ull << 16)
#define INSIDE 0xffffull
#define MAX_THREADS 256
#define SPIN_NANOSECONDS 50000

static struct {
    _Alignas(128) _Atomic uint64_t state;
    _Alignas(128) long count;
    long runs;
    void (*body)(void *, long);
    void *context;
    _Alignas(128) _Atomic int sleepers;
    _Atomic int stopping;
    pthread_mutex_t sleep_lock;
    pthread_cond_t wake;
    pthread_mutex_t owner;  // held by the thread whose region is running
    int threads;            // 0 until first asked for
    int workers;            // threads really started
    pthread_t worker[MAX_THREADS];
} pool = {
    .sleep_lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .owner = PTHREAD_MUTEX_INITIALIZER
};

/// The next item of each run.
static struct {
    _Alignas(128) _Atomic long next;
} run[MAX_THREADS];

static _Thread_local int inside_region;

static int processors(void) {
    long count;
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        count = CPU_COUNT(&set);
    } else
#endif
        count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count > MAX_THREADS ? MAX_THREADS : (int)count;
}

static int64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/// The first item of a run.
static long run_start(long index) { return pool.count * index / pool.runs; }

static void take_items(long own) {
    inside_region = 1;
    for (long k = 0; k < pool.runs; k++) {
        long index = (own + k) % pool.runs, end = run_start(index + 1);
        for (long i; (i = atomic_fetch_add_explicit(&run[index].next, 1, memory_order_relaxed)) < end;)
            pool.body(pool.context, i);
    }
    inside_region = 0;
}

static int has_new_region(uint64_t state, uint64_t seen) { return (state & OPEN) && (state >> 32) != seen; }

static void sleep_until_new_region(uint64_t seen) {
    pthread_mutex_lock(&pool.sleep_lock);
    atomic_fetch_add(&pool.sleepers, 1);
    while (!has_new_region(atomic_load(&pool.state), seen) && !atomic_load(&pool.stopping))
        pthread_cond_wait(&pool.wake, &pool.sleep_lock);
    atomic_fetch_sub(&pool.sleepers, 1);
    pthread_mutex_unlock(&pool.sleep_lock);
}

/// Waits for a region that was not seen yet, awake for a while and then asleep; 0 when the pool stops.
static int wait_for_region(uint64_t seen, uint64_t *state) {
    int64_t started = 0;
    *state = atomic_load_explicit(&pool.state, memory_order_acquire);
    for (long spins = 0; !has_new_region(*state, seen); spins++) {
        if (atomic_load_explicit(&pool.stopping, memory_order_relaxed)) return 0;
        relax();
        if (spins % 64 == 63) {
            int64_t now = nanoseconds();
            if (!started) started = now;
            if (now - started > SPIN_NANOSECONDS) {
                sleep_until_new_region(seen);
                started = 0;
            }
        }
        *state = atomic_load_explicit(&pool.state, memory_order_acquire);
    }
    return 1;
}

static void *work_loop(void *argument) {
    long own = (long)(intptr_t)argument;
    flush_denormals();
    uint64_t state, seen = 0;
    while (wait_for_region(seen, &state)) {
        while (has_new_region(state, seen)) {
            if (!atomic_compare_exchange_weak_explicit(&pool.state, &state, state + 1, memory_order_acq_rel,
                                                       memory_order_acquire))
                continue;
            seen = state >> 32;
            take_items(own);
            atomic_fetch_sub_explicit(&pool.state, 1, memory_order_release);
        }
    }
    return NULL;
}

/// A worker may run a whole network's predictions; systems give other threads less stack than the first, and a limit on
/// that one's (ulimit -s) counts for all.
#define STACK_BYTES ((size_t)8 << 20)

static void start_workers(void) {
    pthread_attr_t attributes;
    size_t usual = 0;
    if (pthread_attr_init(&attributes) != 0) return;
    if (pthread_attr_getstacksize(&attributes, &usual) == 0 && usual < STACK_BYTES)
        pthread_attr_setstacksize(&attributes, STACK_BYTES);
    while (pool.workers < pool.threads - 1) {
        // Fewer threads than asked for is slower, never wrong.
        if (pthread_create(&pool.worker[pool.workers], &attributes, work_loop, (void *)(intptr_t)(pool.workers + 1)) !=
            0)
            break;
        pool.workers++;
    }
    pthread_attr_destroy(&attributes);
}

static void stop_workers(void) {
    pthread_mutex_lock(&pool.sleep_lock);
    atomic_store(&pool.stopping, 1);
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.sleep_lock);
    for (int i = 0; i < pool.workers; i++) pthread_join(pool.worker[i], NULL);
    pool.workers = 0;
    atomic_store(&pool.stopping, 0);
}

int dk_threads(void) {
    // A kernel inside an item of a region has this thread alone, and the lock is its owner's.
    if (inside_region) return 1;
    pthread_mutex_lock(&pool.owner);
    if (!pool.threads) pool.threads = processors();
    int threads = pool.threads;
    pthread_mutex_unlock(&pool.owner);
    return threads;
}

void dk_set_threads(int count) {
    if (count < 1) count = 1;
    if (count > MAX_THREADS) count = MAX_THREADS;
    pthread_mutex_lock(&pool.owner);
    if (count != pool.threads) {
        stop_workers();
        pool.threads = count;
    }
    pthread_mutex_unlock(&pool.owner);
}

static void run_in_caller(long count, void (*body)(void *, long), void *context) {
    float_mode saved = flush_denormals();
    for (long i = 0; i < count; i++) body(context, i);
    restore_float_mode(saved);
}

void dk_region(long count, long work, void (*body)(void *, long), void *context) {
    if (count <= 1 || work < DK_INLINE_WORK || inside_region || pthread_mutex_trylock(&pool.owner) != 0) {
        run_in_caller(count, body, context);
        return;
    }
    if (!pool.threads) pool.threads = processors();
    if (pool.threads == 1) {
        pthread_mutex_unlock(&pool.owner);
        run_in_caller(count, body, context);
        return;
    }
    if (pool.workers < pool.threads - 1) start_workers();
    float_mode saved = flush_denormals();
    pool.count = count;
    pool.body = body;
    pool.context = context;
    pool.runs = count < pool.threads ? count : pool.threads;
    for (long i = 0; i < pool.runs; i++) atomic_store_explicit(&run[i].next, run_start(i), memory_order_relaxed);
    uint64_t generation = (atomic_load_explicit(&pool.state, memory_order_relaxed) >> 32) + 1;
    if (generation >> 32) generation = 1;
    // Sequentially consistent against a worker's "count me asleep, then look once more".
    atomic_store(&pool.state, generation << 32 | OPEN);
    if (atomic_load(&pool.sleepers) > 0) {
        pthread_mutex_lock(&pool.sleep_lock);
        pthread_cond_broadcast(&pool.wake);
        pthread_mutex_unlock(&pool.sleep_lock);
    }
    take_items(0);
    atomic_fetch_and_explicit(&pool.state, ~OPEN, memory_order_acq_rel);
    for (long spins = 0; atomic_load_explicit(&pool.state, memory_order_acquire) & INSIDE; spins++) {
        relax();
        if (spins > 2000) sched_yield();
    }
    restore_float_mode(saved);
    pthread_mutex_unlock(&pool.owner);
}
