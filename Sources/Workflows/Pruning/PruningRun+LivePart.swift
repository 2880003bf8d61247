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
        /// The masks of what it has.
        let masks: Masks
    }

    /// Trains under the present masks.
    func trained(_ body: () throws -> Void) throws {
        guard !pruner.masksAreOnNetwork else { return try body() }
        try shrinkToLivePart()
        try (livePart?.masks ?? masks).applied(body)
        try growFromLivePart()
    }

    /// Goes on with the part that has masks above zero; does nothing where that is all, or has no smaller form.
    func shrinkToLivePart() throws {
        guard let trainer = training?.trainer, livePart == nil, space.kind == .channels, trainer.extensions.isEmpty,
            masks.values.contains(0)
        else { return }
        let live = Masks(space, masks.values.map { $0 > 0 ? 1 : 0 })
        guard zip(live.liveWidths, space.groups).allSatisfy({ $0 > 0 || $1.axis.isRemovable }) else { return }
        let compaction = try Compaction(dense, masks: live)
        let values = zip(space.groups, masks.bySite).reduce(into: [:]) { $0[$1.0.name] = $1.1.filter { $0 > 0 } }
        let part = PruningSpace.channels(of: compaction.network)
        try trainer.adopt(compaction.network) { compaction.gather($0, from: $1, to: $2) }
        livePart = LivePart(
            compaction: compaction, masks: Masks(part, bySite: part.groups.map { values[$0.name] ?? [] }))
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
