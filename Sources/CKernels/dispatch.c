// Chooses an instruction set once and forwards every public kernel to it; process-wide switches.
#include "kernel_table.h"
#include "pool.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    const dk_kernel_table *table;
} isa_path;

// Widest first.
static const isa_path paths[] = {
#ifdef DK_HAS_X86_PATHS
    {"avx512", &dk_kernels_avx512},
    {"avx2", &dk_kernels_avx2},
#endif
    {"portable", &dk_kernels_portable},
};
enum { PATHS = sizeof paths / sizeof *paths };

static _Atomic(const isa_path *) chosen;
static _Thread_local const isa_path *thread_choice;  // of dk_isa_select
static _Atomic(const char *) request_error;

static int supported(const isa_path *path) {
#ifdef DK_HAS_X86_PATHS
    __builtin_cpu_init();
    if (strcmp(path->name, "avx512") == 0)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("fma");
    if (strcmp(path->name, "avx2") == 0) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    (void)path;
    return 1;
}

static const isa_path *find(const char *name) {
    for (int i = 0; i < PATHS; i++)
        if (strcmp(paths[i].name, name) == 0) return &paths[i];
    return NULL;
}

static const isa_path *choose(void) {
    const isa_path *path = NULL;
    const char *method = getenv("DIFFPRUNE_WINOGRAD");
    if (method && *method && strcmp(method, "0") != 0 && strcmp(method, "1") != 0)
        atomic_store(&request_error, "DIFFPRUNE_WINOGRAD is neither 0 nor 1");
    const char *asked = getenv("DIFFPRUNE_ISA");
    if (asked && *asked) {
        path = find(asked);
        if (!path)
            atomic_store(&request_error, "DIFFPRUNE_ISA names no known path (expected avx512, avx2 or portable)");
        else if (!supported(path)) {
            atomic_store(&request_error, "DIFFPRUNE_ISA names a path that this processor does not support");
            path = NULL;
        }
    }
    for (int i = 0; !path && i < PATHS; i++)
        if (supported(&paths[i])) path = &paths[i];
    // Two threads may both get here; they choose the same path.
    atomic_store(&chosen, path);
    return path;
}

static inline const isa_path *current(void) {
    if (thread_choice) return thread_choice;
    const isa_path *path = atomic_load_explicit(&chosen, memory_order_acquire);
    return path ? path : choose();
}

const char *dk_isa_name(void) { return current()->name; }

const char *dk_isa_request_error(void) {
    current();
    return atomic_load(&request_error);
}

int dk_isa_select(const char *name) {
    const isa_path *path = name ? find(name) : NULL;
    if (name && (!path || !supported(path))) return -1;
    thread_choice = path;
    return 0;
}

// ---------------------------------------------------------------- parallel bodies

typedef struct {
    void (*body)(void *, long);
    void *context;
    const isa_path *choice;
} parallel_job;

/// Kernels that a body calls take the path of the thread that asked for the region.
static void parallel_item(void *context, long index) {
    const parallel_job *job = context;
    const isa_path *own = thread_choice;
    thread_choice = job->choice;
    job->body(job->context, index);
    thread_choice = own;
}

void dk_parallel(long count, void (*body)(void *context, long index), void *context) {
    parallel_job job = {body, context, thread_choice};
    dk_region(count, DK_INLINE_WORK, parallel_item, &job);
}

// ---------------------------------------------------------------- switches and kernels

static _Atomic int winograd = -1;  // not asked yet

void dk_set_winograd(int enabled) { atomic_store_explicit(&winograd, enabled != 0, memory_order_relaxed); }
int dk_winograd(void) {
    int enabled = atomic_load_explicit(&winograd, memory_order_relaxed);
    if (enabled < 0) {
        const char *asked = getenv("DIFFPRUNE_WINOGRAD");
        enabled = !(asked && strcmp(asked, "0") == 0);
        dk_set_winograd(enabled);
    }
    return enabled;
}

#define DK_FORWARD(result, name, parameters, arguments)                                                                \
    result dk_##name parameters { return current()->table->name arguments; }
DK_KERNEL_LIST(DK_FORWARD)
