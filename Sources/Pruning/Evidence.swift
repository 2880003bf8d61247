import TensorCore
import Training

/// What a method has to know before it can judge.
public struct Evidence: OptionSet, Sendable, Hashable, CustomStringConvertible {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    public static let weights = Evidence(rawValue: 1 << 0)
    /// ∂L/∂w and ∂L/∂m over the calibration batches.
    public static let gradients = Evidence(rawValue: 1 << 1)
    /// Exact Hessian–vector products.
    public static let curvature = Evidence(rawValue: 1 << 2)
    /// Gradients timestep by timestep.
    public static let stagedGradients = Evidence(rawValue: 1 << 3)
    /// The gradient of each sample's own loss.
    public static let perSampleGradients = Evidence(rawValue: 1 << 4)

    private static let names: [(Evidence, String)] = [
        (.weights, "weights"), (.gradients, "gradients"), (.curvature, "curvature"),
        (.stagedGradients, "staged gradients"), (.perSampleGradients, "per-sample gradients"),
    ]
    public var names: [String] { Self.names.filter { contains($0.0) }.map(\.1) }
    public var description: String { names.joined(separator: ", ") }
}

public enum EvidenceError: Error, CustomStringConvertible {
    case missing(needed: Evidence, offered: Evidence)
    case notFinite(String)

    public var description: String {
        switch self {
        case .missing(let needed, let offered):
            "the method needs \(needed), but only \(offered) can be had: give it data"
        case .notFinite(let what):
            "\(what) is not finite: the weights or the data are broken, or the learning rate too high"
        }
    }
}

/// Where losses come from. Everything is fixed (data, noise, timesteps), so that scores can be compared between rounds.
public protocol CalibrationSource: AnyObject {
    var offers: Evidence { get }
    /// Number of fixed batches whose mean is *the* loss.
    var batchCount: Int { get }
    /// The mean loss of one batch with the network's present weights and gates.
    func loss(batch: Int) throws -> Variable
    /// Number of stages (timesteps, from 0 upward) of `stageLoss`.
    var stageCount: Int { get }
    /// The loss of one fixed batch with one fixed noise, all of it at timestep `stage`.
    func loss(stage: Int) throws -> Variable
    var sampleCount: Int { get }
    /// The loss of one sample alone.
    func loss(sample: Int) throws -> Variable
}

/// Gradients of the calibration loss.
public struct GradientEvidence {
    public let loss: Double
    /// ∂L/∂w, flat, laid out as the arena.
    public let weights: Tensor
    /// What each calibration batch adds to ∂L/∂m: by batch, group and channel.
    public let gatesOfBatches: [[[Double]]]
    /// ∂L/∂m of each channel of each group.
    public var gates: [[Double]] { gatesOfBatches.summed }
}

/// Derivatives of the energy E = −½‖∂L/∂w‖².
public struct CurvatureEvidence {
    public let gradient: GradientEvidence
    /// E.
    public var energy: Double { -0.5 * squaredNorm }
    public let squaredNorm: Double
    /// H·g, flat, laid out as the arena.
    public let hessianGradient: Tensor
    /// gᵀHg.
    public let curvatureAlongGradient: Double
    /// ‖g‖²/(gᵀHg), the step along −g that takes the loss's quadratic model lowest; nil where it has no lowest point.
    public var cauchyStep: Double? { curvatureAlongGradient > 0 ? squaredNorm / curvatureAlongGradient : nil }
    /// What each calibration batch adds to −∂E/∂m: by batch, group and channel.
    public let velocitiesOfBatches: [[[Double]]]
    /// −∂E/∂m of each channel of each group: the velocity of the masks along the energy's gradient flow.
    public var velocity: [[Double]] { velocitiesOfBatches.summed }
}

extension [[[Double]]] {
    /// The sum over batches, by group and channel.
    public var summed: [[Double]] {
        dropFirst().reduce(first ?? []) { sum, batch in zip(sum, batch).map { zip($0, $1).map { $0 + $1 } } }
    }
}

/// Gathers evidence from a network with gates and a calibration source.
public final class EvidenceCollector {
    public let groups: [PrunableGroup]
    public let arena: ParameterArena
    private let source: (any CalibrationSource)?

    public init(groups: [PrunableGroup], arena: ParameterArena, source: (any CalibrationSource)?) {
        self.groups = groups
        self.arena = arena
        self.source = source
    }

    public var offers: Evidence { source.map { $0.offers.union(.weights) } ?? .weights }

    public func require(_ needs: Evidence) throws {
        guard offers.isSuperset(of: needs) else { throw EvidenceError.missing(needed: needs, offered: offers) }
    }

    private func calibration(_ needs: Evidence) throws -> any CalibrationSource {
        try require(needs)
        guard let source else { throw EvidenceError.missing(needed: needs, offered: offers) }
        return source
    }

    /// Mean gradients over the calibration batches, at the present weights and masks.
    public func gradients(masks: MaskSet) throws -> GradientEvidence {
        let source = try calibration(.gradients)
        masks.install(on: groups, trainable: true)
        arena.clearGradients()
        var total = 0.0
        var gates: [[[Double]]] = []
        for batch in 0..<source.batchCount {
            let loss = try source.loss(batch: batch).scaled(by: 1 / Float(source.batchCount))
            total += Double(loss.value.scalar)
            loss.backward()
            gates.append(takeGateValues(\.gradient))
        }
        arena.completeGradients()
        guard total.isFinite, arena.gradients.allFinite else { throw EvidenceError.notFinite("the calibration loss") }
        return GradientEvidence(loss: total, weights: arena.gradients.copied(), gatesOfBatches: gates)
    }

    /// Gradients, then H·g and −∂E/∂m by differentiating the backward pass along g.
    public func curvature(masks: MaskSet) throws -> CurvatureEvidence {
        let source = try calibration([.gradients, .curvature])
        let gradient = try gradients(masks: masks)
        let products = Tensor(zeros: [arena.count])
        masks.install(on: groups, trainable: true)
        arena.clearGradients()
        arena.setTangents(gradient.weights, products: products)
        defer { arena.clearTangents() }
        var velocities: [[[Double]]] = []
        for batch in 0..<source.batchCount {
            try source.loss(batch: batch).scaled(by: 1 / Float(source.batchCount)).backward()
            velocities.append(takeGateValues(\.gradientTangent))
        }
        guard products.allFinite else { throw EvidenceError.notFinite("the Hessian–vector product") }
        let norm = arena.squaredNorm(gradient.weights)
        return CurvatureEvidence(
            gradient: gradient, squaredNorm: norm, hessianGradient: products,
            curvatureAlongGradient: arena.dot(gradient.weights, products), velocitiesOfBatches: velocities)
    }

    /// Sum of the gradients of L_t over t = 0, 1, 2, …, while `continues(L_t, largest so far)`; weights only.
    public func stagedGradients(masks: MaskSet, while continues: (Double, Double) -> Bool) throws -> (
        sum: Tensor, stages: Int
    ) {
        let source = try calibration(.stagedGradients)
        masks.install(on: groups, trainable: false)
        arena.clearGradients()
        var largest = 0.0
        var stages = 0
        for stage in 0..<source.stageCount {
            let loss = try source.loss(stage: stage)
            let value = Double(loss.value.scalar)
            guard value.isFinite else { throw EvidenceError.notFinite("the loss at timestep \(stage)") }
            largest = max(largest, value)
            guard continues(value, largest) else { break }
            loss.backward()
            stages += 1
        }
        arena.completeGradients()
        return (arena.gradients.copied(), stages)
    }

    /// Mean over samples of the squared gradient of each sample's loss, flat.
    public func meanSquaredGradients(masks: MaskSet) throws -> Tensor {
        let source = try calibration(.perSampleGradients)
        masks.install(on: groups, trainable: false)
        let sum = Tensor(zeros: [arena.count])
        for sample in 0..<source.sampleCount {
            arena.clearGradients()
            try source.loss(sample: sample).backward()
            arena.completeGradients()
            arena.addSquaredGradients(to: sum, scale: 1 / Float(source.sampleCount))
        }
        guard sum.allFinite else { throw EvidenceError.notFinite("a sample's gradient") }
        return sum
    }

    /// What the gates were given since they were last asked.
    private func takeGateValues(_ path: KeyPath<Variable, Tensor?>) -> [[Double]] {
        groups.map { group in
            defer { group.axis.gate?.clearGradients() }
            guard let tensor = group.axis.gate?[keyPath: path] else { return Array(repeating: 0, count: group.width) }
            return tensor.array.map(Double.init)
        }
    }
}
