import Files
import Foundation
import Models

/// Writes models in the Open Neural Network Exchange format (opset 17, single precision, any batch size).
public enum ONNXFile {
    /// - Parameters:
    ///   - model: what is written.
    ///   - metadata: what the file says of itself, as `metadata_props`.
    ///   - url: the file.
    /// - Throws: `ExportError` where the format cannot hold the model; `StorageError`.
    public static func write(_ model: UNet, metadata: [(String, String)] = [], to url: URL) throws {
        let graph = UNetGraph.graph(of: model, size: model.size)
        try AtomicFile.write(graph.model(named: "unet", metadata: metadata), to: url)
    }
}
