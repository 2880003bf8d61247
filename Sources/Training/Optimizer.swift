import CKernels
import Layers
import TensorCore

/// Which optimiser, with its constants; PyTorch's definitions.
public enum OptimizerKind: String, Codable, Sendable, CaseIterable {
    case adam, adamw, sgd
    /// `Muon`: orthogonalised momentum for matrices, `adamw` for the rest.
    case muon
}

public struct OptimizerConfiguration: Codable, Sendable, Equatable {
    public var kind: OptimizerKind = .adam
    public var beta1 = 0.9
    public var beta2 = 0.999
    public var epsilon = 1e-8
    public var momentum = 0.9
    public var weightDecay = 0.0

    public init() {}
}

/// Updates a parameter arena from its gradients. Its state is flat tensors of the arena's size and a step count.
public final class Optimizer {
    public let configuration: OptimizerConfiguration
    public let arena: ParameterArena
    public private(set) var step = 0
    /// Adam's moments or SGD's momentum, by name; Muon's momentum lies with the first moments.
    public let state: [(name: String, tensor: Tensor)]
    private let muon: Muon?

    public init(_ configuration: OptimizerConfiguration, arena: ParameterArena) {
        self.configuration = configuration
        self.arena = arena
        let names = configuration.kind == .sgd ? ["momentum"] : ["first_moment", "second_moment"]
        state = names.map { ($0, Tensor(zeros: [arena.count])) }
        muon = configuration.kind == .muon ? Muon(configuration, arena: arena) : nil
    }

    /// Continues from a saved state.
    public func restore(step: Int, tensors: [String: [Float]]) throws {
        for (name, tensor) in state {
            guard let values = tensors[name], values.count == tensor.count else {
                throw OptimizerError.mismatchedState(name: name, expected: tensor.count, got: tensors[name]?.count)
            }
            tensor.assign(Tensor(values, shape: [values.count]))
        }
        self.step = step
    }

    /// What is remembered of each element of `parameter`, in its shape: Adam's two moments, or the momentum of SGD and
    /// of Muon's matrices. Writing to these tensors changes the state. Empty for a parameter that is not updated here.
    public func moments(of parameter: Parameter) -> [Tensor] {
        guard let index = arena.index(of: parameter) else { return [] }
        let moments = muon != nil && Muon.takes(parameter) ? state.prefix(1) : state[...]
        return moments.map { arena.slice($0.tensor, index) }
    }

    /// Forgets what is remembered of single elements of `parameter`, as if no gradient had reached them yet: weights
    /// that grow anew must not move by what they were before.
    ///
    /// - Parameters:
    ///   - parameter: whose moments.
    ///   - elements: positions in the engine's layout.
    public func clearMoments(of parameter: Parameter, at elements: some Sequence<Int>) {
        let moments = moments(of: parameter).map(\.unsafeBuffer)
        for element in elements {
            for moment in moments { moment[element] = 0 }
        }
    }

    /// One update. Gradients are multiplied by `gradientScale` first (clipping).
    ///
    /// Arrays are float32; every constant is computed in double and rounded once.
    public func update(learningRate: Double, gradientScale: Float = 1) {
        step += 1
        let c = configuration
        switch c.kind {
        case .adam, .adamw:
            updateByAdam(0..<arena.trainedCount, isDecoupled: c.kind == .adamw, learningRate, gradientScale)
        case .muon:
            guard let muon else { return }
            for range in muon.others { updateByAdam(range, isDecoupled: true, learningRate, gradientScale) }
            muon.update(momentum: state[0].tensor, learningRate: learningRate, gradientScale: gradientScale)
        case .sgd:
            dk_sgd(
                Float(learningRate), Float(c.momentum), Float(c.weightDecay), gradientScale, arena.gradients.pointer,
                arena.trainedCount, arena.values.pointer, state[0].tensor.pointer)
        }
    }

    private func updateByAdam(_ range: Range<Int>, isDecoupled: Bool, _ learningRate: Double, _ gradientScale: Float) {
        let c = configuration
        var options = dk_adam_options(
            rest1: Float(1 - c.beta1), rest2: Float(1 - c.beta2),
            step: Float(learningRate / (1 - power(c.beta1, step))),
            root: Float(1 / (1 - power(c.beta2, step)).squareRoot()), epsilon: Float(c.epsilon),
            l2: isDecoupled ? 0 : Float(c.weightDecay), decay: isDecoupled ? Float(learningRate * c.weightDecay) : 0,
            grad_scale: gradientScale)
        let start = range.lowerBound
        dk_adam(
            &options, arena.gradients.pointer + start, range.count, arena.values.pointer + start,
            state[0].tensor.pointer + start, state[1].tensor.pointer + start)
    }

    /// base^exponent by repeated squaring: the same bits everywhere.
    private func power(_ base: Double, _ exponent: Int) -> Double {
        var (result, factor, left) = (1.0, base, exponent)
        while left > 0 {
            if left & 1 == 1 { result *= factor }
            factor *= factor
            left >>= 1
        }
        return result
    }
}

public enum OptimizerError: Error, CustomStringConvertible {
    case mismatchedState(name: String, expected: Int, got: Int?)

    public var description: String {
        switch self {
        case .mismatchedState(let name, let expected, let got):
            "optimiser state '\(name)' has \(got.map(String.init) ?? "no") values, expected \(expected)"
        }
    }
}

extension Optimizer {
    /// The factor that brings a gradient of norm `norm` down to at most `maximum` (PyTorch's clip_grad_norm_).
    public static func clippingScale(norm: Double, maximum: Double?) -> Float {
        guard let maximum else { return 1 }
        return Float(min(1, maximum / (norm + 1e-6)))
    }
}
