import Files

/// What can go wrong while a report, a table or an event file is made.
public enum ReportError: Error, Equatable, CustomStringConvertible {
    /// Bytes given as a PNG that are none. `context` says which image.
    case notPNG(context: String)
    /// A table row with more or fewer cells than there are columns.
    case wrongCellCount(row: Int, got: Int, expected: Int)
    /// A file or folder that could not be written.
    case cannotWrite(path: String, reason: String)
    /// A record was written to an event file after `close()`.
    case eventFileClosed(path: String)

    public var description: String {
        switch self {
        case .notPNG(let context):
            "\(context) is not a PNG image: expected the PNG signature and an IHDR chunk with a size of at least 1×1"
        case .wrongCellCount(let row, let got, let expected):
            "table row \(row) has \(got) cells, expected \(expected)"
        case .cannotWrite(let path, let reason):
            "cannot write \(path): \(reason)"
        case .eventFileClosed(let path):
            "cannot write \(path): the event file is closed"
        }
    }
}

extension ReportError: FileNamingError {
    package func renaming(_ old: String, to new: String) -> Self {
        guard case .cannotWrite(let path, let reason) = self else { return self }
        return .cannotWrite(path: Self.renamed(path, old, to: new), reason: reason)
    }
}
