// Threads and scratch memory, shared by every kernel family and every instruction set.
#pragma once
#include <stddef.h>

/// Runs body(context, i) for every i in 0..<count, on the pool when `work` (very roughly, thirty a nanosecond of one
/// thread's time: a quarter of a product's multiply–adds) makes that worth while, else in the caller.
/// Denormals are flushed to zero in either case, so that results do not depend on where an item ran.
void dk_region(long count, long work, void (*body)(void *context, long index), void *context);

/// Work under which a region runs in the calling thread.
#define DK_INLINE_WORK 60000

/// What a piece of scratch memory is for; each thread owns one block a slot, which grows and is kept.
/// SHARED blocks belong to the thread that calls a kernel and are read by its region's items; LOCAL ones to an item.
typedef enum {
    DK_SHARED_A,
    DK_SHARED_B,
    DK_LOCAL_A,
    DK_LOCAL_B,
    DK_LOCAL_C,
    DK_LOCAL_D,
    DK_SCRATCH_SLOTS
} dk_scratch_slot;

/// At least `count` floats, 64-byte aligned; contents undefined; valid until the slot's next use in this thread.
float *dk_scratch(dk_scratch_slot slot, long count);
