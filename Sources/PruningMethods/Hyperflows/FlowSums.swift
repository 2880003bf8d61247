/// Sums of the flow over the steps of an epoch: what the gradient of the loss is on each t, pressure apart.
struct FlowSums: Codable, Equatable {
    private var pruned = 0.0
    private var prunedCount = 0
    private var live = 0.0
    private var liveCount = 0

    /// Mean |gradient| over the steps and what was pruned in them; nil where nothing was.
    var prunedMean: Double? { prunedCount > 0 ? pruned / Double(prunedCount) : nil }
    /// The same of what was there.
    var liveMean: Double? { liveCount > 0 ? live / Double(liveCount) : nil }

    /// Adds a step's.
    ///
    /// - Parameters:
    ///   - site: with the mask and the gradients of the step.
    ///   - pressure: what of each gradient is pressure.
    mutating func add(_ site: HyperflowSite, pressure: Float) {
        guard let gradient = site.t.variable.gradient else { return }
        let (mask, values) = (site.mask.unsafeBuffer, gradient.unsafeBuffer)
        var (pruned, live, liveCount) = (0.0, 0.0, 0)
        for index in values.indices {
            let size = Double(abs(values[index] - pressure))
            if mask[index] == 0 {
                pruned += size
            } else {
                live += size
                liveCount += 1
            }
        }
        self.pruned += pruned
        self.live += live
        self.liveCount += liveCount
        prunedCount += values.count - liveCount
    }
}
