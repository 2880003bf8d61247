/// Why a data set could not be read. Messages name the file or folder.
public enum DatasetError: Error, Equatable, CustomStringConvertible {
    /// There is nothing at the path, or it cannot be opened.
    case unreadable(path: String, reason: String)
    /// A folder holds nothing that is read here, or files of several kinds.
    case unknownLayout(path: String, reason: String)
    /// A file violates its format.
    case broken(file: String, reason: String)
    /// A table of classes is not one, or is not about the pictures that are there.
    case metadata(file: String, line: Int?, reason: String)
    /// The split asked for is not there.
    case noSplit(path: String, reason: String)
    /// An image differs in size from the first and no size was asked for.
    case sizesDiffer(file: String, size: String, first: String, firstSize: String)
    /// The data set would take more memory than is allowed.
    case tooLarge(path: String, reason: String)
    /// A number of the specification is out of range.
    case badOption(String)

    public var description: String {
        switch self {
        case .unreadable(let path, let reason): "cannot read the data set \(path): \(reason)"
        case .unknownLayout(let path, let reason): "cannot tell what data set \(path) is: \(reason)"
        case .broken(let file, let reason): "\(file) is damaged or not what its name says: \(reason)"
        case .metadata(let file, let line, let reason): "\(file)\(line.map { ", line \($0)" } ?? ""): \(reason)"
        case .noSplit(let path, let reason): "the data set \(path) \(reason)"
        case .sizesDiffer(let file, let size, let first, let firstSize):
            "\(file) is \(size) pixels, but \(first) is \(firstSize): give a size to bring all images to"
        case .tooLarge(let path, let reason): "the data set \(path) is too large: \(reason)"
        case .badOption(let message): message
        }
    }
}
