import ModelFolders

extension PruningRunSettings {
    /// The share of a model's cost that will be left, by the first limit: about what a prediction then takes.
    func prunedShare(of model: Model) throws -> Double {
        try PlannedPruning(self, of: model.model, storedAs: model.weightTypes).budget.remaining
    }
}
