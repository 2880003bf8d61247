/// What is wrong with a model folder.
public enum ModelFolderError: Error, CustomStringConvertible {
    case notAModel(path: String, reason: String)
    case unsupportedClass(path: String, got: String, expected: String)
    case configuration(path: String, reason: String)
    case missingTensor(path: String, name: String, more: Int)
    case extraTensor(path: String, name: String, more: Int)
    case wrongShape(path: String, name: String, got: [Int], expected: [Int])
    case tooFewWeights(path: String, got: Double, expected: Double)
    case notFinite(path: String, name: String)
    case duplicateGroup(path: String, name: String)

    public var description: String {
        switch self {
        case .notAModel(let path, let reason): "\(path): not a model folder: \(reason)"
        case .unsupportedClass(let path, let got, let expected):
            "\(path): the model is a '\(got)', expected \(expected)"
        case .configuration(let path, let reason): "\(path): \(reason)"
        case .missingTensor(let path, let name, let more):
            "\(path): tensor '\(name)' is missing" + Self.others(more)
        case .extraTensor(let path, let name, let more):
            "\(path): tensor '\(name)' has no place in the model that the configuration describes" + Self.others(more)
        case .wrongShape(let path, let name, let got, let expected):
            "\(path): tensor '\(name)' has shape \(got), expected \(expected)"
        case .tooFewWeights(let path, let got, let expected):
            "\(path): \(Int(got)) weights are too few for the model that the configuration describes, "
                + "which has over \(Int(expected))"
        case .notFinite(let path, let name): "\(path): tensor '\(name)' has values that are not finite"
        case .duplicateGroup(let path, let name): "\(path): channel group '\(name)' is there twice"
        }
    }

    private static func others(_ more: Int) -> String { more > 0 ? " (and \(more) more)" : "" }
}
