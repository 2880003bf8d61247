import Files
import Layers
import Models
import Pruning
import PruningMethods
import TensorCore
import Testing
import Training

/// A row of convolutions, each by its own kernel and stride, and a linear layer of the mean over the pixels.
private final class ConvolutionRow: OnesResponding {
    static let side = 6
    let convolutions: [Conv2d]
    let head: Linear
    let channelGroups: [ChannelGroup]
    let normalizations: [any ChannelNormalization] = []
    let computeTerms: [ComputeTerm] = []

    init(seed: UInt64 = 4) throws {
        let builder = ChannelAxisBuilder()
        let axes = try [ChannelAxis.fixed("input", width: 2)] + [3, 4, 5].map { try builder.axis("\($0)", width: $0) }
        convolutions = [
            Conv2d("conv.0", from: axes[0], to: axes[1]), Conv2d("conv.1", from: axes[1], to: axes[2], stride: 2),
            Conv2d("conv.2", from: axes[2], to: axes[3], kernel: 1, padding: .none),
        ]
        head = Linear("head", from: axes[3], to: .fixed("output", width: 2))
        channelGroups = builder.groups
        initialize(seed: seed)
    }

    var parameters: [Parameter] { convolutions.flatMap(\.parameters) + head.parameters }
    func rebuilt(keeping kept: [String: [Int]]) throws -> ConvolutionRow { try ConvolutionRow() }

    func responseToOnes() -> Variable {
        let ones = Variable(Tensor(ones: [1, Self.side, Self.side, 2]))
        return head(convolutions.reduce(ones) { $1($0).activated(.silu) }.meanOverPixels())
    }

    /// R = 1ᵀ·Π|W|·1 by loops in double, of weights given one after the other.
    func response(_ weights: [Double]) -> Double {
        var rest = weights[...]
        func next(_ parameter: Parameter) -> [Double] {
            defer { rest = rest.dropFirst(parameter.count) }
            return rest.prefix(parameter.count).map { abs($0) }
        }
        var (side, channels) = (Self.side, 2)
        var x = [Double](repeating: 1, count: side * side * channels)
        for conv in convolutions {
            let (w, outputs) = (next(conv.weight), conv.to.width)
            let (outSide, margin) = ((side - 1) / conv.stride + 1, conv.kernel / 2)
            var y = [Double](repeating: 0, count: outSide * outSide * outputs)
            for place in 0..<outSide * outSide {
                for tap in 0..<conv.kernel * conv.kernel {
                    let row = place / outSide * conv.stride + tap / conv.kernel - margin
                    let column = place % outSide * conv.stride + tap % conv.kernel - margin
                    guard (0..<side).contains(row), (0..<side).contains(column) else { continue }
                    for input in 0..<channels {
                        for output in 0..<outputs {
                            y[place * outputs + output] +=
                                w[(tap * channels + input) * outputs + output]
                                * x[(row * side + column) * channels + input]
                        }
                    }
                }
            }
            (x, side, channels) = (y, outSide, outputs)
        }
        let w = next(head.weight)
        return w.indices.reduce(0) { sum, index in
            let input = index / 2
            let mean = (0..<side * side).reduce(0.0) { $0 + x[$1 * channels + input] } / Double(side * side)
            return sum + w[index] * mean
        }
    }

    var weights: [Double] {
        (convolutions.map(\.weight) + [head.weight]).flatMap { $0.variable.value.array.map(Double.init) }
    }
}

/// Linear layers of different widths, one after the other.
private final class LinearRow: OnesResponding {
    let layers: [Linear]
    let channelGroups: [ChannelGroup]
    let normalizations: [any ChannelNormalization] = []
    let computeTerms: [ComputeTerm] = []

    init(_ widths: [Int]) throws {
        let builder = ChannelAxisBuilder()
        let axes =
            try [ChannelAxis.fixed("input", width: widths[0])]
            + widths.dropFirst().dropLast().enumerated().map { try builder.axis("\($0)", width: $1) }
            + [.fixed("output", width: widths[widths.count - 1])]
        layers = zip(axes, axes.dropFirst()).enumerated().map { Linear("layers.\($0)", from: $1.0, to: $1.1) }
        channelGroups = builder.groups
        initialize(seed: 5)
    }

    var parameters: [Parameter] { layers.flatMap(\.parameters) }
    func rebuilt(keeping kept: [String: [Int]]) throws -> LinearRow { try LinearRow(layers.map(\.from.width) + [3]) }

    func responseToOnes() -> Variable {
        layers.reduce(Variable(Tensor(ones: [1, layers[0].from.width]))) { $1($0).activated(.silu) }
    }
}

@Suite struct SynFlowTests {
    private func evidence(_ network: any ChannelNetwork) -> EvidenceSource {
        EvidenceSource(
            network: network, arena: ParameterArena(network.parameters), calibration: nil, declared: SynFlow.needs)
    }

    private func scores(_ masks: Masks, _ evidence: EvidenceSource) throws -> Scores {
        try SynFlow(NoConfiguration(), seed: 1).scores(at: masks, from: evidence)
    }

    private func expectClose(
        _ a: some Collection<Double>, _ b: some Collection<Double>, tolerance: Double = 1e-5,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let worst = zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
        let scale = b.reduce(0) { max($0, abs($1)) }
        #expect(
            a.count == b.count && scale > 0 && worst <= tolerance * scale, "\(worst / scale)",
            sourceLocation: sourceLocation)
    }

    // MARK: the formula

    /// By hand: ones become 1 + 3 and 2 + 4, and those 4·1 + 6·½ = 7.
    @Test func twoLayersByHand() throws {
        let network = try LinearRow([2, 2, 1])
        network.layers[0].weight.variable.value.assign(Tensor([1, -2, 3, 4], shape: [2, 2]))
        network.layers[1].weight.variable.value.assign(Tensor([-1, 0.5], shape: [2, 1]))
        let scores = try scores(Masks(.weights(of: network)), evidence(network))
        expectClose(scores.values, [1, 1, 3, 2, 4, 3].map { $0 / 7 }, tolerance: 1e-6)
    }

    /// R is linear in each weight's size, so that what it loses without the weight is |w·∂R/∂w|: in double, of the
    /// paper's network, in which nothing is divided. Masks are of the weights before their size is taken.
    @Test(arguments: [false, true]) func aWeightsScoreIsWhatTheResponseLosesWithoutIt(isMasked: Bool) throws {
        let network = try ConvolutionRow()
        let space = PruningSpace.weights(of: network)
        var masks = Masks(space)
        if isMasked {
            var stream = RandomStream(seed: 3, purpose: "mask", index: 0)
            for index in masks.values.indices where stream.uniform() < 0.4 { masks.values[index] = 0 }
            masks.values[7] = 0.25
        }
        let weights = zip(network.weights, masks.values).map { $0 * Double($1) }
        let whole = network.response(weights)
        let expected = weights.indices.map { index in
            var without = weights
            without[index] = 0
            return (whole - network.response(without)) / whole
        }
        #expect(weights.contains { $0 < 0 } && expected.contains { $0 > 0 })
        expectClose(try scores(masks, evidence(network)).values, expected)
    }

    /// Layers that all paths cross have the same in all, whatever masks there are.
    @Test func flowIsTheSameFromLayerToLayer() throws {
        let network = try ConvolutionRow()
        let space = PruningSpace.weights(of: network)
        var masks = Masks(space)
        for round in 0..<3 {
            for index in masks.values.indices where index % 4 == round { masks.values[index] = 0 }
            let scores = try scores(masks, evidence(network))
            expectClose(scores.bySite.map { $0.reduce(0, +) }, [1, 1, 1, 1])
        }
    }

    // MARK: U-Nets

    /// Sums of the scores of each weight tensor.
    private func flows(_ model: UNet, _ scores: Scores) -> [String: Double] {
        var flows: [String: Double] = [:]
        for (site, scores) in zip(scores.space.sites, scores.bySite) { flows[site.name] = scores.reduce(0, +) }
        return flows
    }

    private static let kinds: [(@Sendable (inout UNetConfiguration) -> Void)] = [
        { _ in }, { $0.resnetTimeScaleShift = .scaleShift }, { $0.numClassEmbeds = 4 },
        { $0.classEmbedType = .timestep }, { $0.classEmbedType = .identity },
        {
            $0.timeEmbeddingType = .learned
            $0.numTrainTimesteps = 5
        },
    ]

    private func model(_ kind: Int) throws -> UNet {
        var configuration = UNetConfiguration()
        configuration.sampleSize = [8, 8]
        configuration.blockOutChannels = [8, 12]
        configuration.normNumGroups = 4
        configuration.attentionHeadDim = 4
        configuration.layersPerBlock = 1
        configuration.downBlockTypes = ["DownBlock2D", "AttnDownBlock2D"]
        configuration.upBlockTypes = ["AttnUpBlock2D", "UpBlock2D"]
        Self.kinds[kind](&configuration)
        let model = try UNet(configuration)
        model.initialize(seed: 8)
        return model
    }

    /// What comes into a place goes out of it: all paths end in the last layer; time's take its two layers one after
    /// the other and then the blocks'; a block's second convolution reads the first one and the time; attention's
    /// output reads queries, keys and values.
    @Test(arguments: kinds.indices) func flowIsConservedInAUNet(kind: Int) throws {
        let model = try model(kind)
        let scores = try scores(Masks(.weights(of: model)), evidence(model))
        #expect(scores.values.allSatisfy { $0.isFinite && $0 >= 0 && $0 <= 1 })
        let flows = flows(model, scores)
        func sum(_ condition: (String) -> Bool) -> Double { flows.filter { condition($0.key) }.values.reduce(0, +) }
        let first = try #require(flows["time_embedding.linear_1.weight"])
        let input = try #require(flows["conv_in.weight"])
        let output = try #require(flows["conv_out.weight"])
        expectClose([output], [1])
        let times = sum { $0.hasSuffix(".time_emb_proj.weight") }
        let ends = sum { $0 == "time_embedding.linear_2.weight" || $0 == "class_embedding.linear_2.weight" }
        expectClose([sum { $0.hasPrefix("time_embedding") }], [2 * first])
        // A table or a vector of a class, ones, is added to the time's layers.
        let isAddedTo = model.configuration.numClassEmbeds != nil || model.configuration.classEmbedType == .identity
        if isAddedTo { #expect(ends > 0 && ends < 0.9 * times) } else { expectClose([ends], [times]) }
        #expect(input > 0 && input < 1)
        var (blocks, attentions) = (0, 0)
        for name in flows.keys where name.hasSuffix(".conv2.weight") {
            let block = String(name.dropLast("conv2.weight".count))
            expectClose(
                [flows[block + "conv1.weight"]! + flows[block + "time_emb_proj.weight"]!], [flows[name]!])
            blocks += 1
        }
        for name in flows.keys where name.hasSuffix(".to_out.0.weight") {
            let block = String(name.dropLast("to_out.0.weight".count))
            let inputs = ["to_q.weight", "to_k.weight", "to_v.weight"].map { flows[block + $0]! }
            #expect(inputs.allSatisfy { $0 > 0 })
            expectClose([inputs.reduce(0, +)], [flows[name]!])
            attentions += 1
        }
        #expect(blocks == 8 && attentions == 4)
    }

    /// A channel's score is the flow of the weights that read it, and that of those that make it, masked or not.
    @Test(arguments: kinds.indices, [false, true]) func aChannelsScoreIsTheFlowThroughIt(kind: Int, isMasked: Bool)
        throws
    {
        let model = try model(kind)
        let space = PruningSpace.channels(of: model)
        var masks = Masks(space)
        if isMasked { for index in masks.values.indices where index % 3 == 1 { masks.values[index] = 0 } }
        let source = evidence(model)
        let channels = try scores(masks, source)
        // Under the masks of channels too: those of weights go on top.
        let weights = try masks.applied { try scores(Masks(.weights(of: model)), source) }
        for (site, group) in space.groups.enumerated() {
            var (read, made) = ([Double](repeating: 0, count: group.width), [Double](repeating: 0, count: group.width))
            for member in group.members where member.parameter.isMaskable {
                let place = try #require(weights.space.sites.firstIndex { $0.name == member.parameter.name })
                let shape = member.parameter.variable.shape
                let isRead = member.dimension == shape.count - 2
                for (element, flow) in weights[place].enumerated() {
                    let position = (isRead ? element / shape[shape.count - 1] : element) % shape[member.dimension]
                    let channel = position - member.offset
                    guard (0..<group.width).contains(channel) else { continue }
                    if isRead { read[channel] += flow } else { made[channel] += flow }
                }
            }
            #expect(zip(channels[site], masks[site]).allSatisfy { ($0 > 0) == ($1 > 0) }, "\(group.name)")
            expectClose(channels[site], read)
            // What the class's table or vector brings is no weight's.
            let isAddedTo = model.configuration.numClassEmbeds != nil || model.configuration.classEmbedType == .identity
            if group.name != "time_embedding.out" || !isAddedTo { expectClose(channels[site], made) }
        }
    }

    @Test func gradientCheckpointingChangesNothing() throws {
        let model = try model(0)
        let masks = Masks(PruningSpace.weights(of: model))
        let plain = try scores(masks, evidence(model)).values
        model.usesGradientCheckpointing = true
        #expect(try scores(masks, evidence(model)).values == plain)
    }

    /// Neither does anything stay behind: predictions are as they were.
    @Test func scoresDependOnWeightsAloneAndChangeNothing() throws {
        let bench = try Bench()
        let before = bench.output(of: bench.model)
        let masks = Masks(bench.space(.weights))
        let plain = try scores(masks, bench.evidence(.none)).values
        let withData = try SynFlow(NoConfiguration(), seed: 99).scores(at: masks, from: bench.evidence(.everything))
        #expect(withData.values == plain)
        #expect(bench.output(of: bench.model) == before)
        // Biases, and what they would let through, have no part in it.
        for parameter in bench.model.parameters where parameter.name.hasSuffix(".bias") {
            parameter.variable.value.fill(3)
        }
        #expect(try scores(masks, bench.evidence(.none)).values == plain)
        // Signs neither.
        for index in 0..<bench.arena.count { bench.arena.values.pointer[index] *= -1 }
        #expect(try scores(masks, bench.evidence(.none)).values == plain)
    }

    // MARK: masks

    @Test func aMaskedWeightHasNoneAndWhatOnlyItLeadsToNeither() throws {
        let network = try LinearRow([6, 5, 4, 3])
        let space = PruningSpace.weights(of: network)
        var masks = Masks(space)
        // All that lead to channel 2 of the first hidden axis, and one single weight of the last layer.
        for input in 0..<6 { masks.values[space.ranges[0].lowerBound + input * 5 + 2] = 0 }
        masks.values[space.ranges[2].lowerBound + 7] = 0
        let scores = try scores(masks, evidence(network))
        for (index, mask) in masks.values.enumerated() where mask == 0 { #expect(scores.values[index] == 0) }
        #expect((0..<4).allSatisfy { scores[1][2 * 4 + $0] == 0 })
        let zeros = scores.values.count { $0 == 0 }
        #expect(zeros == 6 + 1 + 4)
        // Where a whole layer is gone nothing flows at all, and that is a score too.
        masks[1] = masks[1].map { _ in 0 }
        #expect(try self.scores(masks, evidence(network)).values.allSatisfy { $0 == 0 })
    }

    // MARK: rounds

    /// Keeps the `count` highest scores of all that is left, with nothing held back for any layer.
    private func keepHighest(_ count: Int, _ scores: Scores, of masks: inout Masks) {
        let left = masks.values.indices.filter { masks.values[$0] > 0 }.sorted {
            (scores.values[$0], $0) > (scores.values[$1], $1)
        }
        for index in left.dropFirst(count) { masks.values[index] = 0 }
    }

    /// Critical compression is one weight a layer. In 100 rounds every layer keeps one until then, and paths go
    /// through; by size a layer is emptied while others have plenty.
    @Test(arguments: [1.0, 1.5, 3, 10]) func noLayerIsEmptiedBeforeCriticalCompression(weightsPerLayer: Double) throws {
        let network = try LinearRow([12, 60, 8, 40, 10, 3])
        let source = evidence(network)
        let space = PruningSpace.weights(of: network)
        let kept = Int(weightsPerLayer * Double(space.sites.count))
        var masks = Masks(space)
        for round in 1...SynFlow.rounds {
            let density = SynFlow.schedule.density(
                at: Double(round) / Double(SynFlow.rounds), final: Double(kept) / Double(space.count))
            let count = max(kept, Int((density * Double(space.count)).rounded()))
            keepHighest(count, try scores(masks, source), of: &masks)
        }
        #expect(masks.values.count { $0 == 1 } == kept)
        #expect(masks.liveWidths.allSatisfy { $0 >= 1 }, "\(masks.liveWidths)")
        // What is left of them are paths, with at most the other half of one that was cut last.
        expectClose(try scores(masks, source).bySite.map { $0.reduce(0, +) }, [1, 1, 1, 1, 1])

        var bySize = Masks(space)
        let sizes = try Magnitude(Magnitude.Configuration(), seed: 0).scores(
            at: bySize, from: EvidenceSource(network: network, arena: source.arena, calibration: nil))
        keepHighest(kept, sizes, of: &bySize)
        #expect(bySize.liveWidths.contains(0), "\(bySize.liveWidths)")
    }

    /// The method as it runs: rounds, schedule and place before training by themselves; a path is left at the lowest
    /// budget that there is, where by size what each layer is left with does not fit together.
    @Test func theMethodKeepsAPathAtTheLowestBudget() throws {
        let network = try LinearRow([12, 60, 8, 40, 10, 3])
        let source = evidence(network)
        let space = PruningSpace.weights(of: network)
        let remaining = (Double(space.sites.count) + 0.5) / Double(space.count)
        let budget = try Budget(parsing: "sparsity=\(1 - remaining)")
        let context = PruningContext(
            space: space, evidence: source,
            selection: try Selection(
                space: space, network: network, budget: budget, granularity: .weight, minimumFraction: 0),
            timing: PlanTiming(steps: 40, softFraction: 0.5, space: .weights, remaining: budget.remaining))
        func run(_ name: String) throws -> Masks {
            func run<P: Pruner>(_ pruner: P) throws -> Masks {
                var (pruner, masks) = (pruner, Masks(space))
                for number in 0..<pruner.plan(context.timing).updates {
                    _ = try pruner.update(&masks, number: number, in: context)
                }
                return masks
            }
            return try run(MethodCatalog.entry(named: name).make(nil, 1))
        }
        let plan = try MethodCatalog.entry(named: "synflow").make(nil, 1).plan(context.timing)
        #expect(plan.stages == (0..<100).map { .update($0) } + [.train(steps: 40), .bake])
        let (flow, size) = (try run("synflow"), try run("magnitude"))
        #expect(flow.liveWidths == [1, 1, 1, 1, 1] && size.liveWidths == [1, 1, 1, 1, 1])
        expectClose(try scores(flow, source).bySite.map { $0.reduce(0, +) }, [1, 1, 1, 1, 1])
        #expect(try scores(size, source).values.allSatisfy { $0 == 0 })
    }

    @Test func theConfigurationBeginsWithItsRoundsAndIsReadFromFiles() throws {
        let entry = try MethodCatalog.entry(named: "synflow")
        let defaults = try entry.defaultConfiguration()
        #expect(defaults["rounds"] == 100 && defaults["schedule"] == "exponential")
        #expect(try MethodCatalog.entry(named: "snip").defaultConfiguration()["rounds"] == 1)
        let timing = PlanTiming(steps: 0, softFraction: 0.25, space: .channels, remaining: 0.5)
        #expect(try entry.make(["rounds": 3, "schedule": "linear", "criterion": [:]], 1).plan(timing).updates == 3)
    }

    /// A network that does not tell what it makes of ones is refused.
    @Test func aNetworkWithoutAResponseIsRefused() throws {
        final class Silent: ChannelNetwork {
            let channelGroups: [ChannelGroup] = []
            let parameters: [Parameter] = []
            let normalizations: [any ChannelNormalization] = []
            let computeTerms: [ComputeTerm] = []
            func rebuilt(keeping kept: [String: [Int]]) throws -> Silent { Silent() }
        }
        let network = Silent()
        #expect {
            _ = try scores(Masks(.weights(of: network)), evidence(network))
        } throws: {
            "\($0)".contains("synaptic flow")
        }
    }
}
