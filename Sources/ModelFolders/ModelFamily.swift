import Foundation

/// A kind of model on disk: its folders, in and out. A new kind is a type that conforms and a line in `ModelFamilies`.
public protocol ModelFamily: SendableMetatype {
    associatedtype Model: StoredModel

    /// What a configuration calls models of the family; the first is what is written.
    static var classNames: [String] { get }
    /// Where a folder's configuration may lie, below the folder; the first that is there counts.
    static var configurationPaths: [String] { get }
    /// Whether a configuration without the name of a class is of this family.
    static var takesUnnamed: Bool { get }

    init(_ url: URL)
    var url: URL { get }

    /// The same folder, of whose weights a variant is read, as "fp16"; nil for the ordinary ones, or the only ones.
    /// - Throws: `ModelFolderError.noVariant` where the family has no variants; where only this folder has none of the
    ///   name, reading it throws so.
    func reading(variant: String?) throws -> Self

    /// The variants of the weights that are there beside or in place of the ordinary ones.
    /// - Throws: `StorageError`.
    func variants() throws -> [String]

    /// Reads and checks everything there is.
    /// - Throws: `StorageError` and `SafetensorsError` for files that are missing or damaged,
    ///   `ModelFolderError` for contents that do not fit.
    func load() throws -> Model
    /// Writes the folder whole or not at all; one that is there is replaced.
    /// - Throws: `StorageError`.
    func save(_ model: Model) throws

    /// The weights as other programs read them. The compact form of weights with zeros (`SparseSafetensors`) has its
    /// name beside it.
    var weightsFile: URL { get throws }
    /// Bytes of the weight files that are read.
    func weightBytes() throws -> Int
}

extension ModelFamily {
    public static var takesUnnamed: Bool { false }

    public func reading(variant: String?) throws -> Self {
        guard let variant else { return self }
        throw ModelFolderError.noVariant(path: url.path, got: variant, present: [])
    }

    public func variants() throws -> [String] { [] }

    public func weightBytes() throws -> Int { try WeightFolder(of: weightsFile).bytes() }

    /// Bytes of the compact form of weights with zeros; nil where there is none.
    public func sparseWeightBytes() throws -> Int? { try WeightFolder(of: weightsFile).sparseBytes() }
}
