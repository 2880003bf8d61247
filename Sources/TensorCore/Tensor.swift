import CKernels

/// A dense, contiguous, row-major array of Float: a handle on shared memory, written once by the operation that makes
/// it. Images are `[B, H, W, C]`, token sequences `[B, T, C]`.
public struct Tensor: @unchecked Sendable {
    public let shape: [Int]
    public let count: Int
    public let buffer: Buffer

    public var pointer: UnsafeMutablePointer<Float> { buffer.pointer }

    /// Uninitialised memory of this shape.
    public init(uninitialized shape: [Int]) {
        self.shape = shape
        self.count = shape.reduce(1, *)
        self.buffer = BufferPool.shared.buffer(count: count)
    }

    public init(zeros shape: [Int]) {
        self.init(uninitialized: shape)
        dk_fill(0, pointer, count)
    }

    public init(ones shape: [Int]) {
        self.init(uninitialized: shape)
        dk_fill(1, pointer, count)
    }

    public init(_ values: [Float], shape: [Int]) {
        self.init(uninitialized: shape)
        precondition(values.count == count, "\(values.count) values for shape \(shape)")
        values.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { pointer.update(from: base, count: count) }
        }
    }

    public init(scalar value: Float) {
        self.init([value], shape: [])
    }

    /// A view of existing memory.
    public init(buffer: Buffer, shape: [Int]) {
        self.shape = shape
        self.count = shape.reduce(1, *)
        precondition(count <= buffer.capacity, "shape \(shape) does not fit a buffer of \(buffer.capacity)")
        self.buffer = buffer
    }

    /// The same memory seen with another shape of equal count.
    public func reshaped(_ shape: [Int]) -> Tensor {
        precondition(shape.reduce(1, *) == count, "cannot see \(self.shape) as \(shape)")
        return Tensor(buffer: buffer, shape: shape)
    }

    /// A view of rows `range` along the first dimension.
    public func rows(_ range: Range<Int>) -> Tensor {
        let rowCount = shape.isEmpty ? 1 : max(shape[0], 1)
        let rowSize = count / rowCount
        let window = Buffer(windowOf: buffer, offset: range.lowerBound * rowSize, count: range.count * rowSize)
        return Tensor(buffer: window, shape: [range.count] + shape.dropFirst())
    }

    public func copied() -> Tensor {
        let copy = Tensor(uninitialized: shape)
        copy.pointer.update(from: pointer, count: count)
        return copy
    }

    /// Overwrites the contents; for parameters and scratch memory, never for a value an operation has saved.
    public func assign(_ other: Tensor) {
        precondition(other.count == count, "assigning \(other.shape) to \(shape)")
        pointer.update(from: other.pointer, count: count)
    }

    public func fill(_ value: Float) { dk_fill(value, pointer, count) }

    public var array: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

    public var unsafeBuffer: UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(start: pointer, count: count)
    }

    /// The only element of a scalar.
    public var scalar: Float {
        precondition(count == 1, "scalar of a tensor of shape \(shape)")
        return pointer[0]
    }

    public var allFinite: Bool { dk_all_finite(pointer, count) != 0 }

    /// The size of the last dimension and the number of rows above it.
    var columns: Int { shape.last ?? 1 }
    var rowCount: Int { count / max(columns, 1) }
}
