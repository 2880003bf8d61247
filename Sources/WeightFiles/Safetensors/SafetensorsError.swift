import Files

/// What is wrong with a file of weights, or with a request to it. Every case names the file,
/// and the tensor if it is one.
public enum SafetensorsError: Error, Equatable, CustomStringConvertible {
    case invalidFile(file: String, reason: String)
    case invalidTensor(file: String, name: String, reason: String)
    case noSuchTensor(file: String, name: String)
    case wrongElementType(file: String, name: String, got: ElementType, expected: String)
    case invalidIndex(file: String, reason: String)

    public var description: String {
        switch self {
        case .invalidFile(let file, let reason):
            "\(file): not a valid safetensors file: \(reason)"
        case .invalidTensor(let file, let name, let reason):
            "\(file): tensor \(Quoted(name)): \(reason)"
        case .noSuchTensor(let file, let name):
            "\(file): there is no tensor \(Quoted(name))"
        case .wrongElementType(let file, let name, let got, let expected):
            "\(file): tensor \(Quoted(name)): expected \(expected), got \(got.rawValue)"
        case .invalidIndex(let file, let reason):
            "\(file): not a valid index of safetensors files: \(reason)"
        }
    }
}
