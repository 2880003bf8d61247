import Pruning
import TensorCore
import Training

/// Training only what masks leave: a channel whose mask is zero takes no part in the steps, which then take less time.
///
/// A masked channel is as good as a removed one, so the steps are those of the whole network under the masks, but for
/// rounding. What is at zero keeps its weights, and comes back with them and without momentum.
extension PruningRun {
    /// The part of the network that has a mask above zero.
    struct LivePart {
        let compaction: Compaction<Task.Network>
        /// What it has that can be masked.
        let space: PruningSpace
        /// The coordinates of the whole network's masks that those of `space` are, in its order.
        let coordinates: [Int]

        func masks(of whole: Masks) -> Masks { Masks(space, coordinates.map { whole.values[$0] }) }
    }

    /// Trains under the present masks.
    ///
    /// - Parameter moving: whether they move with the steps.
    func trained(moving: Bool, _ body: () throws -> Void) throws {
        guard !pruner.masksAreOnNetwork else { return try body() }
        try shrinkToLivePart()
        let own = livePart?.masks(of: masks) ?? masks
        if moving, let trainer = training?.trainer {
            try own.applied(trainable: true, withTangents: false) { applied in
                let motion = MaskMotion { [self] step in try move(applied, step: step) }
                trainer.setExtensions([motion])
                defer { trainer.setExtensions([]) }
                try body()
                try motion.check()
            }
        } else {
            try own.applied(body)
        }
        try growFromLivePart()
    }

    /// Moves the masks after a step by the gradients that it has left on them.
    private func move(_ applied: AppliedMasks, step: Int) throws {
        let own = applied.takeGradients().gradients
        var gradients = own
        if let livePart {
            gradients = [Float](repeating: 0, count: space.count)
            for (coordinate, value) in zip(livePart.coordinates, own) { gradients[coordinate] = value }
        }
        let progress = Double(step + 1) / Double(max(context.timing.softSteps, 1))
        try pruner.move(&masks, by: gradients, progress: min(progress, 1), in: context)
        applied.assign(livePart?.masks(of: masks) ?? masks)
    }

    /// Goes on with the part that has masks above zero; does nothing where that is all, or has no smaller form.
    func shrinkToLivePart() throws {
        guard let trainer = training?.trainer, livePart == nil, space.kind == .channels, trainer.extensions.isEmpty,
            masks.values.contains(0)
        else { return }
        let live = Masks(space, masks.values.map { $0 > 0 ? 1 : 0 })
        guard zip(live.liveWidths, space.groups).allSatisfy({ $0 > 0 || $1.axis.isRemovable }) else { return }
        let compaction = try Compaction(dense, masks: live)
        let coordinates = zip(space.groups, space.ranges).reduce(into: [:]) { lists, site in
            lists[site.0.name] = site.1.filter { masks.values[$0] > 0 }
        }
        let part = PruningSpace.channels(of: compaction.network)
        try trainer.adopt(compaction.network) { compaction.gather($0, from: $1, to: $2) }
        livePart = LivePart(
            compaction: compaction, space: part, coordinates: part.groups.flatMap { coordinates[$0.name] ?? [] })
    }

    /// Goes on with the whole network.
    private func growFromLivePart() throws {
        guard let trainer = training?.trainer, let livePart else { return }
        let (whole, compaction) = (context.evidence.arena, livePart.compaction)
        compaction.scatter(trainer.arena.values, from: trainer.arena, to: whole, into: whole.values)
        // What was away has no momentum, and its average is what it is.
        func grown(_ flat: Tensor, from part: ParameterArena, over target: Tensor) -> Tensor {
            compaction.scatter(flat, from: part, to: whole, into: target)
            return target
        }
        try trainer.adopt(
            dense, arena: whole,
            weights: { flat, part, _ in
                grown(flat, from: part, over: whole.values.copied())
            }
        ) { flat, part, _ in
            grown(flat, from: part, over: Tensor(zeros: [whole.count]))
        }
        self.livePart = nil
    }
}
