/// A tensor on its way into a file: a name, a shape (empty for a scalar) and its elements in row-major order.
public struct NamedTensor: Equatable, Sendable {
    public enum Elements: Equatable, Sendable {
        /// Written as F32.
        case floats([Float])
        /// Written as I64. A 64-bit counter goes in by its bit pattern: `Int64(bitPattern:)`.
        case integers([Int64])
        /// Written as U8.
        case bytes([UInt8])

        package var elementType: ElementType {
            switch self {
            case .floats: .f32
            case .integers: .i64
            case .bytes: .u8
            }
        }

        package var count: Int {
            switch self {
            case .floats(let values): values.count
            case .integers(let values): values.count
            case .bytes(let values): values.count
            }
        }

        package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
            switch self {
            case .floats(let values): try values.withUnsafeBytes(body)
            case .integers(let values): try values.withUnsafeBytes(body)
            case .bytes(let values): try values.withUnsafeBytes(body)
            }
        }
    }

    public var name: String
    public var shape: [Int]
    public var elements: Elements

    public init(_ name: String, shape: [Int], floats: [Float]) {
        self.name = name
        self.shape = shape
        elements = .floats(floats)
    }

    public init(_ name: String, shape: [Int], integers: [Int64]) {
        self.name = name
        self.shape = shape
        elements = .integers(integers)
    }

    public init(_ name: String, shape: [Int], bytes: [UInt8]) {
        self.name = name
        self.shape = shape
        elements = .bytes(bytes)
    }
}
