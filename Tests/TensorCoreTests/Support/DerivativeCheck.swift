import TensorCore
import Testing

/// An operation as the engine has it and as the Double reference has it, with the inputs to try it on.
struct DerivativeCheck: Sendable, CustomTestStringConvertible {
    enum Draw: Sendable {
        case normal
        /// In [0.2, 1], as gates are.
        case gate
        /// Normal, moved away from 0 by 0.1: for functions with a kink there.
        case awayFromZero
    }
    struct Input: Sendable {
        let shape: [Int]
        let draw: Draw
    }

    let name: String
    let inputs: [Input]
    /// Chooses the inputs; changed where they fall too near a kink for differences to mean anything.
    let seed: UInt64
    let reference: @Sendable ([DoubleArray]) -> DoubleArray
    let engine: @Sendable ([Variable]) -> Variable

    init(
        _ name: String, _ shapes: [[Int]], draws: [Draw] = [], seed: UInt64 = 11,
        reference: @escaping @Sendable ([DoubleArray]) -> DoubleArray,
        engine: @escaping @Sendable ([Variable]) -> Variable
    ) {
        self.name = name
        self.seed = seed
        inputs = shapes.enumerated().map { Input(shape: $1, draw: $0 < draws.count ? draws[$0] : .normal) }
        self.reference = reference
        self.engine = engine
    }

    var testDescription: String { name }

    /// Values that float32 holds exactly, so that both sides start from the same numbers.
    func drawn(_ purpose: String) -> [DoubleArray] {
        inputs.enumerated().map { index, input in
            var stream = RandomStream(
                seed: seed, purpose: RandomPurpose(rawValue: "\(name)/\(purpose)"), index: UInt64(index))
            return DoubleArray(
                input.shape,
                (0..<input.shape.reduce(1, *)).map { _ in
                    switch purpose == "inputs" ? input.draw : .normal {
                    case .normal: return Double(stream.normal())
                    case .gate: return Double(Float(0.2 + 0.8 * stream.uniform()))
                    case .awayFromZero:
                        let value = stream.normal()
                        return Double(value < 0 ? value - 0.1 : value + 0.1)
                    }
                })
        }
    }

    /// A random array of the output's shape.
    private func outputLike(_ purpose: String, _ shape: [Int]) -> DoubleArray {
        var stream = RandomStream(seed: seed, purpose: RandomPurpose(rawValue: "\(name)/\(purpose)"))
        return DoubleArray(shape, (0..<shape.reduce(1, *)).map { _ in Double(stream.normal()) })
    }

    // MARK: checks

    func checkValue() {
        let x = drawn("inputs")
        let expected = reference(x)
        let got = engine(x.map { Variable($0.tensor) })
        #expect(got.shape == expected.shape)
        // float32 rounding of sums over at most a few hundred terms
        expectClose(got.value.array, expected.values, tolerance: 1e-5, name)
    }

    /// ∂/∂x Σ c·op(x) against central differences of the reference.
    func checkGradient() throws {
        let x = drawn("inputs")
        let cotangent = outputLike("cotangent", reference(x).shape)
        let variables = x.map { Variable($0.tensor, requiresGradient: true) }
        let output = engine(variables)
        (output.value.count == 1 ? output : output.weightedSum(cotangent.tensor)).backward()
        let weights = output.value.count == 1 ? DoubleArray([], [1]) : cotangent
        func loss(_ x: [DoubleArray]) -> Double {
            zip(reference(x).values, weights.values).reduce(0) { $0 + $1.0 * $1.1 }
        }
        let step = 1e-5  // truncation and rounding of the difference are both near 1e-10
        for (index, variable) in variables.enumerated() {
            let expected = x[index].values.indices.map { element in
                (loss(x.moved(index, element, step)) - loss(x.moved(index, element, -step))) / (2 * step)
            }
            let gradient = try #require(variable.gradient, "\(name): input \(index) has no gradient")
            #expect(variable.gradientTangent == nil, "\(name): a gradient's tangent though nothing had a tangent")
            // float32: the backward pass sums as many terms as the forward pass
            expectClose(gradient.array, expected, tolerance: 3e-5, "\(name), gradient of input \(index)")
        }
    }

    /// H·v of mse(op(x), t), by tangents through the backward pass, against mixed central differences of the reference:
    /// along each input alone (so that every missing tangent is tried) and along all together.
    func checkHessianVectorProduct() throws {
        let x = drawn("inputs")
        let directions = drawn("direction")
        let target = outputLike("target", reference(x).shape)
        func loss(_ x: [DoubleArray]) -> Double {
            let y = reference(x)
            return y.values.count == 1 ? y.values[0] * y.values[0] : Reference.meanSquaredError(y, target)
        }
        let step = 3e-4  // truncation 1e-7, rounding 1e-8
        let zero = inputs.map { [Double](repeating: 0, count: $0.shape.reduce(1, *)) }
        var sum = zero
        for moving in x.indices {
            var expected = zero
            var (ahead, behind) = (x, x)
            ahead[moving] = x[moving].adding(step, directions[moving])
            behind[moving] = x[moving].adding(-step, directions[moving])
            for index in x.indices {
                for element in zero[index].indices {
                    let slopeAhead = loss(ahead.moved(index, element, step)) - loss(ahead.moved(index, element, -step))
                    let slopeBehind =
                        loss(behind.moved(index, element, step)) - loss(behind.moved(index, element, -step))
                    expected[index][element] = (slopeAhead - slopeBehind) / (4 * step * step)
                    sum[index][element] += expected[index][element]
                }
            }
            try compareProduct(x, directions, along: { $0 == moving }, target, expected)
        }
        if x.count > 1 { try compareProduct(x, directions, along: { _ in true }, target, sum) }
    }

    /// The gradient of mse(f, t) + mse(ḟ, u), ḟ the derivative of f = op(x) along random directions of all inputs,
    /// against differences of the reference.
    func checkLossOfDerivatives() throws {
        let x = drawn("inputs")
        let directions = drawn("direction")
        let shape = reference(x).shape
        let (target, wanted) = (outputLike("target", shape), outputLike("derivative target", shape))
        let step = 3e-4  // truncation 1e-7, rounding 1e-8
        func loss(_ x: [DoubleArray]) -> Double {
            let ends = [step, -step].map { step in reference(zip(x, directions).map { $0.adding(step, $1) }) }
            let derivative = DoubleArray(shape, zip(ends[0].values, ends[1].values).map { ($0 - $1) / (2 * step) })
            return Reference.meanSquaredError(reference(x), target) + Reference.meanSquaredError(derivative, wanted)
        }
        let variables = zip(x, directions).map { Variable($0.tensor, requiresGradient: true, tangent: $1.tensor) }
        let (value, derivative) = engine(variables).separated()
        (value.meanSquaredError(to: target.tensor) + derivative.meanSquaredError(to: wanted.tensor)).backward()
        let expected = x.indices.map { index in
            x[index].values.indices.map { element in
                (loss(x.moved(index, element, step)) - loss(x.moved(index, element, -step))) / (2 * step)
            }
        }
        let largest = expected.joined().reduce(0) { max($0, abs($1)) }
        for (index, variable) in variables.enumerated() {
            let gradient = try #require(variable.gradient, "\(name): input \(index) has no gradient")
            #expect(variable.gradientTangent == nil)
            expectClose(
                gradient.array, expected[index], tolerance: 1e-4, floor: max(0.05 * largest, 1e-3),
                "\(name), gradient of a loss of derivatives at input \(index)")
        }
    }

    private func compareProduct(
        _ x: [DoubleArray], _ directions: [DoubleArray], along: (Int) -> Bool, _ target: DoubleArray,
        _ expected: [[Double]]
    ) throws {
        let variables = x.indices.map { index in
            Variable(
                x[index].tensor, requiresGradient: true, tangent: along(index) ? directions[index].tensor : nil)
        }
        let output = engine(variables)
        let loss = output.value.count == 1 ? output.multiplied(by: output) : output.meanSquaredError(to: target.tensor)
        loss.backward()
        // Entries of one product differ widely between inputs: the largest sets the scale below which rounding rules.
        let largest = expected.joined().reduce(0) { max($0, abs($1)) }
        for (index, variable) in variables.enumerated() {
            let got = variable.gradientTangent?.array ?? expected[index].map { _ in 0 }
            expectClose(
                got, expected[index], tolerance: 1e-4, floor: max(0.05 * largest, 1e-3),
                "\(name), H·v at input \(index) along \(x.indices.filter(along))")
        }
    }
}

extension [DoubleArray] {
    /// A copy in which one element of one array is moved.
    fileprivate func moved(_ index: Int, _ element: Int, _ step: Double) -> [DoubleArray] {
        var copy = self
        copy[index].values[element] += step
        return copy
    }
}
