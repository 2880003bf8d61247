/// What LAPACK cannot do with a matrix.
public enum LinearAlgebraError: Error, Equatable, CustomStringConvertible {
    /// An iteration ran out of steps.
    case didNotConverge(routine: String, info: Int)

    public var description: String {
        switch self {
        case .didNotConverge(let routine, let info): "LAPACK's \(routine) did not converge (info = \(info))"
        }
    }
}
