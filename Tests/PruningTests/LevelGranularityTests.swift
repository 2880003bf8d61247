import Foundation
import Layers
import Models
import Pruning
import TensorCore
import TestSupport
import Testing
import Training

/// Granularity `level`: what is left is a U-Net that its configuration says completely.
@Suite struct LevelGranularityTests {
    private static func configuration(
        _ widths: [Int], groups: Int, _ change: (inout UNetConfiguration) -> Void = { _ in }
    ) -> UNetConfiguration {
        var configuration = TinyUNet.all[0].configuration
        configuration.blockOutChannels = widths
        configuration.normNumGroups = groups
        let inner = max(0, widths.count - 1)
        configuration.downBlockTypes = Array(repeating: "DownBlock2D", count: inner) + ["AttnDownBlock2D"]
        configuration.upBlockTypes = ["AttnUpBlock2D"] + Array(repeating: "UpBlock2D", count: inner)
        change(&configuration)
        return configuration
    }

    private func model(_ configuration: UNetConfiguration, kept: [String: [Int]] = [:]) throws -> UNet {
        let model = try UNet(configuration, kept: kept)
        model.initialize(seed: 1)
        return model
    }

    private func selection(
        _ model: UNet, _ space: PruningSpace, _ target: String = "macs=0.5", minimumFraction: Double = 0
    ) throws -> Selection {
        try Selection(
            space: space, network: model, budget: Budget(parsing: target), granularity: .level,
            minimumFraction: minimumFraction)
    }

    /// The masks that leave the least.
    private func lowest(_ model: UNet, minimumFraction: Double = 0, seed: UInt64 = 1) throws -> Masks {
        let space = PruningSpace.channels(of: model)
        let selection = try selection(model, space, minimumFraction: minimumFraction)
        return try selection.masks(
            keeping: .random(space, seed: seed), remaining: selection.lowestFractions[0].remaining)
    }

    private func output(of model: UNet, labels: ClassLabels? = nil) -> [Float] {
        let sample = Tensor(uninitialized: [2] + model.size + [model.configuration.inChannels])
        var stream = RandomStream(seed: 2, purpose: .initialNoise)
        stream.fillNormal(sample.unsafeBuffer)
        return Autograd.withoutRecording {
            model(Variable(sample), timesteps: [3, 70], classLabels: labels).value.array
        }
    }

    /// Nothing that the timestep says reaches a ResNet block.
    private func silenceTime(of model: UNet) {
        for parameter in model.parameters where parameter.name.contains("time_emb_proj") {
            parameter.variable.value.fill(0)
        }
    }

    // MARK: widths

    /// Levels 0 and 1 of the sample model share streams; widths are multiples of its eight groups and of no more than
    /// one of its heads of 16.
    @Test func theSampleModelsWidthsAreThoseWorkedOutByHand() throws {
        let file = Repository.url("Samples/models/fashion-unet/unet/config.json")
        let configuration = try JSONDecoder().decode(UNetConfiguration.self, from: Data(contentsOf: file))
        let model = try UNet(configuration)
        let levels = try #require(try model.levels)
        #expect(
            levels.levels.map(\.name) == ["block_out_channels[0, 1]", "block_out_channels[2]", "block_out_channels[3]"])
        #expect(
            levels.levels.map(\.widths) == [
                [32, 24, 16, 8], [64, 56, 48, 40, 32, 24, 16], [96, 88, 80, 72, 64, 56, 48, 40, 32, 24, 16],
            ])
        let tied =
            levels.levels.flatMap(\.axes).map(\.group.name) + levels.levels.flatMap(\.followers).map(\.group.name)
        #expect(tied.sorted() == model.channelGroups.map(\.name).sorted())
        #expect(levels.levels[0].followers.map(\.factor) == [4, 4])

        #expect(levels.isLegal([24, 40, 48]))
        // Equal neighbours have no shortcut between them, and unequal ones have one.
        #expect(!levels.isLegal([32, 32, 96]) && !levels.isLegal([32, 64, 64]) && !levels.isLegal([32, 24, 96]))
        #expect(!levels.isLegal([32, 60, 96]))
    }

    @Test func whatIsLeftIsAnOrdinaryNetwork() throws {
        for (widths, groups, target) in [
            ([16, 32], 4, "macs=0.5"), ([16, 32, 32], 4, "macs=0.3"), ([24], 4, "params=0.4"),
        ] {
            let model = try model(Self.configuration(widths, groups: groups))
            let space = PruningSpace.channels(of: model)
            let selection = try selection(model, space, target)
            let masks = try selection.masks(keeping: .random(space), remaining: selection.budget.remaining)
            let network = try Compaction(model, masks: masks, becomesPlain: true).network
            #expect(network.keptChannels.isEmpty)
            let ordinary = try UNet(network.configuration)
            #expect(network.parameters.map(\.name) == ordinary.parameters.map(\.name))
            #expect(network.parameters.map(\.fileShape) == ordinary.parameters.map(\.fileShape))
            let left =
                target.hasPrefix("macs")
                ? network.macs / model.macs
                : Double(network.parameterCount) / Double(model.parameterCount)
            // The projection's columns leave beside what masks count.
            #expect(left <= selection.budget.remaining && left > selection.budget.remaining - 0.25, "\(widths) \(left)")
            #expect(abs(selection.density(of: masks) - left) < 0.02)
        }
    }

    /// Every kind of U-Net: what the network says can be had can be built, and has finite predictions.
    @Test(arguments: TinyUNet.all) func everyKindOfNetwork(tiny: TinyUNet) throws {
        let model = try tiny.model()
        let masks = try lowest(model)
        let network = try Compaction(model, masks: masks, becomesPlain: true).network
        #expect(network.keptChannels.isEmpty)
        // Nothing can leave where the first width is given and the other is one with it, and from an attention of 32
        // channels in 32 groups.
        let isGiven = tiny.configuration.classEmbedType != nil || tiny.name == "an image pyramid with attention"
        #expect((network.parameterCount < model.parameterCount) != isGiven)
        _ = try UNet(network.configuration)
        #expect(tiny.output(of: network).allSatisfy { $0.isFinite })
    }

    // MARK: what it computes

    /// Where all levels keep one share and the time says nothing, plain groups are those of the masked network.
    @Test(arguments: [([16, 32], 4, 4), ([16, 16], 2, nil), ([8, 16, 24], 2, 2)] as [([Int], Int, Int?)])
    func oneShareOfAllLevelsIsWhatTheMasksComputed(widths: [Int], groups: Int, headWidth: Int?) throws {
        let model = try model(
            Self.configuration(widths, groups: groups) {
                $0.attentionHeadDim = headWidth
                $0.layersPerBlock = 2
            })
        silenceTime(of: model)
        let masks = try lowest(model, minimumFraction: 0.5)
        for (group, width) in zip(masks.space.groups, masks.liveWidths) where !group.name.hasPrefix("time") {
            #expect(2 * width == group.width, "\(group.name)")
        }
        let compaction = try Compaction(model, masks: masks, becomesPlain: true)
        #expect(compaction.network.configuration.blockOutChannels == widths.map { $0 / 2 })
        let masked = masks.applied { output(of: model) }
        #expect(relativeDifference(masked, output(of: compaction.network)) <= 1e-5)
    }

    /// Each group of a normalisation of one axis gives as many channels, its weakest, and heads leave whole.
    @Test func theWeakestOfEachGroupLeave() throws {
        let model = try model(Self.configuration([16, 32], groups: 4))
        let space = PruningSpace.channels(of: model)
        let masks = try lowest(model, minimumFraction: 0.5)
        let scores = Scores.random(space, seed: 1)
        for norm in model.normalizations where norm.axis.groups.count == 1 {
            let site = try #require(space.groups.firstIndex { $0.axis === norm.axis.groups[0] })
            let run = norm.axis.width / norm.groupCount
            for start in stride(from: 0, to: norm.axis.width, by: run) {
                let group = start..<(start + run)
                #expect(group.count { masks[site][$0] == 0 } == run / 2)
            }
        }
        let inner = try #require(space.groups.firstIndex { $0.name == "down_blocks.0.resnets.0.inner" })
        // Its normalisation alone sees it: four groups of four, of each the two lowest.
        for start in stride(from: 0, to: 16, by: 4) {
            let order = (start..<(start + 4)).sorted { scores[inner][$0] < scores[inner][$1] }
            #expect(order.map { masks[inner][$0] } == [0, 0, 1, 1])
        }
        let heads = try #require(space.groups.firstIndex { $0.axis.headWidth == 4 })
        for start in stride(from: 0, to: 32, by: 4) { #expect(Set(masks[heads][start..<(start + 4)]).count == 1) }
        #expect(masks[heads].count { $0 == 1 } == 16)
    }

    // MARK: the time embedding

    private func timeConfigurations() -> [(name: String, configuration: UNetConfiguration)] {
        [
            ("positional", Self.configuration([16, 32], groups: 4)),
            (
                "learned",
                Self.configuration([16, 32], groups: 4) {
                    $0.timeEmbeddingType = .learned
                    $0.numTrainTimesteps = 100
                }
            ),
            ("classes", Self.configuration([16, 32], groups: 4) { $0.numClassEmbeds = 10 }),
            ("Fourier", Self.configuration([16, 32], groups: 4) { $0.timeEmbeddingType = .fourier }),
            ("a width of its own", Self.configuration([16, 32], groups: 4) { $0.timeEmbeddingDim = 40 }),
        ]
    }

    /// What the fit is for: predictions are nearer to those of the wide embedding than where its weights are cut.
    @Test func fittedIsNearerThanCut() throws {
        for (name, configuration) in timeConfigurations() {
            let model = try model(configuration)
            model.timestepCount = 100
            let labels: ClassLabels? = configuration.numClassEmbeds == nil ? nil : .numbers([7, 1])
            let masks = try lowest(model, minimumFraction: 0.5)
            let masked = masks.applied { output(of: model, labels: labels) }
            let smaller = try Compaction(model, masks: masks).network
            let plain = try smaller.plain(like: nil)
            let fitted = relativeDifference(masked, output(of: plain.network, labels: labels))
            let former = smaller.parameters.reduce(into: [:]) { $0[$1.name] = $1 }
            for parameter in plain.network.parameters {
                let old = try #require(former[parameter.name])
                guard old.variable.shape != parameter.variable.shape else { continue }
                cut(old, into: parameter, try #require(plain.positions[parameter.name]))
            }
            let cut = relativeDifference(masked, output(of: plain.network, labels: labels))
            // Of random waves half are gone, and nothing that is left says what they did.
            let share: Float = name == "Fourier" ? 0.9 : 0.5
            #expect(fitted < share * cut, "\(name): fitted \(fitted), cut \(cut)")
        }
    }

    private func cut(_ old: Parameter, into new: Parameter, _ positions: [[Int]]) {
        let width = old.variable.shape.last ?? 1
        let rows = positions.count == 2 ? positions[0] : [0]
        var target = 0
        for row in rows {
            for column in positions[positions.count - 1] {
                new.variable.value.pointer[target] = old.variable.value.pointer[row * width + column]
                target += 1
            }
        }
    }

    /// A second set of weights keeps the channels of the first and is fitted by itself.
    @Test func otherWeightsBecomePlainInTheSameChannels() throws {
        let model = try model(Self.configuration([16, 32], groups: 4))
        let arena = ParameterArena(model.parameters)
        let masks = try lowest(model, minimumFraction: 0.5)
        let compaction = try Compaction(model, masks: masks, becomesPlain: true)
        let smaller = ParameterArena(compaction.network.parameters)
        #expect(try compaction.weights(arena.values, from: arena, to: smaller).array == smaller.values.array)
        let other = arena.values.copied()
        for index in 0..<other.count { other.pointer[index] *= 1 + 0.001 * Float(index % 7) }
        let fitted = try compaction.weights(other, from: arena, to: smaller).array
        #expect(fitted != smaller.values.array)
        #expect(relativeDifference(smaller.values.array, fitted) < 0.1)
        #expect(compaction.gather(arena.values, from: arena, to: smaller).count == smaller.count)
    }

    @Test func givenVectorsKeepTheFirstWidth() throws {
        let model = try model(Self.configuration([16, 32], groups: 4) { $0.classEmbedType = .identity })
        #expect(try model.levels?.levels.map { $0.widths[0] } == [16, 32])
        #expect(try model.levels?.levels[0].widths == [16])
        #expect(try model.levels?.levels[0].name.contains("class_embed_type 'identity'") == true)
        let masks = try lowest(model)
        let network = try Compaction(model, masks: masks, becomesPlain: true).network
        #expect(network.configuration.blockOutChannels == [16, 20] && network.configuration.timeWidth == 64)
    }

    // MARK: what was pruned before

    @Test func aRaggedModelComesToWidths() throws {
        let dense = try model(Self.configuration([16, 32], groups: 4))
        let space = PruningSpace.channels(of: dense)
        var masks = Masks(space)
        for name in ["down_blocks.0.resnets.0.inner", "conv_in.out", "time_embedding.out"] {
            let site = try #require(space.groups.firstIndex { $0.name == name })
            for channel in [0, 1, 5] { masks[site][channel] = 0 }
        }
        let ragged = try Compaction(dense, masks: masks).network
        let again = PruningSpace.channels(of: ragged)
        let chosen = try selection(ragged, again).masks(keeping: .random(again), remaining: 0.999)
        let network = try Compaction(ragged, masks: chosen, becomesPlain: true).network
        #expect(network.configuration.blockOutChannels == [12, 32])
        #expect(network.keptChannels.isEmpty)
    }

    @Test func whatHasTooLittleLeftIsRefused() throws {
        let configuration = Self.configuration([16, 32], groups: 4)
        let model = try model(configuration, kept: ["down_blocks.0.resnets.0.inner": [3, 4, 9]])
        #expect {
            _ = try selection(model, .channels(of: model))
        } throws: {
            guard case GranularityError.noLevelWidth(_, let axis, 3, 4)? = $0 as? GranularityError else { return false }
            return axis == "down_blocks.0.resnets.0.inner" && "\($0)".contains(axis)
        }
    }

    @Test func aBudgetOutOfReachNamesTheWidths() throws {
        let model = try model(Self.configuration([16, 32], groups: 4))
        let space = PruningSpace.channels(of: model)
        #expect {
            try selection(model, space, "macs=0.01").checkReachable()
        } throws: {
            "\($0)".contains("4 of 16 in block_out_channels[0], 8 of 32 in block_out_channels[1]")
        }
    }

    /// Rounds: what left in one stays away, and widths go from one legal set to the next.
    @Test func roundsTakeTheSameUnitsFurther() throws {
        let model = try model(Self.configuration([16, 32], groups: 4))
        let space = PruningSpace.channels(of: model)
        let selection = try selection(model, space)
        var scores = Scores.random(space)
        var last = Masks(space)
        for (round, remaining) in [0.9, 0.7, 0.4].enumerated() {
            let masks = try selection.masks(keeping: scores, remaining: remaining)
            #expect(zip(last.values, masks.values).allSatisfy { $0 >= $1 })
            _ = try Compaction(model, masks: masks, becomesPlain: true)
            scores = Scores.random(space, seed: UInt64(round + 2)).withoutRemoved(of: masks)
            last = masks
        }
    }
}
