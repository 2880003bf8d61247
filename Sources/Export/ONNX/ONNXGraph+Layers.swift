import Layers
import TensorCore

/// The layers of the house as operators, images as [N, C, H, W].
extension ONNXGraph {
    mutating func weight(_ parameter: Parameter) -> Value {
        weight(
            parameter.name, parameter.fileValues(of: parameter.effective.value), shape: parameter.fileShape)
    }

    mutating func convolution(_ layer: Conv2d, _ x: Value) -> Value {
        apply(
            "Conv", x, weight(layer.weight), weight(layer.bias),
            attributes: [
                ("kernel_shape", .ints([layer.kernel, layer.kernel])),
                ("strides", .ints([layer.stride, layer.stride])),
                (
                    "pads",
                    .ints([layer.padding.top, layer.padding.left, layer.padding.bottom, layer.padding.right])
                ),
            ])
    }

    /// [N, from] → [N, to].
    mutating func linear(_ layer: Linear, _ x: Value) -> Value {
        apply("Gemm", x, weight(layer.weight), weight(layer.bias), attributes: [("transB", .int(1))])
    }

    mutating func activated(_ x: Value, _ activation: Activation) -> Value {
        switch activation {
        case .identity: return x
        case .silu: return apply("Mul", x, apply("Sigmoid", x))
        case .relu: return apply("Relu", x)
        case .gelu:
            let half = apply("Mul", x, constant(0.5))
            let error = apply("Erf", apply("Mul", x, constant(Float(0.5).squareRoot())))
            return apply("Mul", half, apply("Add", error, constant(1)))
        case .mish: return apply("Mul", x, apply("Tanh", apply("Softplus", x)))
        }
    }

    /// Every channel in the group of its original number. Equal groups are an instance normalisation of as many
    /// rows; unequal ones are written out, with the means over a group as products by a matrix.
    ///
    /// - Parameter channelShape: how γ and β stand beside `x`: [C, 1, 1] for images.
    mutating func normalized(_ layer: GroupNorm, _ x: Value) -> Value {
        let groupOfChannel = layer.axis.keptPositions.map { $0 * layer.groupCount / layer.axis.originalWidth }
        let numbers = Set(groupOfChannel).sorted()
        let sizes = numbers.map { number in groupOfChannel.filter { $0 == number }.count }
        let normalized: Value
        if Set(sizes).count == 1 {
            let rows = reshaped(x, [0, numbers.count, -1])
            let ones = constant([Float](repeating: 1, count: numbers.count), shape: [numbers.count])
            let zeros = constant([Float](repeating: 0, count: numbers.count), shape: [numbers.count])
            let instances = apply(
                "InstanceNormalization", rows, ones, zeros, attributes: [("epsilon", .float(layer.epsilon))])
            normalized = apply("Reshape", instances, apply("Shape", x))
        } else {
            let width = groupOfChannel.count
            var averaging = [Float](repeating: 0, count: width * width)
            for (from, group) in groupOfChannel.enumerated() {
                for (to, other) in groupOfChannel.enumerated() where group == other {
                    averaging[from * width + to] = 1 / Float(sizes[numbers.firstIndex(of: group) ?? 0])
                }
            }
            let matrix = constant(averaging, shape: [width, width])
            let centred = apply("Sub", x, groupMean(x, matrix, width))
            let variance = groupMean(apply("Mul", centred, centred), matrix, width)
            normalized = apply(
                "Div", centred, apply("Sqrt", apply("Add", variance, constant(layer.epsilon))))
        }
        return affine(layer, normalized)
    }

    /// [N, C, 1, 1]: each channel's mean over its group.
    private mutating func groupMean(_ x: Value, _ averaging: Value, _ width: Int) -> Value {
        let means = apply("ReduceMean", x, attributes: [("axes", .ints([2, 3])), ("keepdims", .int(0))])
        return reshaped(apply("MatMul", means, averaging), [-1, width, 1, 1])
    }

    private mutating func affine(_ layer: GroupNorm, _ x: Value) -> Value {
        let shape = [layer.axis.width, 1, 1]
        let gamma = weight(
            layer.gamma.name, layer.gamma.effective.value.array, shape: shape)
        let beta = weight(layer.beta.name, layer.beta.effective.value.array, shape: shape)
        return apply("Add", apply("Mul", x, gamma), beta)
    }

    /// The attention block over the pixels of an image. Heads with fewer channels left are filled with zeros up to the
    /// widest; logits keep the scale of the original head width.
    mutating func attention(_ layer: SelfAttention, _ x: Value) -> Value {
        guard !layer.isRemoved else {
            return scaled(biasAlone(layer.toOutput.bias, onto: x), by: 1 / layer.rescale)
        }
        let tokens = transposed(
            reshaped(layer.norm.map { normalized($0, x) } ?? x, [0, layer.toQuery.from.width, -1]), [0, 2, 1])
        let heads = HeadPlaces(layer)
        func split(_ graph: inout ONNXGraph, _ projection: Linear, _ order: [Int]) -> Value {
            let product = graph.projected(projection, tokens, to: heads)
            return graph.transposed(graph.reshaped(product, [0, 0, heads.count, heads.width]), order)
        }
        let queries = split(&self, layer.toQuery, [0, 2, 1, 3])
        let keys = split(&self, layer.toKey, [0, 2, 3, 1])
        let values = split(&self, layer.toValue, [0, 2, 1, 3])
        let logits = apply("Mul", apply("MatMul", queries, keys), constant(layer.heads.scale))
        let attended = apply("MatMul", apply("Softmax", logits, attributes: [("axis", .int(-1))]), values)
        let joined = reshaped(transposed(attended, [0, 2, 1, 3]), [0, 0, heads.count * heads.width])
        let output = projected(layer.toOutput, joined, from: heads)
        let image = apply("Reshape", transposed(output, [0, 2, 1]), apply("Shape", x))
        return scaled(apply("Add", image, x), by: 1 / layer.rescale)
    }

    mutating func scaled(_ x: Value, by factor: Float) -> Value {
        factor == 1 ? x : apply("Mul", x, constant(factor))
    }

    /// A layer's bias on top of images, where the layer has no inputs left.
    mutating func biasAlone(_ bias: Parameter, onto x: Value) -> Value {
        apply("Add", x, weight(bias.name, bias.effective.value.array, shape: [bias.count, 1, 1]))
    }

    /// [N, T, from] → [N, T, heads × width], zeros where a head has fewer channels.
    private mutating func projected(_ layer: Linear, _ x: Value, to heads: HeadPlaces) -> Value {
        let (inputs, outputs) = (layer.from.width, layer.to.width)
        let values = layer.weight.effective.value.array
        var matrix = [Float](repeating: 0, count: inputs * heads.total)
        for input in 0..<inputs {
            for output in 0..<outputs {
                matrix[input * heads.total + heads.places[output]] = values[input * outputs + output]
            }
        }
        var bias = [Float](repeating: 0, count: heads.total)
        for (output, value) in layer.bias.effective.value.array.enumerated() { bias[heads.places[output]] = value }
        let product = apply("MatMul", x, weight(layer.weight.name, matrix, shape: [inputs, heads.total]))
        return apply("Add", product, weight(layer.bias.name, bias, shape: [heads.total]))
    }

    /// [N, T, heads × width] → [N, T, to].
    private mutating func projected(_ layer: Linear, _ x: Value, from heads: HeadPlaces) -> Value {
        let (inputs, outputs) = (layer.from.width, layer.to.width)
        let values = layer.weight.effective.value.array
        var matrix = [Float](repeating: 0, count: heads.total * outputs)
        for input in 0..<inputs {
            for output in 0..<outputs {
                matrix[heads.places[input] * outputs + output] = values[input * outputs + output]
            }
        }
        let product = apply("MatMul", x, weight(layer.weight.name, matrix, shape: [heads.total, outputs]))
        return apply("Add", product, weight(layer.bias.name, layer.bias.effective.value.array, shape: [outputs]))
    }
}

/// Where the channels of an attention's inner axis stand in heads of one width.
private struct HeadPlaces {
    let count: Int
    let width: Int
    /// For each channel left its place among `count` × `width`.
    let places: [Int]

    var total: Int { count * width }

    init(_ layer: SelfAttention) {
        let widths = layer.heads.widths
        let present = widths.filter { $0 > 0 }
        let widest = present.max() ?? 0
        (count, width) = (present.count, widest)
        places = present.enumerated().flatMap { head, width in (0..<width).map { head * widest + $0 } }
    }
}
