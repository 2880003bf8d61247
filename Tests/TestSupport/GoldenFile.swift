import Foundation
import TensorCore
import WeightFiles

/// A file of golden tensors, stored in PyTorch's layouts and read in the engine's.
package struct GoldenFile: Sendable {
    /// How a tensor's dimensions are stored, and in which order the engine wants them.
    package enum Layout: Sendable {
        /// The same in both.
        case plain
        /// [N, C, H, W] → [N, H, W, C]
        case image
        /// [out, in, kh, kw] → [kh, kw, in, out]
        case kernel
        /// [out, in] → [in, out]
        case matrix

        fileprivate var order: [Int]? {
            switch self {
            case .plain: nil
            case .image: [0, 2, 3, 1]
            case .kernel: [2, 3, 1, 0]
            case .matrix: [1, 0]
            }
        }
    }

    private let file: SafetensorsFile

    /// - Parameter path: below `Tests/Fixtures`.
    package init(_ path: String) throws { try self.init(contentsOf: Fixtures.url(path)) }

    package init(contentsOf url: URL) throws { file = try SafetensorsFile(contentsOf: url) }

    package var names: [String] { file.names }

    package func has(_ name: String) -> Bool { file.contains(name) }

    /// As stored.
    package func shape(of name: String) throws -> [Int] { try file.shape(of: name) }

    /// As stored.
    package func floats(_ name: String) throws -> [Float] { try file.floats(name) }

    /// Of any element type, as single precision.
    package func numbers(_ name: String) throws -> [Float] {
        try file.elementType(of: name).isFloatingPoint ? file.floats(name) : file.integers(name).map { Float($0) }
    }

    package func tensor(_ name: String, _ layout: Layout = .plain) throws -> Tensor {
        let shape = try file.shape(of: name)
        let tensor = Tensor(try file.floats(name), shape: shape)
        return layout.order.map { Self.permuted(tensor, $0) } ?? tensor
    }

    package func integers(_ name: String) throws -> [Int] { try file.integers(name).map { Int($0) } }

    /// Dimension i of the result is dimension `order[i]` of `tensor`.
    private static func permuted(_ tensor: Tensor, _ order: [Int]) -> Tensor {
        var strides = [Int](repeating: 1, count: order.count)
        for dimension in tensor.shape.indices.dropLast().reversed() {
            strides[dimension] = strides[dimension + 1] * tensor.shape[dimension + 1]
        }
        let shape = order.map { tensor.shape[$0] }
        let result = Tensor(uninitialized: shape)
        for flat in 0..<result.count {
            var rest = flat
            var source = 0
            for dimension in shape.indices.reversed() {
                source += rest % shape[dimension] * strides[order[dimension]]
                rest /= shape[dimension]
            }
            result.pointer[flat] = tensor.pointer[source]
        }
        return result
    }
}
