/// What keeps a model from being exported.
public enum ExportError: Error, CustomStringConvertible {
    case tooLarge(bytes: Int)

    public var description: String {
        switch self {
        case .tooLarge(let bytes):
            "the model takes \(bytes) bytes as ONNX, expected less than 2147483648, which is all that its format holds"
        }
    }
}
