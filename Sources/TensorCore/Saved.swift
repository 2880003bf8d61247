/// A value with its tangent that an operation needs in its backward pass: kept until then, or, where that is cheap,
/// computed again from what is kept anyway. A value computed again lives while it is used.
enum Saved {
    case kept(Dual)
    case recomputed(() -> Dual)

    var dual: Dual {
        switch self {
        case .kept(let dual): dual
        case .recomputed(let compute): compute()
        }
    }

    var isRecomputed: Bool {
        if case .recomputed = self { return true }
        return false
    }
}
