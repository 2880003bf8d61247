import Files
import Foundation
import Layers
import WeightFiles

/// A model's weights on disk: one safetensors file, or shards and an index, and where weights have zeros their compact
/// form beside. The ordinary files are read where they are there.
public struct WeightFolder {
    private let ordinary: URL
    private let sparse: URL

    /// - Parameter file: the ordinary weights, "X.safetensors".
    public init(of file: URL) {
        ordinary = file
        sparse = file.deletingPathExtension().appendingPathExtension("sparse.safetensors")
    }

    private var index: URL { ordinary.appendingPathExtension("index.json") }

    /// Whether there are weights in any form.
    var exists: Bool { [ordinary, index, sparse].contains(where: ModelFolder.exists) }

    /// - Throws: `StorageError`, `SafetensorsError`.
    public func open() throws -> any WeightSource {
        if !ModelFolder.exists(ordinary), !ModelFolder.exists(index), ModelFolder.exists(sparse) {
            return try SparseSafetensors(contentsOf: sparse)
        }
        return try Weights.open(ordinary)
    }

    /// Writes the weights as diffusers does; tensors without elements are left out.
    ///
    /// - Parameters:
    ///   - parameters: the network's.
    ///   - compact: whether their compact form is written too.
    /// - Throws: `StorageError`.
    public func write(_ parameters: [Parameter], compact: Bool) throws {
        let tensors = parameters.filter { $0.count > 0 }.map {
            NamedTensor($0.name, shape: $0.fileShape, floats: $0.fileValues(of: $0.variable.value))
        }
        try SafetensorsWriter.write(tensors, metadata: ["format": "pt"], to: ordinary)
        if compact { try SparseSafetensors.write(tensors, to: sparse) }
    }

    /// Bytes of the files that are read.
    func bytes() throws -> Int {
        let folder = ordinary.deletingLastPathComponent()
        let names = try FolderContents.names(folder).filter { $0.hasSuffix(".safetensors") }
        let ordinary = names.filter { $0 != sparse.lastPathComponent }
        return try (ordinary.isEmpty ? names : ordinary).reduce(0) {
            try $0 + RegularFile(folder.appendingPathComponent($1)).size
        }
    }

    func sparseBytes() throws -> Int? {
        ModelFolder.exists(sparse) ? try RegularFile(sparse).size : nil
    }
}
