import Files
import Layers

/// What a pruned network looks like, for loaders that do not build it over named axes: the key `pruning` of a model's
/// `config.json`. `modeling_diffprune.py`, which lies beside it, reads nothing else.
struct PrunedStructure: Codable, Equatable {
    struct Axis: Codable, Equatable {
        /// Channels before any pruning.
        var width: Int
        /// Original numbers of the channels left, as `NumberRanges` writes them.
        var kept: String
    }

    /// Every channel axis by name.
    var axes: [String: Axis]
    /// Every tensor with channels, by its name in files: for each dimension the axes that it runs over, one after the
    /// other; null where it is no channel axis. Tensors that have no elements left are not there.
    var tensors: [String: [[String]?]]
    /// The record of pruning but for its groups, which `axes` has.
    var record: PruningRecord

    init(of network: some ChannelNetwork, record: PruningRecord) {
        axes = [:]
        tensors = [:]
        for parameter in network.parameters where parameter.count > 0 {
            let dimensions = parameter.fileAxes.map { axis -> [String]? in
                guard let axis, axis.groups.contains(where: \.isPrunable) else { return nil }
                return axis.groups.map(\.name)
            }
            tensors[parameter.name] = dimensions
        }
        let groups = network.channelGroups + network.parameters.flatMap(\.fileAxes).flatMap { $0?.groups ?? [] }
        let named = Set(tensors.values.flatMap { $0.flatMap { $0 ?? [] } } + network.channelGroups.map(\.name))
        for group in groups where named.contains(group.name) {
            axes[group.name] = Axis(width: group.originalWidth, kept: NumberRanges.text(group.kept))
        }
        self.record = record
        self.record.groups = []
    }

    /// The channels left of each axis that lost some.
    /// - Throws: `SettingError` where `kept` is no list of ranges.
    func keptChannels() throws -> [String: [Int]] {
        var channels: [String: [Int]] = [:]
        for (name, axis) in axes {
            guard let kept = NumberRanges.numbers(axis.kept, below: axis.width) else {
                throw SettingError(
                    key: "pruning.axes.\(name).kept", got: "'\(axis.kept)'",
                    expected: "ascending ranges of numbers below \(axis.width), as in '0-3 5 7-8'")
            }
            if kept.count != axis.width { channels[name] = kept }
        }
        return channels
    }
}
