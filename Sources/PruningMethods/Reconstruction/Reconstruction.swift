/// Whether and how the weights of what is left are repaired once masks are decided, before anything is removed.
public enum Reconstruction: String, Codable, Sendable, CaseIterable {
    /// As the method does it by itself, if at all.
    case none
    /// By `RidgeCompensation`, in place of what the method does: of channels.
    case ridge
    /// By `LeastSquaresRepair`, in place of what the method does.
    case leastSquares = "least-squares"

    /// nil where the method does it by itself.
    public var repair: (any WeightRepair.Type)? {
        switch self {
        case .none: nil
        case .ridge: RidgeCompensation.self
        case .leastSquares: LeastSquaresRepair.self
        }
    }
}
