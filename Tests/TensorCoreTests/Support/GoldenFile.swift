import Foundation
import TensorCore
import WeightFiles

/// A file of golden tensors, stored in PyTorch's layouts and read in the engine's.
struct GoldenFile {
    /// How a tensor's dimensions are stored, and in which order the engine wants them.
    enum Layout {
        /// The same in both.
        case plain
        /// [N, C, H, W] → [N, H, W, C]
        case image
        /// [out, in, kh, kw] → [kh, kw, in, out]
        case kernel
        /// [out, in] → [in, out]
        case matrix

        var order: [Int]? {
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
    init(_ path: String) throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        file = try SafetensorsFile(contentsOf: tests.appendingPathComponent("Fixtures/\(path)"))
    }

    var names: [String] { file.names }

    func has(_ name: String) -> Bool { file.names.contains(name) }

    func tensor(_ name: String, _ layout: Layout = .plain) throws -> Tensor {
        let shape = try file.shape(of: name)
        let tensor = Tensor(try file.floats(name), shape: shape)
        return layout.order.map { Self.permuted(tensor, $0) } ?? tensor
    }

    func integers(_ name: String) throws -> [Int] { try file.integers(name).map { Int($0) } }

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
