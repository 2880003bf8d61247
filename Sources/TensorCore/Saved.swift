/// A value with its tangent that an operation needs in its backward pass: kept until then, or computed again from what
/// is kept anyway. A value computed again lives while it is used.
enum Saved {
    case kept(Dual)
    case recomputed(Recomputation)

    var dual: Dual {
        switch self {
        case .kept(let dual): dual
        case .recomputed(let recipe): recipe.compute(recipe.inputs.map(\.dual))
        }
    }

    /// What several are. Whatever more than one of them is computed from is computed once, and lives until all are.
    static func duals(of several: [Saved]) -> [Dual] {
        var known: [ObjectIdentifier: Dual] = [:]
        func dual(of saved: Saved) -> Dual {
            guard case .recomputed(let recipe) = saved else { return saved.dual }
            if let result = known[ObjectIdentifier(recipe)] { return result }
            let result = recipe.compute(recipe.inputs.map(dual))
            known[ObjectIdentifier(recipe)] = result
            return result
        }
        return several.map(dual)
    }

    var isRecomputed: Bool {
        if case .recomputed = self { return true }
        return false
    }
}

/// How a value is computed again, to the same bits.
final class Recomputation {
    /// What it is computed from, which its operation keeps anyway.
    fileprivate let inputs: [Saved]
    fileprivate let compute: ([Dual]) -> Dual
    /// Whether that costs little beside what reads the value: a pass over memory, not a product.
    let isCheap: Bool

    init(of inputs: [Saved], isCheap: Bool = true, _ compute: @escaping ([Dual]) -> Dual) {
        self.inputs = inputs
        self.isCheap = isCheap
        self.compute = compute
    }
}
