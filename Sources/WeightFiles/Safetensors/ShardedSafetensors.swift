import Files
import Foundation

/// Weights cut into several safetensors files, held together by an index: `{"weight_map": {tensor: file, …}, …}`.
///
/// Every shard is opened, so its header checked, at once; the map and the shards must name the same tensors.
public final class ShardedSafetensors: WeightSource {
    public let url: URL
    public let files: [URL]
    public let names: [String]
    private let shards: [String: SafetensorsFile]

    /// - Throws: `StorageError` where the index or a shard cannot be read; `SafetensorsError.invalidIndex` where the
    ///   index is not one, a shard's name is not that of a file beside it, or map and shards disagree.
    public init(index url: URL) throws {
        func invalid(_ reason: String) -> SafetensorsError { .invalidIndex(file: url.path, reason: reason) }

        let document = try JSONFile.read(url, limits: JSONLimits(depth: 16))
        guard let map = document["weight_map"], let entries = map.sortedMembers else {
            throw invalid("there is no object under 'weight_map'")
        }
        let folders = Self.folders(of: url)
        var files: [String: SafetensorsFile] = [:]
        var shards: [String: SafetensorsFile] = [:]
        for (name, value) in entries {
            guard let fileName = value.stringValue else {
                throw invalid("tensor \(Quoted(name)): expected the name of a file, got \(value.kind)")
            }
            let file: SafetensorsFile
            if let known = files[fileName] {
                file = known
            } else {
                guard Self.isPlain(fileName) else {
                    throw invalid(
                        "tensor \(Quoted(name)): \(Quoted(fileName)) is not the name of a file beside the index")
                }
                let shard = url.deletingLastPathComponent().appendingPathComponent(fileName)
                guard let resolved = Self.realPath(shard) else {
                    throw invalid("the file \(Quoted(fileName)), which should hold tensor \(Quoted(name)), is missing")
                }
                guard folders.contains((resolved as NSString).deletingLastPathComponent) else {
                    throw invalid("the file \(Quoted(fileName)) is a symbolic link that leads out of the folder")
                }
                file = try SafetensorsFile(contentsOf: shard)
                files[fileName] = file
            }
            guard file.contains(name) else {
                throw invalid("tensor \(Quoted(name)) should be in \(Quoted(fileName)) and is not")
            }
            shards[name] = file
        }
        for (fileName, file) in files.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            if let extra = file.names.first(where: { shards[$0] !== file }) {
                throw invalid("\(Quoted(fileName)) holds tensor \(Quoted(extra)), which the index does not place there")
            }
        }
        self.url = url
        self.files = files.values.map(\.url).sorted { $0.path < $1.path }
        self.shards = shards
        names = entries.map(\.key)
    }

    public func contains(_ name: String) -> Bool { shards[name] != nil }
    public func shape(of name: String) throws -> [Int] { try shard(name).shape(of: name) }
    public func elementType(of name: String) throws -> ElementType { try shard(name).elementType(of: name) }
    public func floats(_ name: String) throws -> [Float] { try shard(name).floats(name) }
    public func integers(_ name: String) throws -> [Int64] { try shard(name).integers(name) }

    private func shard(_ name: String) throws -> SafetensorsFile {
        guard let file = shards[name] else { throw SafetensorsError.noSuchTensor(file: url.path, name: name) }
        return file
    }

    private static func isPlain(_ name: String) -> Bool {
        !name.isEmpty && name != "." && name != ".."
            && !name.unicodeScalars.contains { $0 == "/" || $0 == "\\" || $0 == "\0" }
    }

    /// The folders a shard may lie in, links resolved: that of the index, and that of the file which the index is a
    /// link to, since the Hugging Face cache keeps an index and its shards as links into one folder.
    private static func folders(of index: URL) -> Set<String> {
        var folders: Set<String> = []
        if let folder = realPath(index.deletingLastPathComponent()) { folders.insert(folder) }
        if let file = realPath(index) { folders.insert((file as NSString).deletingLastPathComponent) }
        return folders
    }

    private static func realPath(_ url: URL) -> String? {
        guard let resolved = realpath(url.path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
