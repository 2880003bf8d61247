import TensorCore
import Training

extension Masks {
    /// 1 for every weight that is not exactly zero, 0 for the others: the masks that were baked.
    ///
    /// - Precondition: a space of weights.
    public init(nonzerosOf space: PruningSpace) {
        var values: [Float] = []
        values.reserveCapacity(space.count)
        for site in space.sites {
            guard case .weight(let parameter, _) = site else { preconditionFailure("channels are no weights") }
            values += parameter.variable.value.array.map { $0 == 0 ? 0 : 1 }
        }
        self.init(space, values)
    }

    /// The masks laid out as `arena`, 1 where no coordinate lies.
    ///
    /// - Precondition: masks of weights.
    public func flat(in arena: ParameterArena) -> Tensor {
        let flat = Tensor(ones: [arena.count])
        for (site, range) in zip(space.sites, space.ranges) {
            guard case .weight(_, let index) = site else { preconditionFailure("masks of channels are no weights") }
            arena.slice(flat, index).assign(Tensor(Array(values[range]), shape: [range.count]))
        }
        return flat
    }

    /// Multiplies the weights by their masks: what is masked becomes exactly zero.
    ///
    /// - Precondition: masks of weights.
    public func bake(into arena: ParameterArena) {
        let flat = flat(in: arena)
        for index in 0..<flat.count { arena.values.pointer[index] *= flat.pointer[index] }
    }
}
