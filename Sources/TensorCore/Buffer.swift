import CKernels
import Foundation
import Synchronization

/// A run of floats, 64-byte aligned, that goes back to the pool it came from when its last handle is dropped.
public final class Buffer: @unchecked Sendable {
    public let pointer: UnsafeMutablePointer<Float>
    public let capacity: Int
    /// What the memory belongs to when this buffer is a window into another.
    private let owner: Buffer?

    fileprivate init(address: UInt, capacity: Int) {
        // The arena hands out no null.
        self.pointer = UnsafeMutablePointer(bitPattern: address)!
        self.capacity = capacity
        self.owner = nil
    }

    /// A window of `count` floats from `offset` on; it keeps the whole alive.
    public init(windowOf owner: Buffer, offset: Int, count: Int) {
        precondition(offset >= 0 && count >= 0 && offset + count <= owner.capacity, "window outside its buffer")
        self.pointer = owner.pointer + offset
        self.capacity = count
        self.owner = owner
    }

    deinit {
        guard owner == nil else { return }
        if BufferPool.spoilsFreedMemory {
            dk_memory_permit(pointer, capacity * MemoryLayout<Float>.size)
            pointer.update(repeating: .nan, count: capacity)
        }
        BufferPool.shared.recycle(pointer, capacity: capacity)
    }
}

/// Recycles memory of float buffers, so that a training or sampling step in its steady state asks the system for none:
/// touching fresh pages costs more than many of the kernels that fill them.
///
/// Large buffers are as large as asked for and share one arena, which keeps what is idle little; small ones come in
/// size classes from blocks of their own, so that they do not break the arena into pieces.
public final class BufferPool: Sendable {
    public static let shared = BufferPool()

    private struct State {
        var arena = MemoryArena()
        /// Idle small buffers by class.
        var small: [[UInt]] = Array(repeating: [], count: BufferPool.largestSmall / BufferPool.smallStep + 1)
        /// What is left of the last block for small buffers.
        var blockStart: UInt = 0
        var blockBytes = 0
        var bytesInUse = 0
        var peakBytesInUse = 0

        mutating func allocate(_ bytes: Int) -> UInt {
            bytesInUse += bytes
            peakBytesInUse = max(peakBytesInUse, bytesInUse)
            guard bytes <= BufferPool.largestSmall else { return arena.allocate(bytes) }
            if let address = small[bytes / BufferPool.smallStep].popLast() { return address }
            if blockBytes < bytes {
                blockStart = arena.allocate(BufferPool.blockBytes)
                blockBytes = BufferPool.blockBytes
            }
            defer { (blockStart, blockBytes) = (blockStart + UInt(bytes), blockBytes - bytes) }
            return blockStart
        }

        mutating func free(_ address: UInt, _ bytes: Int) {
            bytesInUse -= bytes
            if bytes <= BufferPool.largestSmall {
                small[bytes / BufferPool.smallStep].append(address)
            } else {
                arena.free(address, bytes)
            }
        }
    }
    private let state = Mutex(State())

    /// Whether freed memory is filled with NaN, so that what is used after that shows:
    /// with DIFFPRUNE_CHECK_MEMORY set, as it is in the tests.
    static let spoilsFreedMemory = getenv("DIFFPRUNE_CHECK_MEMORY") != nil

    private static let smallStep = 256
    private static let largestSmall = 16 << 10
    private static let blockBytes = 256 << 10

    /// How many times fresh memory had to be used: constant once a loop is in its steady state.
    public var freshAllocations: Int { state.withLock { $0.arena.growths } }
    /// Bytes had from the system and not given back.
    public var bytesHeld: Int { state.withLock { $0.arena.bytesHeld } }
    /// The most bytes handed out at one time since `resetPeak()`.
    public var peakBytesInUse: Int { state.withLock { $0.peakBytesInUse } }

    public func resetPeak() { state.withLock { $0.peakBytesInUse = $0.bytesInUse } }

    /// An uninitialised buffer of at least `count` floats.
    public func buffer(count: Int) -> Buffer {
        let bytes = Self.bytes(for: count)
        let address = state.withLock { $0.allocate(bytes) }
        let buffer = Buffer(address: address, capacity: bytes / MemoryLayout<Float>.size)
        // What was rounded up is nobody's, like all that is idle.
        dk_memory_forbid(buffer.pointer, bytes)
        dk_memory_permit(buffer.pointer, max(count, 1) * MemoryLayout<Float>.size)
        return buffer
    }

    /// Gives idle memory back to the system, for when a phase ends that needed more than the next one does; the C
    /// library's too, as what was read from a file leaves it.
    public func trim() {
        state.withLock { $0.arena.trim() }
        dk_memory_trim_heap()
    }

    fileprivate func recycle(_ pointer: UnsafeMutablePointer<Float>, capacity: Int) {
        let bytes = capacity * MemoryLayout<Float>.size
        dk_memory_forbid(pointer, bytes)
        state.withLock { $0.free(UInt(bitPattern: pointer), bytes) }
    }

    private static func bytes(for count: Int) -> Int {
        let bytes = max(count, 1) * MemoryLayout<Float>.size
        let step = bytes <= largestSmall ? smallStep : MemoryArena.alignment
        return (bytes + step - 1) / step * step
    }
}
