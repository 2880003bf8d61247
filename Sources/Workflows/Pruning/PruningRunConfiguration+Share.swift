import ModelFolders

extension PruningRunConfiguration {
    /// The share of a model's cost that will be left, by the first limit: about what a prediction then takes.
    func prunedShare(of pipeline: Pipeline) throws -> Double {
        try PlannedPruning(self, of: pipeline.model, storedAs: pipeline.weightTypes).budget.remaining
    }
}
