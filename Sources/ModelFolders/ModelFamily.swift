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

    /// - Parameter variant: which variant of the weights is read, as "fp16"; nil for the ordinary ones, or the only ones.
    init(_ url: URL, variant: String?)
    var url: URL { get }

    /// Reads and checks everything there is.
    /// - Throws: `StorageError` and `SafetensorsError` for files that are missing or damaged, `ModelFolderError` for contents
    ///   that do not fit.
    func load() throws -> Model
    /// Writes the folder whole or not at all; one that is there is replaced.
    /// - Throws: `StorageError`.
    func save(_ model: Model) throws

    /// The weights as other programs read them. The compact form of weights with zeros (`SparseSafetensors`) has its name
    /// beside it.
    var weightsFile: URL { get throws }
    /// Bytes of the weight files that are read.
    func weightBytes() throws -> Int
}

extension ModelFamily {
    public static var takesUnnamed: Bool { false }

    /// Bytes of the compact form of weights with zeros; nil where there is none.
    public func sparseWeightBytes() throws -> Int? { try WeightFolder(of: weightsFile).sparseBytes() }
}
