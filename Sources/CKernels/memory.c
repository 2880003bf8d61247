#define _DEFAULT_SOURCE
#include "CKernels.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#if defined(__has_feature) && __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, bytes) ((void)(start), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(start, bytes) ((void)(start), (void)(bytes))
#endif

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif
#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

#define FRESH (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)

static _Atomic(dk_exhaustion_handler) on_exhaustion;

void dk_memory_on_exhaustion(dk_exhaustion_handler handler) { atomic_store(&on_exhaustion, handler); }

_Noreturn void dk_memory_exhausted(long bytes) {
    dk_exhaustion_handler handler = atomic_load(&on_exhaustion);
    if (handler) handler(bytes);
    fprintf(stderr, "out of memory: %ld bytes more could not be had\n", bytes);
    abort();
}

void *dk_memory_reserve(long bytes) {
    void *memory = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, FRESH, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void dk_memory_forbid(const void *start, long bytes) { ASAN_POISON_MEMORY_REGION(start, (size_t)bytes); }

void dk_memory_permit(const void *start, long bytes) { ASAN_UNPOISON_MEMORY_REGION(start, (size_t)bytes); }

void dk_memory_release(void *start, long bytes) { munmap(start, (size_t)bytes); }

void dk_memory_discard(void *start, long bytes) {
    const size_t page = 1 << 16;  // a multiple of every page size in use
    size_t first = ((size_t)start + page - 1) / page * page, end = ((size_t)start + (size_t)bytes) / page * page;
    // Mapping the range anew is the portable way to give back pages at once.
    if (first < end) mmap((void *)first, end - first, PROT_READ | PROT_WRITE, FRESH | MAP_FIXED, -1, 0);
}

void dk_memory_trim_heap(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
