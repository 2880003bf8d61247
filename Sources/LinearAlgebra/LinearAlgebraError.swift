/// What LAPACK cannot do.
public enum LinearAlgebraError: Error, Equatable, CustomStringConvertible {
    /// An iteration ran out of steps.
    case didNotConverge(routine: String, info: Int)
    /// A matrix that has to be positive definite is not.
    case notPositiveDefinite(size: Int)
    /// The library cannot be loaded.
    case unavailable(reason: String)

    public var description: String {
        switch self {
        case .didNotConverge(let routine, let info): "LAPACK's \(routine) did not converge (info = \(info))"
        case .notPositiveDefinite(let size):
            "LAPACK found a \(size) × \(size) matrix that is not positive definite"
        case .unavailable(let reason):
            "OpenBLAS, on Debian and Ubuntu the package libopenblas0, cannot be used: \(reason)"
        }
    }
}
