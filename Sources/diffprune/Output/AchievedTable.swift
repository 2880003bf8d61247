import ModelFolders
import Reports

/// What pruning achieved: dense, pruned and what is left of it, a line a quantity.
enum AchievedTable {
    /// Of a model that was pruned before, also what is left of the dense one.
    static func text(_ record: PruningRecord) throws -> String {
        guard let inAll = record.achievedInAll, let history = record.history else { return try text(record.achieved) }
        return try "of the model given, which was pruned before:\n" + text(record.achieved)
            + "of the dense model before all \(history.count + 1) prunings:\n" + text(inAll)
    }

    static func text(_ achieved: PruningRecord.Achieved) throws -> String {
        var table = TextTable(columns: [
            .init(""), .init("dense", .right), .init("pruned", .right), .init("left", .right),
        ])
        let others = [("weights", achieved.weights), ("bytes", achieved.bytes)].compactMap { name, change in
            change.map { (name, $0) }
        }
        for (name, change) in [
            ("MACs", achieved.macs), ("parameters", achieved.parameters), ("channels", achieved.channels),
        ] + others {
            try table.append([
                name, NumberText.short(change.dense), NumberText.short(change.pruned),
                NumberText.percent(change.ratio),
            ])
        }
        return table.text
    }
}
