import Layers

/// What a method works on during one run.
public struct PruningContext {
    public let space: PruningSpace
    public let evidence: EvidenceSource
    public let selection: Selection
    public let timing: PlanTiming

    /// Fraction of the first limit's cost that may be left at the end.
    public var remaining: Double { selection.budget.remaining }
    public var network: any ChannelNetwork { evidence.network }

    public init(space: PruningSpace, evidence: EvidenceSource, selection: Selection, timing: PlanTiming) {
        self.space = space
        self.evidence = evidence
        self.selection = selection
        self.timing = timing
    }

    /// Compares masks before and after an update.
    public func report(
        from old: Masks, to new: Masks, energy: Double? = nil, loss: Double? = nil
    ) -> MaskUpdateReport {
        var (recovered, removed, softness) = (0, 0, 0.0)
        for (a, b) in zip(old.values, new.values) {
            if a == 0 && b > 0 { recovered += 1 }
            if a > 0 && b == 0 { removed += 1 }
            softness += Double(4 * b * (1 - b))
        }
        return MaskUpdateReport(
            energy: energy, loss: loss, density: selection.density(of: new), recovered: recovered, removed: removed,
            softness: softness / Double(max(space.count, 1)), widths: new.softWidths)
    }
}
