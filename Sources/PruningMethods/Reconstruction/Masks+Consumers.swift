import Layers
import Pruning

extension PruningSpace {
    /// How many layers read its axes.
    var consumerCount: Int { Set(groups.flatMap(\.consumers).map(\.parameterIndex)).count }
}

extension Masks {
    /// The layers that lose inputs, in the order of the network's parameters, with the numbers of those inputs.
    var consumersThatLoseInputs: [(weight: Parameter, removed: Set<Int>)] {
        var order: [Int: Parameter] = [:]
        var removed: [ObjectIdentifier: Set<Int>] = [:]
        for (group, mask) in zip(space.groups, bySite) where mask.contains(0) {
            for consumer in group.consumers {
                let key = ObjectIdentifier(consumer.parameter)
                order[consumer.parameterIndex] = consumer.parameter
                removed[key, default: []].formUnion(mask.indices.filter { mask[$0] == 0 }.map { $0 + consumer.offset })
            }
        }
        return order.sorted { $0.key < $1.key }.map { ($0.value, removed[ObjectIdentifier($0.value)] ?? []) }
    }
}
