import Diffusion
import Runs

/// Which classes a user asks pictures of.
public enum ClassChoice: Equatable, Sendable {
    /// Picture i has class i mod the number of classes.
    case all
    /// The same for every picture.
    case one(Double)

    /// What `--class` says: "all" or a number.
    /// - Throws: `RequestError`.
    public init(option text: String) throws {
        if text == "all" {
            self = .all
        } else if let number = Double(text) {
            self = .one(number)
        } else {
            throw RequestError.invalid(option: "--class", got: "'\(text)'", expected: "all, or the number of a class")
        }
    }

    /// The classes of a model's pictures; nil for an unconditional model.
    ///
    /// - Parameter choice: nil for all classes, where they are counted.
    /// - Throws: `RequestError` where the model has no such class.
    static func resolved(_ choice: ClassChoice?, for conditioning: ClassConditioning) throws -> ImageClasses? {
        func fail(_ expected: String) -> RequestError {
            .invalid(option: "--class", got: choice?.text ?? "missing", expected: expected)
        }
        switch (conditioning, choice) {
        case (.none, nil): return nil
        case (.none, _): throw fail("none, as the model is unconditional")
        case (.vectors, _):
            throw fail("a model whose classes are numbers: this one takes a vector for each image")
        case (.numbers(let count?), nil), (.numbers(let count?), .all): return .all(count: count)
        case (.numbers(let count?), .one(let label)):
            guard label == label.rounded(), label >= 0, label < Double(count) else {
                throw fail("all, or a whole number in 0..<\(count), as the model is class-conditional")
            }
            return .one(Float(label))
        case (.numbers(nil), .one(let label)) where label.isFinite: return .one(Float(label))
        case (.numbers(nil), _):
            throw fail("a number, as the model is class-conditional and takes any (class_embed_type: timestep)")
        }
    }

    private var text: String {
        switch self {
        case .all: "all"
        case .one(let label): Int(exactly: label).map(String.init) ?? "\(label)"
        }
    }
}
