#include "CHeap.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

static _Atomic(heap_exhaustion_handler) on_exhaustion;

void heap_on_exhaustion(heap_exhaustion_handler handler) { atomic_store(&on_exhaustion, handler); }

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define OTHER_HEAP 1
#endif
#endif

#if defined(__GLIBC__) && !defined(OTHER_HEAP)
// A program's own definitions take the place of the library's in every library it loads; glibc keeps its functions
// under these names for that, and its `free` serves both.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static void *had(void *memory, size_t bytes) {
    heap_exhaustion_handler handler = memory ? NULL : atomic_load(&on_exhaustion);
    // Of no bytes there may be none.
    if (handler && bytes > 0) handler(bytes > LONG_MAX ? LONG_MAX : (long)bytes);
    return memory;
}

void *malloc(size_t bytes) { return had(__libc_malloc(bytes), bytes); }

void *calloc(size_t count, size_t bytes) {
    size_t all;
    if (__builtin_mul_overflow(count, bytes, &all)) all = SIZE_MAX;
    return had(__libc_calloc(count, bytes), all);
}

void *realloc(void *former, size_t bytes) { return had(__libc_realloc(former, bytes), bytes); }

void *memalign(size_t alignment, size_t bytes) { return had(__libc_memalign(alignment, bytes), bytes); }

void *aligned_alloc(size_t alignment, size_t bytes) { return memalign(alignment, bytes); }

int posix_memalign(void **place, size_t alignment, size_t bytes) {
    if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0) return EINVAL;
    void *memory = memalign(alignment, bytes);
    if (!memory) return ENOMEM;
    *place = memory;
    return 0;
}
#endif
