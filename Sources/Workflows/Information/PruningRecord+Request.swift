import ModelFolders
import Pruning

extension PruningRecord {
    /// What was achieved of each limit that was asked for, in the terms of the request: "macs=79.98M,bytes=1.99MB". nil
    /// where the record does not say it.
    public var achievedRequest: String? {
        guard let budget = try? Budget(parsing: request) else { return nil }
        let parts = budget.limits.map { limit -> String? in
            let change: Change? =
                switch limit.quantity {
                case .macs: achieved.macs
                case .params: achieved.parameters
                case .bytes: achieved.bytes
                case .sparsity: achieved.weights ?? achieved.channels
                }
            return change.map { limit.text(left: $0.pruned, of: $0.dense) }
        }
        return parts.contains { $0 == nil } ? nil : parts.compactMap(\.self).joined(separator: ",")
    }
}
