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
            asked: PruningRecord.Asked(
                quantity: limit.quantity.rawValue, value: limit.value, unit: limit.unit?.rawValue),
            achieved: PruningRecord.Achieved(
                parameters: .init(dense: Double(dense.parameterCount), pruned: Double(network.parameterCount)),
                macs: .init(dense: dense.macs, pruned: network.macs),
                channels: .init(dense: widths(dense), pruned: widths(network)),
                weights: space.kind == .weights
                    ? .init(dense: Double(space.count), pruned: Double(masks.values.count { $0 != 0 })) : nil,
                bytes: .init(dense: Double(fileBytes(of: dense)), pruned: Double(fileBytes))),
            groups: network.channelGroups.map {
                PruningRecord.Group(name: $0.name, originalWidth: $0.originalWidth, kept: $0.kept)
            }, madeBy: Provenance(command: command))
    }

    /// Bytes of the file that a network's weights are saved in.
    private func fileBytes(of network: Task.Network) -> Int {
        StoredWeights(network.parameters, as: weightTypes).bytes(of: network.parameters.map(\.fileShape))
    }

    /// Bytes of the file of what is left: of the compact one where single weights were masked.
    private var fileBytes: Int {
        guard space.kind == .weights else { return fileBytes(of: network) }
        let sites = Dictionary(
            uniqueKeysWithValues: zip(space.parameters, space.ranges).map { (ObjectIdentifier($0), $1) })
        let nonzero = network.parameters.map { parameter in
            let values = parameter.variable.value.unsafeBuffer
            guard let range = sites[ObjectIdentifier(parameter)] else { return values.count { $0 != 0 } }
            return zip(values, masks.values[range]).count { $0 != 0 && $1 != 0 }
        }
        return StoredWeights(network.parameters, as: weightTypes)
            .compactBytes(of: network.parameters.map(\.fileShape), nonzero: nonzero)
    }

    /// What the first limit counts, in words.
    var quantityName: String {
        switch context.selection.budget.limits[0].quantity {
        case .macs: "MACs"
        case .params: "parameters"
        case .bytes: "bytes"
        case .sparsity: space.kind == .weights ? "weights" : "channels"
        }
    }
}
