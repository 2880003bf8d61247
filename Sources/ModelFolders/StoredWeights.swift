import Layers
import WeightFiles

/// How large the files of a network's weights are, told without writing them.
public struct StoredWeights: Sendable {
    static let metadata = ["format": "pt"]

    private let names: [String]
    private let types: [ElementType]
    /// Whether zeros of each are left out of the compact file.
    private let isMaskable: [Bool]
    private let ordinary: SafetensorsSize

    /// - Parameters:
    ///   - parameters: the network's.
    ///   - types: what each is stored as.
    public init(_ parameters: [Parameter], as types: WeightTypes) {
        names = parameters.map(\.name)
        self.types = names.map { types[$0] }
        isMaskable = parameters.map(\.isMaskable)
        ordinary = SafetensorsSize(Array(zip(names, self.types)), metadata: Self.metadata)
    }

    /// Bytes of an element of each of the parameters.
    public var elementBytes: [Int] { types.map(\.byteWidth) }

    /// Bytes of the file that `WeightFolder` writes.
    ///
    /// - Parameter shapes: in files, one a parameter; those without elements are left out.
    public func bytes(of shapes: [[Int]]) -> Int { ordinary.bytes(of: shapes) }

    /// The same beside the elements.
    ///
    /// - Parameter shapes: in files, one a parameter.
    public func overhead(of shapes: [[Int]]) -> Int { ordinary.overhead(of: shapes) }

    /// Bytes of the compact file that `WeightFolder` writes.
    ///
    /// - Parameters:
    ///   - shapes: in files, one a parameter; those without elements are left out.
    ///   - nonzero: elements of each that are not zero.
    public func compactBytes(of shapes: [[Int]], nonzero: [Int]) -> Int {
        let tensors = shapes.indices.filter { !shapes[$0].contains(0) }.map { index in
            let held = isMaskable[index] ? nonzero[index] : shapes[index].reduce(1, *)
            return (names[index], types[index], shapes[index], held)
        }
        return SparseSafetensors.bytes(of: tensors)
    }

    /// Bytes, at the most, that the compact file has beside the elements that are not zero.
    ///
    /// - Parameters:
    ///   - shapes: in files, one a parameter.
    ///   - isCompact: whether zeros of each are left out; of another all elements are counted.
    public func compactOverhead(of shapes: [[Int]], isCompact: [Bool]) -> Int {
        let indices = shapes.indices.filter { !shapes[$0].contains(0) }
        var parts: [(name: String, type: ElementType)] = []
        var extents: [[Int]] = []
        var elements = 0
        for index in indices {
            let count = shapes[index].reduce(1, *)
            if isCompact[index] {
                parts += [
                    (names[index] + ".bitmap", .u8), (names[index] + ".values", types[index]),
                    (names[index] + ".shape", .i64),
                ]
                extents += [[(count + 7) / 8], [count], [shapes[index].count]]
                elements += (count + 7) / 8 + 8 * shapes[index].count
            } else {
                parts.append((names[index], types[index]))
                extents.append(shapes[index])
                elements += count * types[index].byteWidth
            }
        }
        // With as many digits in it as if no element were zero.
        return elements + SafetensorsSize(parts, metadata: SparseSafetensors.metadata).overhead(of: extents)
    }
}
