import Layers
import Pruning
import TensorCore
import Testing

@testable import PruningMethods

@Suite struct RidgeCompensationTests {
    /// Masks that take the given channels of every axis that has more than two.
    private func masks(_ space: PruningSpace, removing isRemoved: (Int) -> Bool) -> Masks {
        var masks = Masks(space)
        for (group, range) in zip(space.groups, space.ranges) where group.width > 2 {
            for channel in 0..<group.width where isRemoved(channel) { masks.values[range.lowerBound + channel] = 0 }
        }
        return masks
    }

    private func distance(_ a: [Float], _ b: [Float]) -> Float {
        zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    }

    /// A channel that is another one's double within its normalisation group leaves, and nothing is missed: the layer
    /// that read both reads the other twice.
    @Test func aDoubleIsNotMissed() throws {
        let bench = try Bench()
        let space = bench.space(.channels)
        let group = try #require(space.groups.first { $0.name == "down_blocks.0.resnets.0.inner" })
        // Channel 1 as channel 0, in all that makes it.
        for member in group.members where !group.consumers.contains(where: { $0.parameter === member.parameter }) {
            let shape = member.parameter.variable.shape
            let inner = shape[(member.dimension + 1)...].reduce(1, *)
            let (extent, values) = (shape[member.dimension], member.parameter.variable.value)
            for outer in 0..<shape[..<member.dimension].reduce(1, *) {
                for index in 0..<inner {
                    let base = (outer * extent + member.offset) * inner + index
                    values.pointer[base + inner] = values.pointer[base]
                }
            }
        }
        let dense = bench.output(of: bench.model)
        var masks = Masks(space)
        let site = try #require(space.groups.firstIndex { $0.axis === group.axis })
        masks.values[space.ranges[site].lowerBound + 1] = 0
        let without = masks.applied { bench.output(of: bench.model) }
        try RidgeCompensation(seed: 1).apply(masks, in: try bench.context("macs=0.5"))
        let repaired = masks.applied { bench.output(of: bench.model) }
        #expect(distance(repaired, dense) < 1e-4 * distance(without, dense))
    }

    /// Every repaired layer's inputs say more of what they said: the error over all rows falls.
    @Test func whatIsLeftSaysMoreOfWhatAllSaid() throws {
        let bench = try Bench()
        let space = bench.space(.channels)
        let masks = masks(space) { $0 % 4 == 3 }
        let evidence = bench.evidence()
        let kind = InputRows(rowsPerBatch: 64, seed: 3)
        let (whole, masked) = (
            try evidence(kind, at: Masks(space)), try evidence(kind, at: masks)
        )
        var seen = 0
        for consumer in masks.consumersThatLoseInputs {
            guard let before = whole[consumer.weight], let after = masked[consumer.weight] else { continue }
            let left = (0..<after.width).filter { !consumer.removed.contains($0) }
            guard after.count > 2 * left.count else { continue }
            seen += 1
            let repair = try RidgeCompensation.repair(before: before, after: after, left: left)
            var (plain, repaired) = (0.0, 0.0)
            for row in 0..<after.count {
                for channel in 0..<after.width {
                    let x = before.values[row * after.width + channel]
                    let kept = consumer.removed.contains(channel) ? 0 : after.values[row * after.width + channel]
                    let told = left.enumerated().reduce(repair.shift[channel]) {
                        $0 + repair.map[$1.offset * after.width + channel]
                            * after.values[row * after.width + $1.element]
                    }
                    plain += (x - kept) * (x - kept)
                    repaired += (x - told) * (x - told)
                }
            }
            #expect(repaired < plain, "\(consumer.weight.name): \(repaired), \(plain)")
        }
        #expect(seen > 5)
    }
}
