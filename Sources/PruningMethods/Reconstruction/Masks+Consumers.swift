import Layers
import Pruning

extension PruningSpace {
    /// The layers of whose inputs something may leave, in the network's order, with their numbers in the arena.
    var layersThatMayLose: [(weight: Parameter, index: Int)] {
        var layers: [Int: Parameter] = [:]
        for site in sites {
            switch site {
            case .axis(let group): for member in group.consumers { layers[member.parameterIndex] = member.parameter }
            case .weight(let weight, let index): layers[index] = weight
            }
        }
        return layers.sorted { $0.key < $1.key }.map { ($0.value, $0.key) }
    }

    /// How many losses a repair takes that goes from layer to layer, at most: all layers once as they were, then once
    /// more for each that is repaired.
    func lossCountOfRepair(from calibration: any CalibrationSource) -> Int {
        calibration.batchCount * (1 + layersThatMayLose.count)
    }
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
