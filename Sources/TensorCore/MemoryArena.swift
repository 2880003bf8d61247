import CKernels

/// Hands out pieces of a few long stretches of address space. A piece goes to the first place where it fits among the
/// idle ones that were used before; only when none is large enough is memory used for the first time, beginning with
/// the idle memory before it. Idle neighbours become one, so what is held stays near the most that was in use at a
/// time, whatever sizes come and go.
struct MemoryArena {
    private static let stretchBytes = 1 << 30
    /// Pieces begin on cache lines.
    static let alignment = 64

    /// Memory that was used and is idle.
    private var idle = FreeSpans()
    /// Address space that was not used since it was reserved or given back: pages cost memory from their first use on.
    private var fresh = FreeSpans()
    /// How many times fresh memory was used.
    private(set) var growths = 0
    /// Bytes used and not given back.
    private(set) var bytesHeld = 0

    /// - Parameter bytes: a multiple of `alignment`.
    mutating func allocate(_ bytes: Int) -> UInt {
        if let address = idle.take(bytes) { return address }
        growths += 1
        for index in fresh.spans.indices {
            let start = fresh.spans[index].start
            let before = idle.last(endingAt: start)?.bytes ?? 0
            guard before + fresh.spans[index].bytes >= bytes else { continue }
            idle.remove(endingAt: start)
            fresh.take(bytes - before, at: index)
            bytesHeld += bytes - before
            return start - UInt(before)
        }
        let size = max(bytes, Self.stretchBytes)
        // Where the system counts address space as memory, only what is needed can be had.
        if let memory = dk_memory_reserve(size) {
            fresh.insert(UInt(bitPattern: memory), size)
        } else if let memory = dk_memory_reserve(bytes) {
            fresh.insert(UInt(bitPattern: memory), bytes)
        } else {
            dk_memory_exhausted(bytes)
        }
        growths -= 1
        return allocate(bytes)
    }

    mutating func free(_ address: UInt, _ bytes: Int) { idle.insert(address, bytes) }

    /// Gives idle memory back to the system.
    mutating func trim() {
        for span in idle.spans {
            dk_memory_discard(UnsafeMutableRawPointer(bitPattern: span.start), span.bytes)
            bytesHeld -= span.bytes
            fresh.insert(span.start, span.bytes)
        }
        idle.removeAll()
    }
}
