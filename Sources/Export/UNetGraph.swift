import Layers
import Models
import TensorCore

/// A U-Net as a graph of operators: what `UNet.callAsFunction` computes, step by step, without dropout and gates.
///
/// Inputs: `sample` [batch, C, H, W]; `timestep` [batch], int64, or float for a model with a Fourier time embedding;
/// `class_labels` where the model takes them, int64 [batch], or float: [batch] for a timestep-like embedding,
/// [batch, width] for vectors. Output: `prediction` [batch, C, H, W].
struct UNetGraph {
    private let model: UNet
    private var graph = ONNXGraph()
    /// The activated time embedding, [N, width].
    private var time = ONNXGraph.Value(name: "")

    private init(_ model: UNet) { self.model = model }

    /// - Parameter size: height and width of the images.
    static func graph(of model: UNet, size: [Int]) -> ONNXGraph {
        var builder = UNetGraph(model)
        builder.build(size)
        return builder.graph
    }

    private mutating func build(_ size: [Int]) {
        let configuration = model.configuration
        var x = graph.input("sample", .float, shape: [nil, configuration.inChannels] + size)
        let timesteps = graph.input(
            "timestep", configuration.timeEmbeddingType == .fourier ? .float : .int64, shape: [nil])
        if configuration.centerInputSample {
            x = graph.apply("Sub", graph.apply("Mul", x, graph.constant(2)), graph.constant(1))
        }
        var embedding = embedded(model.timeEmbedding, projected(timesteps))
        if let labels = classEmbedding() { embedding = graph.apply("Add", embedding, labels) }
        time = graph.activated(embedding, configuration.activation)

        var image = x
        x = graph.convolution(model.convIn, x)
        var skips = [x]
        for level in model.downLevels {
            for index in level.resnets.indices {
                x = layer(level, index, [x])
                skips.append(x)
            }
            if let resampler = level.resampler {
                x = resampled(resampler, x)
                if case .input(let convolution) = level.pyramid {
                    image = filteredDown(image, channels: configuration.inChannels)
                    x = graph.apply("Add", graph.convolution(convolution, image), x)
                }
                skips.append(x)
            }
        }
        if let middle = model.middle {
            x = resnet(middle.first, [x])
            if let attention = middle.attention { x = graph.attention(attention, x) }
            x = resnet(middle.second, [x])
        }
        var drawn: ONNXGraph.Value?
        for level in model.upLevels {
            for index in level.resnets.indices { x = layer(level, index, [x, skips.removeLast()]) }
            if let pyramid = level.pyramid { drawn = grown(pyramid, drawn, from: x) }
            if let resampler = level.resampler { x = resampled(resampler, x) }
        }
        x = graph.convolution(model.convOut, graph.activated(graph.normalized(model.normOut, x), .silu))
        if let drawn { x = graph.apply("Add", x, drawn) }
        if configuration.timeEmbeddingType == .fourier {
            // Fourier models predict timestep × score.
            x = graph.apply("Div", x, graph.reshaped(timesteps, [-1, 1, 1, 1]))
        }
        graph.output(x, named: "prediction", shape: [nil, configuration.outChannels] + size)
    }

    // MARK: time and class

    /// [N] → [N, width]: diffusers' `time_proj`.
    private mutating func projected(_ numbers: ONNXGraph.Value) -> ONNXGraph.Value {
        switch model.timeProjection.kind {
        case .learned(let table):
            return graph.apply("Gather", graph.weight(table.weight), numbers)
        case .positional(let width, _, let flip):
            let frequencies = graph.constant(model.timeProjection.frequencies, shape: [1, width / 2])
            let angles = graph.apply("Mul", column(numbers), frequencies)
            let (sines, cosines) = (graph.apply("Sin", angles), graph.apply("Cos", angles))
            var parts = flip ? [cosines, sines] : [sines, cosines]
            if width % 2 == 1 {
                parts.append(graph.apply("Mul", column(numbers), graph.constant(0)))
            }
            return graph.concatenated(parts, axis: 1)
        case .fourier(let frequencies):
            let scaled = graph.constant(
                frequencies.variable.value.array.map { $0 * 2 * Float.pi }, shape: [1, frequencies.count])
            let angles = graph.apply("Mul", graph.apply("Log", column(numbers)), scaled)
            return graph.concatenated([graph.apply("Sin", angles), graph.apply("Cos", angles)], axis: 1)
        }
    }

    /// [N] → [N, 1], as floats.
    private mutating func column(_ numbers: ONNXGraph.Value) -> ONNXGraph.Value {
        let floats = graph.apply(
            "Cast", numbers, attributes: [("to", .int(Int(ONNXGraph.ElementType.float.rawValue)))])
        return graph.reshaped(floats, [-1, 1])
    }

    private mutating func embedded(_ embedding: TimestepEmbedding, _ x: ONNXGraph.Value) -> ONNXGraph.Value {
        graph.linear(embedding.second, graph.activated(graph.linear(embedding.first, x), .silu))
    }

    private mutating func classEmbedding() -> ONNXGraph.Value? {
        let embedder = model.classEmbedding
        switch embedder.kind {
        case .none: return nil
        case .table(let table):
            let labels = graph.input("class_labels", .int64, shape: [nil])
            return graph.apply("Gather", graph.weight(table.weight), labels)
        case .timestep(let embedding):
            let labels = graph.input("class_labels", .float, shape: [nil])
            return embedded(embedding, projected(labels))
        case .identity:
            let vectors = graph.input("class_labels", .float, shape: [nil, embedder.axis.originalWidth])
            return graph.apply(
                "Gather", vectors, graph.constant(embedder.axis.keptPositions), attributes: [("axis", .int(1))])
        }
    }

    // MARK: blocks

    private mutating func layer(
        _ level: UNetLevel, _ index: Int, _ parts: [ONNXGraph.Value]
    ) -> ONNXGraph.Value {
        let x = resnet(level.resnets[index], parts)
        return level.attentions[index].map { graph.attention($0, x) } ?? x
    }

    private mutating func resnet(_ block: ResnetBlock, _ parts: [ONNXGraph.Value]) -> ONNXGraph.Value {
        let input = graph.concatenated(parts, axis: 1)
        guard !block.isRemoved else {
            let sampled = resampled(input, block.variant.resampling, channels: block.conv1.from.width)
            let sum = graph.biasAlone(
                block.conv2.bias, onto: block.shortcut.map { graph.convolution($0, sampled) } ?? sampled)
            return graph.scaled(sum, by: 1 / block.variant.outputScale)
        }
        let activation = block.settings.activation
        let width = block.conv1.from.width
        var hidden = graph.activated(graph.normalized(block.norm1, input), activation)
        hidden = resampled(hidden, block.variant.resampling, channels: width)
        let residual = resampled(input, block.variant.resampling, channels: width)
        let inner = block.conv1.to.width
        let signal = graph.linear(block.timeProjection, time)
        hidden = graph.convolution(block.conv1, hidden)
        if block.settings.scaleShift {
            let modulation = graph.reshaped(signal, [-1, 2 * inner, 1, 1])
            let scale = graph.apply("Add", sliced(modulation, 0..<inner), graph.constant(1))
            hidden = graph.apply("Mul", graph.normalized(block.norm2, hidden), scale)
            hidden = graph.apply("Add", hidden, sliced(modulation, inner..<(2 * inner)))
        } else {
            hidden = graph.apply("Add", hidden, graph.reshaped(signal, [-1, inner, 1, 1]))
            hidden = graph.normalized(block.norm2, hidden)
        }
        hidden = graph.convolution(block.conv2, graph.activated(hidden, activation))
        let sum = graph.apply("Add", hidden, block.shortcut.map { graph.convolution($0, residual) } ?? residual)
        return graph.scaled(sum, by: 1 / block.variant.outputScale)
    }

    /// Channels `range` of [N, C, 1, 1].
    private mutating func sliced(_ x: ONNXGraph.Value, _ range: Range<Int>) -> ONNXGraph.Value {
        graph.apply(
            "Slice", x, graph.constant([range.lowerBound]), graph.constant([range.upperBound]), graph.constant([1]))
    }

    private mutating func resampled(_ resampler: Resampler, _ x: ONNXGraph.Value) -> ONNXGraph.Value {
        switch resampler {
        case .downConvolution(let convolution): graph.convolution(convolution, x)
        case .upConvolution(let convolution): graph.convolution(convolution, doubled(x))
        case .resnet(let block): resnet(block, [x])
        }
    }

    private mutating func resampled(
        _ x: ONNXGraph.Value, _ resampling: ResnetVariant.Resampling, channels: Int
    ) -> ONNXGraph.Value {
        switch resampling {
        case .none: x
        case .averagedDown:
            graph.apply("AveragePool", x, attributes: [("kernel_shape", .ints([2, 2])), ("strides", .ints([2, 2]))])
        case .nearestUp: doubled(x)
        case .filteredDown: filteredDown(x, channels: channels)
        case .filteredUp: filteredUp(x, channels: channels)
        }
    }

    private mutating func doubled(_ x: ONNXGraph.Value) -> ONNXGraph.Value {
        let none = ONNXGraph.Value(name: "")
        let factors = graph.constant([1, 1, 2, 2] as [Float], shape: [4])
        return graph.apply(
            "Resize", x, none, factors,
            attributes: [
                ("mode", .text("nearest")), ("coordinate_transformation_mode", .text("asymmetric")),
                ("nearest_mode", .text("floor")),
            ])
    }

    // MARK: images beside the stream

    private mutating func grown(
        _ pyramid: ImagePyramid, _ image: ONNXGraph.Value?, from stream: ONNXGraph.Value
    ) -> ONNXGraph.Value? {
        let larger = image.map { filteredUp($0, channels: model.configuration.outChannels) }
        guard case .output(let norm, let convolution) = pyramid else { return larger }
        let drawn = graph.convolution(convolution, graph.activated(graph.normalized(norm, stream), .silu))
        return larger.map { graph.apply("Add", drawn, $0) } ?? drawn
    }

    /// The separable filter (1, 3, 3, 1) with sum `gain`, one 4×4 kernel a channel.
    private mutating func filter(gain: Float, channels: Int) -> ONNXGraph.Value {
        let taps: [Float] = [1, 3, 3, 1]
        let kernel = taps.flatMap { a in taps.map { b in gain * a * b / 64 } }
        return graph.constant((0..<channels).flatMap { _ in kernel }, shape: [channels, 1, 4, 4])
    }

    private static func window(_ channels: Int) -> [(String, ONNXGraph.Attribute)] {
        [
            ("kernel_shape", .ints([4, 4])), ("strides", .ints([2, 2])), ("pads", .ints([1, 1, 1, 1])),
            ("group", .int(channels)),
        ]
    }

    private mutating func filteredDown(_ x: ONNXGraph.Value, channels: Int) -> ONNXGraph.Value {
        graph.apply("Conv", x, filter(gain: 1, channels: channels), attributes: Self.window(channels))
    }

    private mutating func filteredUp(_ x: ONNXGraph.Value, channels: Int) -> ONNXGraph.Value {
        graph.apply("ConvTranspose", x, filter(gain: 4, channels: channels), attributes: Self.window(channels))
    }
}
