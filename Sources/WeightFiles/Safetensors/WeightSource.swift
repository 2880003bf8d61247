import Foundation

/// Named tensors to read: one safetensors file or several that an index holds together.
public protocol WeightSource: AnyObject, Sendable {
    /// The file that was opened: it stands for the source in messages.
    var url: URL { get }
    /// The files that hold the tensors.
    var files: [URL] { get }
    /// All names, in code-point order.
    var names: [String] { get }
    func contains(_ name: String) -> Bool
    /// The sizes, outermost first; empty for a scalar.
    /// - Throws: `SafetensorsError.noSuchTensor`.
    func shape(of name: String) throws -> [Int]
    /// - Throws: `SafetensorsError.noSuchTensor`.
    func elementType(of name: String) throws -> ElementType
    /// The elements in row-major order, for F32, F16, BF16 (exact) and F64 (rounded to nearest; beyond the range of
    /// Float infinite).
    /// - Throws: `SafetensorsError.noSuchTensor`, `.wrongElementType`; `StorageError` where reading fails.
    func floats(_ name: String) throws -> [Float]
    /// The elements in row-major order, for I64, I32, I16, I8, U8 and BOOL (0 and 1).
    /// - Throws: as `floats`; `SafetensorsError.invalidTensor` for a BOOL that is neither.
    func integers(_ name: String) throws -> [Int64]
}

/// Opens weights by the name a user or a pipeline folder gives.
public enum Weights {
    private static let indexSuffix = ".index.json"

    /// Opens `X.safetensors` or `X.safetensors.index.json`. Where `X.safetensors` is asked for and only its index is
    /// there, the index is opened.
    /// - Throws: `StorageError` where neither can be read, `SafetensorsError` where the contents are not valid.
    public static func open(_ url: URL) throws -> any WeightSource {
        if url.lastPathComponent.hasSuffix(indexSuffix) { return try ShardedSafetensors(index: url) }
        let index = url.deletingLastPathComponent().appendingPathComponent(url.lastPathComponent + indexSuffix)
        let manager = FileManager.default
        if !manager.fileExists(atPath: url.path), manager.fileExists(atPath: index.path) {
            return try ShardedSafetensors(index: index)
        }
        return try SafetensorsFile(contentsOf: url)
    }
}
