/// Why evidence cannot be had.
public enum EvidenceError: Error, CustomStringConvertible {
    /// The calibration source, or the want of one, does not allow it.
    case missing(kind: String, hasData: Bool)
    /// A method asked for what it does not declare in its `needs`.
    case undeclared(kind: String)
    case notFinite(String)
    /// The network does not say what it makes of ones (`OnesResponding`).
    case unanswered(kind: String)

    public var description: String {
        switch self {
        case .missing(let kind, let hasData):
            hasData
                ? "the method needs \(kind), which this task's losses do not give"
                : "the method needs \(kind), and there is no data to take it from: give it data"
        case .undeclared(let kind): "the method asks for \(kind), which it does not declare"
        case .notFinite(let what):
            "\(what) is not finite: the weights or the data are broken, or the learning rate too high"
        case .unanswered(let kind): "the method needs \(kind), which this kind of network does not tell"
        }
    }
}
