import CKernels
import Synchronization

/// A run of floats, 64-byte aligned, that goes back to the pool it came from when its last handle is dropped.
public final class Buffer: @unchecked Sendable {
    public let pointer: UnsafeMutablePointer<Float>
    public let capacity: Int
    /// What the memory belongs to when this buffer is a window into another.
    private let owner: Buffer?
    private let sizeClass: Int

    fileprivate init(pointer: UnsafeMutablePointer<Float>, capacity: Int, sizeClass: Int) {
        self.pointer = pointer
        self.capacity = capacity
        self.sizeClass = sizeClass
        self.owner = nil
    }

    /// A window of `count` floats from `offset` on; it keeps the whole alive.
    public init(windowOf owner: Buffer, offset: Int, count: Int) {
        precondition(offset >= 0 && count >= 0 && offset + count <= owner.capacity, "window outside its buffer")
        self.pointer = owner.pointer + offset
        self.capacity = count
        self.sizeClass = 0
        self.owner = owner
    }

    deinit {
        if owner == nil { BufferPool.shared.recycle(pointer, sizeClass: sizeClass) }
    }
}

/// Recycles float buffers by size class, so that a training or sampling step in its steady state allocates nothing:
/// touching fresh pages costs more than many of the kernels that fill them.
public final class BufferPool: Sendable {
    public static let shared = BufferPool()

    private struct State {
        var free: [Int: [UInt]] = [:]
        var freshAllocations = 0
        var bytesHeld = 0
        var bytesInUse = 0
        var peakBytesInUse = 0
    }
    private let state = Mutex(State())

    /// How many times memory had to be asked of the system: constant once a loop is in its steady state.
    public var freshAllocations: Int { state.withLock { $0.freshAllocations } }
    /// Bytes asked of the system and not given back.
    public var bytesHeld: Int { state.withLock { $0.bytesHeld } }
    /// The most bytes handed out at one time since `resetPeak()`.
    public var peakBytesInUse: Int { state.withLock { $0.peakBytesInUse } }

    public func resetPeak() { state.withLock { $0.peakBytesInUse = $0.bytesInUse } }

    /// An uninitialised buffer of at least `count` floats.
    public func buffer(count: Int) -> Buffer {
        let sizeClass = Self.sizeClass(for: count)
        let reused: UInt? = state.withLock { state in
            state.bytesInUse += sizeClass * 4
            state.peakBytesInUse = max(state.peakBytesInUse, state.bytesInUse)
            if let address = state.free[sizeClass]?.popLast() { return address }
            state.freshAllocations += 1
            state.bytesHeld += sizeClass * 4
            return nil
        }
        let raw =
            reused.flatMap { UnsafeMutableRawPointer(bitPattern: $0) }
            ?? UnsafeMutableRawPointer.allocate(byteCount: sizeClass * 4, alignment: 64)
        return Buffer(pointer: raw.assumingMemoryBound(to: Float.self), capacity: sizeClass, sizeClass: sizeClass)
    }

    /// Gives the idle buffers back to the system.
    public func trim() {
        let idle = state.withLock { state in
            let idle = state.free
            state.free = [:]
            for (sizeClass, addresses) in idle { state.bytesHeld -= sizeClass * 4 * addresses.count }
            return idle
        }
        for addresses in idle.values {
            for address in addresses { UnsafeMutableRawPointer(bitPattern: address)?.deallocate() }
        }
    }

    fileprivate func recycle(_ pointer: UnsafeMutablePointer<Float>, sizeClass: Int) {
        state.withLock { state in
            state.bytesInUse -= sizeClass * 4
            state.free[sizeClass, default: []].append(UInt(bitPattern: pointer))
        }
    }

    /// Four classes to a power of two: at most a quarter is wasted, and nearly equal sizes share buffers.
    static func sizeClass(for count: Int) -> Int {
        let wanted = max(count, 16)
        let power = 1 << (Int.bitWidth - 1 - (wanted - 1).leadingZeroBitCount)  // largest power of two below `wanted`
        let step = max(power / 4, 16)
        return (wanted + step - 1) / step * step
    }
}
