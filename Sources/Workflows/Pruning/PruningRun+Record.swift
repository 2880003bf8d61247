import Files
import ModelFolders

extension PruningRun {
    /// What was removed, for `pruning.json`; ratios refer to the model that was given.
    ///
    /// - Parameter command: the command line; may be empty.
    func record(command: String) throws -> PruningRecord {
        func widths(_ network: Task.Network) -> Double {
            Double(network.channelGroups.reduce(0) { $0 + $1.width })
        }
        let limit = context.selection.budget.limits[0]
        return PruningRecord(
            method: configuration.method, granularity: configuration.pruning.granularity?.rawValue,
            configuration: try configuration.yaml, seed: configuration.pruning.seed,
            target: configuration.pruning.target,
            asked: PruningRecord.Asked(quantity: limit.quantity.rawValue, value: limit.value),
            achieved: PruningRecord.Achieved(
                parameters: .init(dense: Double(dense.parameterCount), pruned: Double(network.parameterCount)),
                macs: .init(dense: dense.macs, pruned: network.macs),
                channels: .init(dense: widths(dense), pruned: widths(network)),
                weights: space.kind == .weights
                    ? .init(dense: Double(space.count), pruned: Double(masks.values.count { $0 != 0 })) : nil),
            groups: network.channelGroups.map {
                PruningRecord.Group(name: $0.name, originalWidth: $0.originalWidth, kept: $0.kept)
            }, madeBy: Provenance(command: command))
    }

    /// What the first limit counts, in words.
    var quantityName: String {
        switch context.selection.budget.limits[0].quantity {
        case .macs: "MACs"
        case .params: "parameters"
        case .sparsity: space.kind == .weights ? "weights" : "channels"
        }
    }
}
