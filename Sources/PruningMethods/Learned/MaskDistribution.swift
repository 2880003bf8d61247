import TensorCore

/// How a learned mask follows from its logits.
protocol MaskDistribution: Sendable {
    /// Names the state in checkpoints.
    var name: String { get }
    /// Whether masks are drawn: with as many uniform numbers in (0, 1) as there are logits.
    var isRandom: Bool { get }
    /// The mask of a training step.
    ///
    /// - Parameters:
    ///   - logits: any shape.
    ///   - uniform: as many numbers; empty where nothing is drawn.
    ///   - progress: how much of the steps before the last update is done, 0 … 1.
    func mask(_ logits: Variable, uniform: [Float], progress: Double) -> Variable
    /// The mask without noise.
    func expectedMask(_ logits: Variable, progress: Double) -> Variable
    /// How likely each mask is not zero, or how open it is: what a price is put on.
    func openness(_ logits: Variable) -> Variable
}

extension HardConcrete {
    struct Distribution: MaskDistribution {
        var name: String { "hard-concrete" }
        var isRandom: Bool { true }

        func mask(_ logits: Variable, uniform: [Float], progress: Double) -> Variable {
            HardConcrete.gate(logits, uniform: uniform)
        }

        func expectedMask(_ logits: Variable, progress: Double) -> Variable { HardConcrete.expectedGate(logits) }

        func openness(_ logits: Variable) -> Variable { HardConcrete.openProbability(logits) }
    }
}
