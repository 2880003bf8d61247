/// What is wrong with a study.
public enum StudyError: Error, CustomStringConvertible {
    /// A variant whose sections cannot be read.
    case badVariant(String, reason: String)
    /// A run that its configuration or the model rules out.
    case impossible(StudyCell, reason: String)
    /// A result that cannot be read back.
    case badResult(path: String, reason: String)
    /// The folder's study is another one.
    case changed(path: String, differences: [String])

    public var description: String {
        switch self {
        case .badVariant(let name, let reason): "variant '\(name)': \(reason)"
        case .impossible(let cell, let reason): "\(cell.title): \(reason)"
        case .badResult(let path, let reason): "\(path): not the result of a study's run: \(reason)"
        case .changed(let path, let differences):
            "\(path): the study there cannot be gone on with, since not all is as it was when it began: "
                + differences.prefix(4).joined(separator: "; ")
                + (differences.count > 4 ? "; and \(differences.count - 4) more" : "")
        }
    }
}
