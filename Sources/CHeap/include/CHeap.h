#pragma once

// The C library's heap, which tells where it has nothing left. Swift and Foundation end the process by a trap where
// they get no memory; this is where a program can end in good order before they do. Linked into the command line alone.

/// Called with the bytes asked for; ends the process, or returns to let the caller have its null.
typedef void (*heap_exhaustion_handler)(long bytes);

/// Sets what is called from now on, on whatever thread asks. Without effect where the C library is not glibc, and in
/// builds for a sanitizer, which have heaps of their own.
void heap_on_exhaustion(heap_exhaustion_handler handler);
