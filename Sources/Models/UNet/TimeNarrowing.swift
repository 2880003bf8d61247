import Foundation
import Layers
import LinearAlgebra
import TensorCore

/// Gives a U-Net of a smaller first width the time embedding that goes with it, fitted to what a wider one computes.
///
/// diffusers projects a timestep to as many numbers as the first level has channels, and its time embedding is four
/// times as wide. All of it depends on the timestep (and the class) alone, so that it can be fitted over all of them
/// without data: from the projection to what ResNet blocks read, each linear layer in turn by least squares, near the
/// part of its weights that is left.
///
///     kept_k   ⇐ largest  std_t(x_k(t)) · ‖weights that read x_k‖
///     W*       = argmin_W  Σ_t ‖W·x*(t) − y_kept(t)‖² + λ·‖W − W_kept‖²
///
/// x* is what the layers before have become, y what the wider embedding computes there.
struct TimeNarrowing {
    /// As `PlainForm.positions`, of the parameters that were fitted; empty where nothing has become narrower.
    private(set) var positions: [String: [[Int]]] = [:]

    /// Timesteps, and pairs of a timestep and a class, that are looked at: a prime, so that no pattern is missed.
    private static let mostRows = 8191
    /// λ over the mean square norm of what a layer reads. What is read is smooth in the timestep, and so nearly
    /// dependent: a hundredth of this gains a fifth of the error and makes weights three times as large.
    fileprivate static let penalty = 1e-3

    /// - Parameters:
    ///   - source: the wider network.
    ///   - target: is given its time embedding.
    ///   - earlier: which positions of the wider one stay; nil for those that matter most.
    /// - Throws: `LinearAlgebraError`.
    init(from source: UNet, to target: UNet, like earlier: [String: [[Int]]]?) throws {
        let (first, second) = (source.timeEmbedding.first, source.timeEmbedding.second)
        guard
            target.timeProjection.axis.width < source.timeProjection.axis.width
                || target.timeAxis.width < source.timeAxis.width
        else { return }
        let times = Self.times(of: source)
        func choice(_ name: String, _ dimension: Int, _ count: Int, _ importance: () -> [Double]) -> [Int] {
            earlier?[name]?[dimension] ?? Self.largest(count, of: importance())
        }

        // The projection.
        let projected = Samples(source.timeProjection(times))
        let inputs =
            earlier?[first.weight.name]?[0]
            ?? Self.inputs(from: source.timeProjection, to: target.timeProjection, projected, first)
        narrowProjection(from: source.timeProjection, to: target.timeProjection, inputs: inputs)
        let narrowProjected = Samples(target.timeProjection(times))

        // The hidden layer.
        let hidden = try projected.through(first)
        let activated = hidden.activated(.silu)
        let units = choice(first.weight.name, 1, target.timeEmbedding.first.to.width) {
            activated.importance(to: [second])
        }
        try fit(
            target.timeEmbedding.first, to: hidden.columns(units), of: narrowProjected, near: first, inputs: inputs,
            outputs: units)
        let narrowActivated = try narrowProjected.through(target.timeEmbedding.first).activated(.silu)

        // The embedding, alone and with each class.
        let embedding = try activated.through(second)
        var classes: Samples?
        if case .table(let table) = source.classEmbedding.kind { classes = Samples(table.weight.variable) }
        let rows = Rows(times: times.count, classes: classes?.rows ?? 1, most: Self.mostRows)
        let activation = source.configuration.activation
        let read = embedding.joined(with: classes, at: rows).activated(activation)
        let readers = source.timeReaders.projections
        let channels = choice(second.weight.name, 1, target.timeAxis.width) { read.importance(to: readers) }
        try fit(
            target.timeEmbedding.second, to: embedding.columns(channels), of: narrowActivated, near: second,
            inputs: units, outputs: channels)
        narrowClasses(from: source.classEmbedding, to: target.classEmbedding, channels)

        // What ResNet blocks read.
        let narrowRead = try narrowActivated.through(target.timeEmbedding.second)
            .joined(with: classes?.columns(channels), at: rows).activated(activation)
        let ridge = try narrowRead.ridge()
        for (old, new) in zip(readers, target.timeReaders.projections) {
            try fit(
                new, to: read.through(old), by: ridge, near: old, inputs: channels,
                outputs: Array(0..<old.to.width))
        }
    }

    /// The timesteps that the network learns, or of very many as many between them. A Fourier embedding's numbers are
    /// noise levels: its waves run through all phases many times between any two of them that are far apart.
    private static func times(of model: UNet) -> [Float] {
        let count = min(model.timestepCount, mostRows)
        switch model.timeProjection.kind {
        case .positional:
            return (0..<count).map { Float($0 * model.timestepCount / count) }
        case .learned(let table):
            let count = min(table.count, mostRows)
            return (0..<count).map { Float($0 * table.count / count) }
        case .fourier:
            let (low, high) = (log(0.01), log(Double(max(model.timestepCount, 1))))
            return (0..<count).map { Float(exp(low + (high - low) * Double($0) / Double(max(count - 1, 1)))) }
        }
    }

    private static func largest(_ count: Int, of importance: [Double]) -> [Int] {
        importance.indices.sorted { (-importance[$0], $0) < (-importance[$1], $1) }.prefix(count).sorted()
    }

    // MARK: the projection

    /// The inputs of the first layer that those of a narrower projection stand for: of frequencies that are fixed the
    /// nearest, of others those that matter most.
    private static func inputs(
        from source: TimeProjection, to target: TimeProjection, _ samples: Samples, _ first: Linear
    ) -> [Int] {
        switch source.kind {
        case .positional:
            let (old, new) = (source.frequencies, target.frequencies)
            let nearest = new.map { frequency in
                old.indices.min { abs(log(old[$0] / frequency)) < abs(log(old[$1] / frequency)) } ?? 0
            }
            // An odd width ends in a zero.
            let rest = Array(repeating: source.axis.width - 1, count: target.axis.width - 2 * new.count)
            return nearest + nearest.map { $0 + old.count } + rest
        case .fourier:
            let importance = samples.importance(to: [first])
            let count = importance.count / 2
            let kept = largest(target.axis.width / 2, of: (0..<count).map { importance[$0] + importance[$0 + count] })
            return kept + kept.map { $0 + count }
        case .learned: return largest(target.axis.width, of: samples.importance(to: [first]))
        }
    }

    private mutating func narrowProjection(from source: TimeProjection, to target: TimeProjection, inputs: [Int]) {
        switch (source.kind, target.kind) {
        case (.fourier(let old), .fourier(let new)):
            let kept = Array(inputs.prefix(new.count))
            gather(old, into: new, [kept])
        case (.learned(let old), .learned(let new)):
            gather(old.weight, into: new.weight, [Array(0..<old.count), inputs])
        default: break
        }
    }

    private mutating func narrowClasses(from source: ClassEmbedder, to target: ClassEmbedder, _ channels: [Int]) {
        guard case .table(let old) = source.kind, case .table(let new) = target.kind else { return }
        gather(old.weight, into: new.weight, [Array(0..<old.count), channels])
    }

    /// Takes rows of a table, or elements of a list.
    private mutating func gather(_ old: Parameter, into new: Parameter, _ kept: [[Int]]) {
        positions[new.name] = kept
        let width = kept.count == 2 ? old.variable.shape[1] : 1
        let elements = kept.count == 2 ? kept[0].flatMap { row in kept[1].map { row * width + $0 } } : kept[0]
        for (index, element) in elements.enumerated() {
            new.variable.value.pointer[index] = old.variable.value.pointer[element]
        }
    }

    // MARK: layers

    private mutating func fit(
        _ layer: Linear, to outcome: Samples, of samples: Samples, near former: Linear, inputs: [Int], outputs: [Int]
    ) throws {
        try fit(layer, to: outcome, by: samples.ridge(), near: former, inputs: inputs, outputs: outputs)
    }

    /// - Parameter ridge: of the samples that the layer reads, with a column of ones for its bias.
    private mutating func fit(
        _ layer: Linear, to outcome: Samples, by ridge: Ridge, near former: Linear, inputs: [Int], outputs: [Int]
    ) throws {
        positions[layer.weight.name] = [inputs, outputs]
        positions[layer.bias.name] = [outputs]
        let width = former.to.width
        let (weight, bias) = (former.weight.variable.value, former.bias.variable.value)
        let prior = withExtendedLifetime((weight, bias)) {
            inputs.flatMap { row in outputs.map { Double(weight.pointer[row * width + $0]) } }
                + outputs.map { Double(bias.pointer[$0]) }
        }
        let solution = try ridge.solve(outcome.values, near: prior, outputs: outputs.count).map { Float($0) }
        let count = layer.weight.count
        layer.weight.variable.value.assign(
            Tensor(Array(solution[..<count]), shape: [inputs.count, outputs.count]))
        layer.bias.variable.value.assign(Tensor(Array(solution[count...]), shape: [outputs.count]))
    }
}

/// Pairs of a timestep and a class.
private struct Rows {
    let pairs: [(time: Int, number: Int)]

    init(times: Int, classes: Int, most: Int) {
        let all = times * classes
        let count = min(all, most)
        pairs = (0..<count).map { row in
            let pair = row * all / count
            return (pair / classes, pair % classes)
        }
    }
}

/// What a layer reads or makes, one row a timestep.
private struct Samples {
    let rows: Int
    let width: Int
    let values: [Double]

    init(rows: Int, width: Int, values: [Double]) { (self.rows, self.width, self.values) = (rows, width, values) }

    init(_ variable: Variable) {
        self.init(
            rows: variable.shape[0], width: variable.shape[1], values: variable.value.array.map { Double($0) })
    }

    func activated(_ activation: Activation) -> Samples {
        Autograd.withoutRecording {
            Samples(Variable(Tensor(values.map { Float($0) }, shape: [rows, width])).activated(activation))
        }
    }

    func columns(_ kept: [Int]) -> Samples {
        Samples(
            rows: rows, width: kept.count,
            values: (0..<rows).flatMap { row in kept.map { values[row * width + $0] } })
    }

    func through(_ layer: Linear) throws -> Samples {
        let bias = layer.bias.variable.value.array.map { Double($0) }
        var result = (0..<rows).flatMap { _ in bias }
        try BLAS.multiply(
            values, by: layer.weight.variable.value.array.map { Double($0) }, rows: rows, inner: width,
            columns: bias.count, beta: 1, into: &result)
        return Samples(rows: rows, width: bias.count, values: result)
    }

    /// The rows of pairs: a timestep's, with what is added for a class.
    func joined(with classes: Samples?, at rows: Rows) -> Samples {
        Samples(
            rows: rows.pairs.count, width: width,
            values: rows.pairs.flatMap { pair in
                (0..<width).map { column in
                    values[pair.time * width + column] + (classes?.values[pair.number * width + column] ?? 0)
                }
            })
    }

    /// Of each column the standard deviation times the norm of the weights that read it.
    func importance(to layers: [Linear]) -> [Double] {
        (0..<width).map { column in
            let samples = (0..<rows).map { values[$0 * width + column] }
            let mean = samples.reduce(0, +) / Double(rows)
            let variance = samples.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rows)
            let weights = layers.reduce(0.0) { sum, layer in
                let outputs = layer.to.width
                return sum
                    + layer.weight.variable.value.unsafeBuffer[(column * outputs)..<((column + 1) * outputs)].reduce(0)
                {
                    $0 + Double($1) * Double($1)
                }
            }
            return (variance * weights).squareRoot()
        }
    }

    /// For fits of linear layers that read these samples; the last column is that of the bias.
    func ridge() throws -> Ridge {
        try Ridge(
            (0..<rows).flatMap { row in values[(row * width)..<((row + 1) * width)] + [1] }, rows: rows,
            columns: width + 1, penalty: TimeNarrowing.penalty)
    }
}
