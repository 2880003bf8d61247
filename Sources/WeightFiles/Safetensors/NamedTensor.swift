/// A tensor on its way into a file: a name, a shape (empty for a scalar) and its elements in row-major order.
public struct NamedTensor: Equatable, Sendable {
    public enum Elements: Equatable, Sendable {
        /// Written as F32.
        case floats([Float])
        /// Written as F16, by their bit patterns.
        case float16([UInt16])
        /// Written as BF16, by their bit patterns.
        case bfloat16([UInt16])
        /// Written as I64. A 64-bit counter goes in by its bit pattern: `Int64(bitPattern:)`.
        case integers([Int64])
        /// Written as U8.
        case bytes([UInt8])

        package var elementType: ElementType {
            switch self {
            case .floats: .f32
            case .float16: .f16
            case .bfloat16: .bf16
            case .integers: .i64
            case .bytes: .u8
            }
        }

        package var count: Int {
            switch self {
            case .floats(let values): values.count
            case .float16(let values), .bfloat16(let values): values.count
            case .integers(let values): values.count
            case .bytes(let values): values.count
            }
        }

        package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
            switch self {
            case .floats(let values): try values.withUnsafeBytes(body)
            case .float16(let values), .bfloat16(let values): try values.withUnsafeBytes(body)
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

    /// Numbers stored as `type`, rounded to nearest, half to even, where it is a narrower one; nil where it is not one
    /// that numbers are written as (F32, F16, BF16), or cannot hold one of them that is finite.
    public init?(_ name: String, shape: [Int], floats: [Float], storedAs type: ElementType) {
        func halves(_ convert: (Float) -> UInt16, infinity: UInt16) -> [UInt16]? {
            let bits = floats.map(convert)
            return zip(floats, bits).contains { $0.isFinite && $1 & 0x7FFF == infinity } ? nil : bits
        }
        switch type {
        case .f32: elements = .floats(floats)
        case .f16:
            guard let bits = halves(HalfPrecision.float16, infinity: 0x7C00) else { return nil }
            elements = .float16(bits)
        case .bf16:
            guard let bits = halves(HalfPrecision.bfloat16, infinity: 0x7F80) else { return nil }
            elements = .bfloat16(bits)
        default: return nil
        }
        self.name = name
        self.shape = shape
    }

    init(_ name: String, shape: [Int], _ elements: Elements) {
        self.name = name
        self.shape = shape
        self.elements = elements
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
