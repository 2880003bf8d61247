#define _DEFAULT_SOURCE
#include "COpenBLAS.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

/// What the library and its work space take of the address space, rounded up: 128 MiB at a time, asked for again and
/// again where the system refuses.
#define NEEDED ((size_t)320 << 20)

static const char *const names[] = {
#ifdef __APPLE__
    "libopenblas.0.dylib",
    "/opt/homebrew/opt/openblas/lib/libopenblas.dylib",
    "/usr/local/opt/openblas/lib/libopenblas.dylib",
#else
    "libopenblas.so.0",
    "libopenblas.so",
#endif
};

/// Makes OpenBLAS map its work space now, while there is room for it.
static void warm_up(const openblas_routines *routines) {
    enum { side = 128 };
    double *matrix = calloc(side * side, sizeof *matrix);
    if (!matrix) return;
    routines->dgemm(openblas_row_major, openblas_no_transpose, openblas_transpose, side, side, side, 1, matrix, side,
                    matrix, side, 0, matrix, side);
    free(matrix);
}

static void *opened(const char **problem) {
    void *library = NULL;
    for (size_t i = 0; !library && i < sizeof names / sizeof *names; i++) {
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
        // The first name is the one that packages install.
        if (!library && i == 0) *problem = dlerror();
    }
    return library;
}

/// Whether the library takes a processor with AVX2 for one without: releases do with processors newer than themselves,
/// and compute several times slower.
static int is_misled(void *library) {
#ifdef __x86_64__
    const char *(*core_name)(void) = NULL;
    *(void **)&core_name = dlsym(library, "openblas_get_corename");
    const char *name = core_name ? core_name() : NULL;
    return name && strcmp(name, "Prescott") == 0 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    (void)library;
    return 0;
#endif
}

const char *openblas_load(openblas_routines *routines) {
    void *room = mmap(NULL, NEEDED, PROT_NONE, MAP_PRIVATE | MAP_ANON | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) return "it takes 320 MiB of address space, more than there is";
    munmap(room, NEEDED);
    // Read as the library is loaded. It would start a thread pool of its own beside ours.
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    setenv("OMP_NUM_THREADS", "1", 0);
    const char *problem = NULL;
    void *library = opened(&problem);
    if (library && is_misled(library)) {
        // Asked to, it takes the processor for one whose instructions it has.
        dlclose(library);
        setenv("OPENBLAS_CORETYPE", "Haswell", 0);
        library = opened(&problem);
    }
    if (!library) return problem ? problem : "it cannot be loaded";
    void *thread_setter = dlsym(library, "openblas_set_num_threads");
    *(void **)&routines->dgemm = dlsym(library, "cblas_dgemm");
    *(void **)&routines->dsyrk = dlsym(library, "cblas_dsyrk");
    *(void **)&routines->dger = dlsym(library, "cblas_dger");
    *(void **)&routines->dsyevd = dlsym(library, "dsyevd_");
    *(void **)&routines->dgelsd = dlsym(library, "dgelsd_");
    *(void **)&routines->dpotrf = dlsym(library, "dpotrf_");
    *(void **)&routines->dpotrs = dlsym(library, "dpotrs_");
    *(void **)&routines->dpotri = dlsym(library, "dpotri_");
    if (!routines->dgemm || !routines->dger || !routines->dsyevd || !routines->dgelsd) return "it lacks LAPACK";
    if (!routines->dsyrk || !routines->dpotrf || !routines->dpotrs || !routines->dpotri) return "it lacks LAPACK";
    if (thread_setter) ((void (*)(int))thread_setter)(1);
    warm_up(routines);
    return NULL;
}
