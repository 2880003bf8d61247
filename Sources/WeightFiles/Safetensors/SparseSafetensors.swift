import Files
import Foundation

/// Weights with zeros in a compact form: a safetensors file in which a tensor may stand as a bitmap of its non-zero
/// elements beside their values.
///
/// `NAME.bitmap` (U8): bit i % 8 of byte i / 8, the lowest first, says whether element i, in row-major order, is not
/// zero. `NAME.values` (F32, F16 or BF16): the non-zero elements in that order. `NAME.shape` (I64). A tensor that would
/// not become smaller stands as it is. Metadata: `{"format": "diffprune-sparse", "version": "1"}`. What is read is
/// exactly what was written, but for the sign of zeros.
public final class SparseSafetensors: WeightSource {
    private static let format = "diffprune-sparse"
    private static let version = "1"
    private static let parts = [".bitmap", ".values", ".shape"]

    private let file: SafetensorsFile
    private let shapes: [String: [Int]]
    public let names: [String]

    public var url: URL { file.url }
    public var files: [URL] { file.files }

    /// Whether `url` holds weights in this form.
    public static func isOne(_ file: SafetensorsFile) -> Bool { file.metadata["format"] == format }

    /// - Throws: `SafetensorsError` for a file that is not one,
    ///   or whose bitmaps do not fit shapes and values; `StorageError`.
    public init(contentsOf url: URL) throws {
        let file = try SafetensorsFile(contentsOf: url)
        guard Self.isOne(file), file.metadata["version"] == Self.version else {
            throw SafetensorsError.invalidFile(
                file: url.path, reason: "expected the compact form '\(Self.format)', version \(Self.version)")
        }
        self.file = file
        var shapes: [String: [Int]] = [:]
        for name in file.names where name.hasSuffix(".bitmap") {
            let tensor = String(name.dropLast(".bitmap".count))
            shapes[tensor] = try Self.shape(of: tensor, in: file)
        }
        for name in file.names where !Self.isPart(name, of: shapes) {
            guard shapes.updateValue(try file.shape(of: name), forKey: name) == nil else {
                throw SafetensorsError.invalidTensor(file: url.path, name: name, reason: "it is there in two forms")
            }
        }
        self.shapes = shapes
        names = shapes.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func isPart(_ name: String, of shapes: [String: [Int]]) -> Bool {
        parts.contains { name.hasSuffix($0) && shapes[String(name.dropLast($0.count))] != nil }
    }

    /// The shape of a tensor stored as a bitmap, checked against the lengths of bitmap and values: a file of n bytes
    /// cannot claim more than 8n elements.
    private static func shape(of name: String, in file: SafetensorsFile) throws -> [Int] {
        func invalid(_ reason: String) -> SafetensorsError {
            .invalidTensor(file: file.url.path, name: name, reason: reason)
        }
        guard file.contains(name + ".values"), file.contains(name + ".shape") else {
            throw invalid("there is a bitmap, expected values and a shape beside it")
        }
        guard try file.elementType(of: name + ".bitmap") == .u8,
            try [.f32, .f16, .bf16].contains(file.elementType(of: name + ".values")),
            try file.elementType(of: name + ".shape") == .i64, try file.shape(of: name + ".shape").count == 1,
            try file.shape(of: name + ".values").count == 1, try file.shape(of: name + ".bitmap").count == 1
        else { throw invalid("expected a U8 bitmap, F32, F16 or BF16 values and an I64 shape, each in one dimension") }
        let shape = try file.integers(name + ".shape").map { Int($0) }
        let bytes = try file.shape(of: name + ".bitmap")[0]
        guard shape.allSatisfy({ $0 >= 0 }), let count = SafetensorsHeader.elementCount(of: shape),
            (count + 7) / 8 == bytes
        else { throw invalid("a bitmap of \(bytes) bytes does not fit the shape \(shape)") }
        let held = try file.shape(of: name + ".values")[0]
        guard held <= count else { throw invalid("\(held) values for \(count) elements") }
        return shape
    }

    public func contains(_ name: String) -> Bool { shapes[name] != nil }

    public func shape(of name: String) throws -> [Int] {
        guard let shape = shapes[name] else { throw SafetensorsError.noSuchTensor(file: url.path, name: name) }
        return shape
    }

    public func elementType(of name: String) throws -> ElementType {
        _ = try shape(of: name)
        return try file.elementType(of: file.contains(name) ? name : name + ".values")
    }

    public func floats(_ name: String) throws -> [Float] {
        let shape = try shape(of: name)
        guard !file.contains(name) else { return try file.floats(name) }
        let bitmap = try file.integers(name + ".bitmap")
        let values = try file.floats(name + ".values")
        let count = shape.reduce(1, *)
        var result = [Float](repeating: 0, count: count)
        var used = 0
        for index in 0..<(8 * bitmap.count) where bitmap[index / 8] >> (index % 8) & 1 == 1 {
            guard index < count, used < values.count else {
                throw SafetensorsError.invalidTensor(
                    file: url.path, name: name, reason: "its bitmap has more bits than there are values or elements")
            }
            result[index] = values[used]
            used += 1
        }
        guard used == values.count else {
            throw SafetensorsError.invalidTensor(
                file: url.path, name: name, reason: "its bitmap has \(used) bits for \(values.count) values")
        }
        return result
    }

    public func integers(_ name: String) throws -> [Int64] {
        _ = try shape(of: name)
        return try file.integers(name)
    }

    // MARK: writing

    /// How large the file is, told without its elements.
    ///
    /// - Parameter tensors: with how many of their elements are not zero.
    /// - Returns: bytes of the file that `write` makes of them.
    public static func bytes(of tensors: [(name: String, type: ElementType, shape: [Int], nonzero: Int)]) -> Int {
        var parts: [(name: String, type: ElementType)] = []
        var shapes: [[Int]] = []
        for (name, type, shape, nonzero) in tensors {
            let count = shape.reduce(1, *)
            if isCompact(count: count, nonzero: nonzero, width: type.byteWidth, dimensions: shape.count) {
                parts += [(name + ".bitmap", .u8), (name + ".values", type), (name + ".shape", .i64)]
                shapes += [[(count + 7) / 8], [nonzero], [shape.count]]
            } else {
                parts.append((name, type))
                shapes.append(shape)
            }
        }
        return SafetensorsSize(parts, metadata: metadata).bytes(of: shapes, leavingOutEmpty: false)
    }

    /// Whether a tensor is smaller with its zeros left out.
    private static func isCompact(count: Int, nonzero: Int, width: Int, dimensions: Int) -> Bool {
        (count + 7) / 8 + width * nonzero + 8 * dimensions < width * count
    }

    /// What a file of this form says of itself.
    public static var metadata: [String: String] { ["format": format, "version": version] }

    /// Writes `tensors` to `url` atomically, in the compact form where that is smaller.
    ///
    /// - Parameters:
    ///   - tensors: what is written.
    ///   - url: the file.
    ///   - mayLeaveOut: by name, whether zeros of a tensor may be left out. The form takes two more entries of the
    ///     header, which a few zeros in a small tensor are not worth.
    /// - Throws: as `SafetensorsWriter.write`; also for a name that ends like a part of the compact form.
    public static func write(
        _ tensors: [NamedTensor], to url: URL, leavingOutZerosOf mayLeaveOut: (String) -> Bool = { _ in true }
    ) throws {
        let stored = try tensors.flatMap { tensor -> [NamedTensor] in
            guard !parts.contains(where: tensor.name.hasSuffix) else {
                throw SafetensorsError.invalidTensor(
                    file: url.path, name: tensor.name, reason: "a tensor cannot have this name in the compact form")
            }
            guard mayLeaveOut(tensor.name), let (bitmap, nonzero) = tensor.elements.nonzero else { return [tensor] }
            let width = tensor.elements.elementType.byteWidth
            guard
                isCompact(
                    count: tensor.elements.count, nonzero: nonzero.count, width: width, dimensions: tensor.shape.count)
            else { return [tensor] }
            return [
                NamedTensor(tensor.name + ".bitmap", shape: [bitmap.count], bytes: bitmap),
                NamedTensor(tensor.name + ".values", shape: [nonzero.count], nonzero),
                NamedTensor(
                    tensor.name + ".shape", shape: [tensor.shape.count], integers: tensor.shape.map(Int64.init)),
            ]
        }
        try SafetensorsWriter.write(stored, metadata: metadata, to: url)
    }
}

extension NamedTensor.Elements {
    /// Which elements are not zero, a bit each, and those themselves; nil of integers.
    fileprivate var nonzero: (bitmap: [UInt8], values: NamedTensor.Elements)? {
        func parts<Value>(_ values: [Value], _ isZero: (Value) -> Bool) -> ([UInt8], [Value]) {
            var bitmap = [UInt8](repeating: 0, count: (values.count + 7) / 8)
            for (index, value) in values.enumerated() where !isZero(value) { bitmap[index / 8] |= 1 << (index % 8) }
            return (bitmap, values.filter { !isZero($0) })
        }
        switch self {
        case .floats(let values):
            let (bitmap, rest) = parts(values) { $0 == 0 }
            return (bitmap, .floats(rest))
        case .float16(let bits):
            let (bitmap, rest) = parts(bits) { $0 & 0x7FFF == 0 }
            return (bitmap, .float16(rest))
        case .bfloat16(let bits):
            let (bitmap, rest) = parts(bits) { $0 & 0x7FFF == 0 }
            return (bitmap, .bfloat16(rest))
        case .integers, .bytes: return nil
        }
    }
}
