/// Why a network and labelled images do not go together.
public enum ClassificationError: Error, Equatable, CustomStringConvertible {
    /// A label that is no class of the network's.
    case label(got: Int, classes: Int)
    /// Logits that are no numbers.
    case notFinite

    public var description: String {
        switch self {
        case .label(let got, let classes): "an image has label \(got); expected 0...\(classes - 1), the model's classes"
        case .notFinite: "the model's logits are not finite"
        }
    }
}
