import Files
import Layers

/// A network with all that its folder says of it.
public protocol StoredModel {
    associatedtype Network: ChannelNetwork

    var model: Network { get }
    /// nil for a model that was never pruned.
    var pruning: PruningRecord? { get }
    /// What the weights are stored as.
    var weightTypes: WeightTypes { get }
    /// One sentence for each oddity that was overlooked on loading.
    var warnings: [String] { get }
    /// What makes the model what it is beside weights and pruning, by the names that errors call it.
    var settings: [String: JSONValue] { get throws }
    /// What `info` says of models of this kind beside what it counts: keys as programs read them.
    var facts: [String: JSONValue] { get }
    /// The same for people: a few words under each title.
    var summary: [(title: String, text: String)] { get }
}

extension StoredModel {
    public var weightTypes: WeightTypes { .float32 }

    /// What the model is, by content: SHA-256 of its weights, its settings and its pruning record.
    ///
    /// Equal models have equal digests whatever their files: sharded or not, with defaults spelled out or left away.
    public func digests() throws -> [String: String] {
        var digests = try settings.mapValues(Self.digest)
        digests["weights"] = weightsDigest
        if var pruning {
            // When and by whom the record was written makes no other model.
            pruning.madeBy = nil
            digests["pruning record"] = try Self.digest(of: JSONValue(encoding: pruning))
        }
        return digests
    }

    private var weightsDigest: String {
        var hash = SHA256()
        for parameter in model.parameters {
            hash.update("\(parameter.name) \(parameter.fileShape)\n")
            parameter.fileValues(of: parameter.variable.value).withUnsafeBytes { hash.update($0) }
        }
        return hash.digest()
    }

    private static func digest(of value: JSONValue) throws -> String {
        var hash = SHA256()
        hash.update(try value.text(.compact))
        return hash.digest()
    }
}
