import Files
import Foundation
import Layers
import WeightFiles

/// A model's weights on disk: one safetensors file, or shards and an index, and where weights have zeros their compact
/// form beside; perhaps variants of them, as "X.fp16.safetensors". The ordinary files are read where they are there and
/// no variant is asked for.
public struct WeightFolder {
    private let ordinary: URL
    private let sparse: URL
    private let variant: String?

    /// - Parameters:
    ///   - file: the ordinary weights, "X.safetensors".
    ///   - variant: what is read in their place.
    public init(of file: URL, variant: String? = nil) {
        ordinary = file
        sparse = file.deletingPathExtension().appendingPathExtension("sparse.safetensors")
        self.variant = variant
    }

    private enum Form {
        case file(URL)
        case index(URL)
        case sparse(URL)
    }

    // MARK: reading

    /// - Throws: `ModelFolderError` where there are none, several variants of which none was chosen, or not the one
    ///   that was; `StorageError`, `SafetensorsError`.
    public func open() throws -> any WeightSource {
        switch try form() {
        case .file(let url): try SafetensorsFile(contentsOf: url)
        case .index(let url): try ShardedSafetensors(index: url)
        case .sparse(let url): try SparseSafetensors(contentsOf: url)
        }
    }

    /// Bytes of the files that are read.
    func bytes() throws -> Int { try open().files.reduce(0) { try $0 + RegularFile($1).size } }

    func sparseBytes() throws -> Int? {
        ModelFolder.exists(sparse) ? try RegularFile(sparse).size : nil
    }

    private func form() throws -> Form {
        if let variant {
            guard let form = form(of: variant) else {
                throw ModelFolderError.noVariant(path: folder.path, got: variant, present: variants)
            }
            return form
        }
        if ModelFolder.exists(ordinary) { return .file(ordinary) }
        let index = ordinary.appendingPathExtension("index.json")
        if ModelFolder.exists(index) { return .index(index) }
        if ModelFolder.exists(sparse) { return .sparse(sparse) }
        let variants = variants
        guard variants.count <= 1 else {
            throw ModelFolderError.severalVariants(path: folder.path, variants: variants)
        }
        guard let form = variants.first.flatMap(form(of:)) else {
            throw ModelFolderError.notAModel(path: folder.path, reason: absence)
        }
        return form
    }

    // MARK: variants

    private var folder: URL { ordinary.deletingLastPathComponent() }
    /// "X" of "X.safetensors".
    private var stem: String { ordinary.deletingPathExtension().lastPathComponent }

    /// The files that a variant may be, those of today first: diffusers put the name elsewhere until 0.31.
    private func files(of variant: String) -> [(name: String, isIndex: Bool)] {
        [
            ("\(stem).\(variant).safetensors", false), ("\(stem).safetensors.index.\(variant).json", true),
            ("\(stem).safetensors.\(variant).index.json", true),
        ]
    }

    private func form(of variant: String) -> Form? {
        guard Self.isName(variant) else { return nil }
        for (name, isIndex) in files(of: variant) {
            let url = folder.appendingPathComponent(name)
            if ModelFolder.exists(url) { return isIndex ? .index(url) : .file(url) }
        }
        return nil
    }

    /// The names of all variants that are there, sorted.
    var variants: [String] {
        var found: Set<String> = []
        for file in names {
            for (beginning, end) in [
                (stem + ".", ".safetensors"), (stem + ".safetensors.index.", ".json"),
                (stem + ".safetensors.", ".index.json"),
            ] where file.hasPrefix(beginning) && file.hasSuffix(end) && file.count > beginning.count + end.count {
                let name = String(file.dropFirst(beginning.count).dropLast(end.count))
                if Self.isName(name) { found.insert(name) }
            }
        }
        return found.sorted()
    }

    /// Whether a variant can be called so: no part of a path, no shard ("fp16-00001-of-00002"), not the compact form.
    private static func isName(_ name: String) -> Bool {
        !name.isEmpty && name != "sparse" && name.wholeMatch(of: /.*-\d{5}-of-\d{5}/) == nil
            && name.utf8.allSatisfy { byte in
                (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z")
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || [0x2D, 0x5F].contains(byte)
            }
    }

    private var names: [String] { (try? FolderContents.names(folder)) ?? [] }

    /// Why there is nothing to read.
    private var absence: String {
        let missing = "there is no \(ordinary.lastPathComponent) in it"
        if let pickle = names.first(where: { ["bin", "ckpt", "pt", "pth"].contains(($0 as NSString).pathExtension) }) {
            return "there is only a pickle (\(pickle)), which is not read as it can run code; "
                + "save with safe_serialization=True"
        }
        if let other = names.first(where: { $0.hasSuffix(".safetensors") }) {
            return "\(missing), only \(other): give it that name if it holds the weights"
        }
        return missing
    }

    // MARK: writing

    /// Writes the weights as diffusers does; tensors without elements are left out.
    ///
    /// - Parameters:
    ///   - parameters: the network's.
    ///   - types: what each is stored as.
    ///   - compact: whether their compact form is written too.
    /// - Throws: `ModelFolderError.overflow` for a finite weight beyond the range of its type; `StorageError`.
    public func write(_ parameters: [Parameter], as types: WeightTypes = .float32, compact: Bool) throws {
        let tensors = try parameters.filter { $0.count > 0 }.map { parameter in
            let values = parameter.fileValues(of: parameter.variable.value)
            let type = types[parameter.name]
            guard let tensor = NamedTensor(parameter.name, shape: parameter.fileShape, floats: values, storedAs: type)
            else {
                let largest = values.filter(\.isFinite).max { $0.magnitude < $1.magnitude } ?? 0
                throw ModelFolderError.overflow(path: ordinary.path, name: parameter.name, value: largest, type: type)
            }
            return tensor
        }
        try SafetensorsWriter.write(tensors, metadata: StoredWeights.metadata, to: ordinary)
        guard compact else { return }
        let masked = Set(parameters.filter(\.isMaskable).map(\.name))
        try SparseSafetensors.write(tensors, to: sparse, leavingOutZerosOf: masked.contains)
    }
}
