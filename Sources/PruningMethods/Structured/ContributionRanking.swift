import Files
import Pruning

/// Settings of a method that ranks by `LayerContributions`.
protocol ContributionConfiguration: PrunerConfiguration {
    /// Samples of each layer from every calibration batch.
    var samplesPerBatch: Int { get }
    /// Whether weights are repaired once the channels are chosen.
    var reconstruct: Bool { get }
}

extension ContributionConfiguration {
    func validateSamples() throws {
        try require(
            (1...100_000).contains(samplesPerBatch), "samples_per_batch", got: samplesPerBatch,
            expected: "1...100000")
    }
}

/// A method that chooses channels in one update, by what each adds to the layers that read it, and then repairs the
/// weights of those layers.
protocol ContributionRanking: Pruner where Configuration: ContributionConfiguration {
    var seed: UInt64 { get }
    /// Of the channels of an axis: the lowest leave first.
    ///
    /// - Parameters:
    ///   - gram: of what they add (`LayerContributions.Value.gram`), width × width.
    ///   - width: channels.
    func scores(gram: [Double], width: Int) -> [Double]
}

extension ContributionRanking {
    var evidence: LayerContributions {
        LayerContributions(samplesPerBatch: configuration.samplesPerBatch, seed: seed)
    }

    public func plan(_ timing: PlanTiming) -> PruningPlan { .updates(1, timing, repairs: configuration.reconstruct) }

    public func lossCount(
        of stage: PruningPlan.Stage, from calibration: any CalibrationSource, in space: PruningSpace
    ) -> Int {
        switch stage {
        case .update: calibration.batchCount
        case .reconstruct: space.lossCountOfRepair(from: calibration)
        default: 0
        }
    }

    public mutating func update(
        _ masks: inout Masks, number: Int, in context: PruningContext
    ) throws -> MaskUpdateReport {
        let samples = try context.evidence(evidence, at: masks)
        let scores = try context.space.groups.map { self.scores(gram: try samples.gram(of: $0), width: $0.width) }
        let old = masks
        masks = try context.selection.masks(
            keeping: Scores(context.space, bySite: scores), remaining: context.remaining)
        return context.report(from: old, to: masks)
    }
}
