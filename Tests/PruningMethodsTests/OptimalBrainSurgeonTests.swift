import Layers
import Pruning
import TensorCore
import Testing

@testable import PruningMethods

/// Against the constrained minimum itself, solved by elimination.
@Suite struct OptimalBrainSurgeonTests {
    private func near(_ a: Double, _ b: Double, _ tolerance: Double) -> Bool {
        abs(a - b) <= tolerance * max(abs(a), abs(b))
    }

    /// x of A·x = b, by Gaussian elimination with pivots.
    private func solved(_ a: [[Double]], _ b: [Double]) -> [Double] {
        var (a, b) = (a, b)
        let size = b.count
        for column in 0..<size {
            let pivot = (column..<size).max { abs(a[$0][column]) < abs(a[$1][column]) } ?? column
            a.swapAt(column, pivot)
            b.swapAt(column, pivot)
            for row in 0..<size where row != column {
                let factor = a[row][column] / a[column][column]
                for other in column..<size { a[row][other] -= factor * a[column][other] }
                b[row] -= factor * b[column]
            }
        }
        return (0..<size).map { b[$0] / a[$0][$0] }
    }

    /// A layer's patches with their damped second moments, and its rows of weights, bias last.
    private struct Layer {
        let moments: [[Double]]
        let rows: [[Double]]
        let importance: [Double]
    }

    private let criterion = SurgeonCriterion(SurgeonCriterion.Configuration(), seed: 5)

    private func layer(_ weight: Parameter, in context: PruningContext) throws -> Layer {
        let kind = criterion.repair.patches(.patches(of: ObjectIdentifier(weight)))
        let read = try #require(try context.evidence(kind, at: Masks(context.space))[weight])
        let (width, count) = (read.width, read.count)
        var moments = Array(repeating: Array(repeating: 0.0, count: width), count: width)
        for patch in 0..<count {
            for row in 0..<width {
                for column in 0..<width {
                    moments[row][column] +=
                        Double(read.patches[patch * width + row]) * Double(read.patches[patch * width + column])
                        / Double(count)
                }
            }
        }
        let values = weight.variable.value.array
        let outputs = try #require(weight.variable.shape.last)
        let inputs = values.count / outputs
        let index = try #require(context.evidence.arena.index(of: weight))
        let information = context.evidence.arena.slice(
            try context.evidence(FisherDiagonal(), at: Masks(context.space)), index
        ).array
        let trace = (0..<inputs).reduce(0) { $0 + moments[$1][$1] }
        let lambda = 0.01 * (0..<width).reduce(0) { $0 + moments[$1][$1] } / Double(width)
        for row in 0..<width { moments[row][row] += lambda }
        return Layer(
            moments: moments,
            rows: (0..<outputs).map { output in
                (0..<inputs).map { Double(values[$0 * outputs + output]) }
                    + (read.bias.map { [Double($0.variable.value.array[output])] } ?? [])
            },
            importance: (0..<outputs).map { output in
                (0..<inputs).reduce(0) { $0 + Double(information[$1 * outputs + output]) } / trace
            })
    }

    /// The δ that makes ½δᵀHδ smallest where some weights become nothing, and that value.
    private func removing(_ gone: Set<Int>, from row: [Double], _ h: [[Double]]) -> (row: [Double], error: Double) {
        let left = row.indices.filter { !gone.contains($0) }
        let right = left.map { p in gone.reduce(0) { $0 + h[p][$1] * row[$1] } }
        let change = solved(left.map { p in left.map { h[p][$0] } }, right)
        var delta = row.map { -$0 }
        for (index, p) in left.enumerated() { delta[p] = change[index] }
        let error = row.indices.reduce(0) { sum, i in
            sum + row.indices.reduce(0) { $0 + 0.5 * delta[i] * h[i][$1] * delta[$1] }
        }
        return (zip(row, delta).map(+), error)
    }

    private func weight(_ name: String, of bench: Bench) throws -> Parameter {
        try #require(bench.model.parameters.first { $0.name == name })
    }

    @Test func aWeightsScoreIsWhatTheErrorRisesByWithoutIt() throws {
        let bench = try Bench()
        let context = try bench.context("sparsity=0.5", .weight)
        for name in ["conv_in.weight", "down_blocks.0.resnets.0.time_emb_proj.weight"] {
            let weight = try weight(name, of: bench)
            let layer = try layer(weight, in: context)
            let site = try #require(context.space.sites.firstIndex { $0.isWeight(weight) })
            // Also once some have left.
            for gone: Set<Int> in [[], [0, 3]] {
                var masks = Masks(context.space)
                let outputs = layer.rows.count
                for position in gone {
                    masks.values[context.space.ranges[site].lowerBound + position * outputs + 1] = 0
                }
                let scores = try criterion.scores(at: masks, from: context.evidence)[site]
                let before = removing(gone, from: layer.rows[1], layer.moments).error
                for position in 0..<(scores.count / outputs) where !gone.contains(position) {
                    let error = removing(gone.union([position]), from: layer.rows[1], layer.moments).error
                    let expected = layer.importance[1] * (error - before)
                    #expect(near(scores[position * outputs + 1], expected, 1e-5), "\(name), \(position) of \(gone)")
                }
            }
        }
    }

    @Test func aChannelsScoreIsWhatTheErrorRisesByWithoutItsTaps() throws {
        let bench = try Bench()
        let context = try bench.context("macs=0.5")
        let name = "down_blocks.0.resnets.0.inner"
        let site = try #require(context.space.sites.firstIndex { $0.name == name })
        let group = context.space.groups[site]
        #expect(group.consumers.map(\.parameter.name) == ["down_blocks.0.resnets.0.conv2.weight"])
        let layer = try layer(group.consumers[0].parameter, in: context)
        for gone: Set<Int> in [[], [2]] {
            func positions(_ channels: Set<Int>) -> Set<Int> {
                Set((0..<(9 * group.width)).filter { channels.contains($0 % group.width) })
            }
            var masks = Masks(context.space)
            for channel in gone { masks.values[context.space.ranges[site].lowerBound + channel] = 0 }
            let scores = try criterion.scores(at: masks, from: context.evidence)[site]
            for channel in [0, 5] {
                let expected = zip(layer.rows, layer.importance).reduce(0) { sum, row in
                    let after = removing(positions(gone.union([channel])), from: row.0, layer.moments).error
                    return sum + row.1 * (after - removing(positions(gone), from: row.0, layer.moments).error)
                }
                #expect(near(scores[channel], expected, 1e-4), "\(channel) of \(gone)")
            }
            for channel in gone { #expect(scores[channel] == 0) }
        }
    }

    @Test func whatIsLeftOfARowBecomesTheMinimum() throws {
        let bench = try Bench()
        let context = try bench.context("sparsity=0.5", .weight)
        let weight = try weight("conv_in.weight", of: bench)
        let layer = try layer(weight, in: context)
        let site = try #require(context.space.sites.firstIndex { $0.isWeight(weight) })
        let outputs = layer.rows.count
        var masks = Masks(context.space)
        let gone: [Set<Int>] = (0..<outputs).map { $0 == 2 ? [] : [$0 % 9, ($0 + 4) % 9, 8] }
        for (output, positions) in gone.enumerated() {
            for position in positions {
                masks.values[context.space.ranges[site].lowerBound + position * outputs + output] = 0
            }
        }
        let others = bench.model.parameters.filter { $0 !== weight && !$0.name.hasPrefix("conv_in") }
        let old = others.map { $0.variable.value.array }
        var pruner = OptimalBrainSurgeon(OptimalBrainSurgeon.Configuration(), seed: 5)
        try pruner.reconstruct(masks, in: context)
        for (output, positions) in gone.enumerated() {
            let expected = removing(positions, from: layer.rows[output], layer.moments).row
            for position in 0..<9 where !positions.contains(position) {
                let got = Double(weight.variable.value.array[position * outputs + output])
                #expect(near(got, expected[position], 1e-4), "\(position) of \(output)")
            }
        }
        #expect(others.map { $0.variable.value.array } == old)
    }

    /// Where two numbers of a patch are the same, either can go: the other takes over its weight whole.
    @Test func whatSaysTheSameIsMadeUpForWhole() throws {
        let bench = try Bench()
        let weight = try weight("conv_in.weight", of: bench)
        let bias = try self.weight("conv_in.bias", of: bench)
        let space = bench.space(.weights)
        let site = try #require(space.sites.firstIndex { $0.isWeight(weight) })
        let old = weight.variable.value.array
        let outputs = old.count / 9
        var stream = RandomStream(seed: 4, purpose: "test-samples")
        var patches: [Float] = []
        for _ in 0..<100 {
            let patch = (0..<9).map { _ in stream.normal() }
            patches += [patch[1]] + patch[1...] + [1]
        }
        let rows = old + bias.variable.value.array
        let said = (0..<100).flatMap { patch in
            (0..<outputs).map { output in
                (0..<10).reduce(0.0) {
                    $0 + Double(patches[patch * 10 + $1]) * Double(rows[$1 * outputs + output])
                }
            }
        }
        var masks = Masks(space)
        for output in 0..<outputs { masks.values[space.ranges[site].lowerBound + output] = 0 }
        try LayerUpdate(patches: patches, width: 10, bias: bias, outputs: said, damping: 1e-9)
            .apply(to: weight, PatchMask(weight, masks))
        let new = weight.variable.value.array
        for output in 0..<outputs {
            #expect(abs(new[outputs + output] - old[output] - old[outputs + output]) < 1e-4)
            for position in 2..<9 {
                #expect(abs(new[position * outputs + output] - old[position * outputs + output]) < 1e-4)
            }
        }
    }

    @Test func theUpdateBringsLayersOutputsNearerAndTheChoiceIsBetterThanChance() throws {
        var configuration = OptimalBrainSurgeon.Configuration()
        for (target, granularity) in [("params=0.6", Granularity.channel), ("sparsity=0.6", .weight)] {
            configuration.reconstruct = true
            let updated = try Bench.outputError(after: OptimalBrainSurgeon(configuration, seed: 3), target, granularity)
            configuration.reconstruct = false
            let plain = try Bench.outputError(after: OptimalBrainSurgeon(configuration, seed: 3), target, granularity)
            #expect(updated < 0.8 * plain, "\(target): \(plain) → \(updated)")
            let random = try Bench.outputError(
                after: ScoreAndRank<RandomScores>(RankingConfiguration(), seed: 1), target, granularity)
            #expect(plain < random, "\(target): \(plain), random \(random)")
        }
    }
}
