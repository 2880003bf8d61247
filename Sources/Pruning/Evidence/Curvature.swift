import TensorCore

/// Derivatives of the energy E = −½‖∂L/∂w‖², by differentiating the backward pass along g = ∂L/∂w: exact.
public struct Curvature: EvidenceKind {
    public static let name = "curvature"

    public struct Value {
        public let gradient: Gradients.Value
        /// E.
        public var energy: Double { -0.5 * squaredNorm }
        /// ‖g‖².
        public let squaredNorm: Double
        /// H·g, flat, laid out as the arena.
        public let hessianGradient: Tensor
        /// gᵀHg.
        public let curvatureAlongGradient: Double
        /// ‖g‖²/(gᵀHg), the step along −g that takes the loss's quadratic model lowest;
        /// nil where it has no lowest point.
        public var cauchyStep: Double? { curvatureAlongGradient > 0 ? squaredNorm / curvatureAlongGradient : nil }
        /// What each batch adds to −∂E/∂m, the velocity of the masks along the energy's gradient flow.
        public let velocities: MaskReadings
    }

    public init() {}

    public func gather(at masks: Masks, from source: EvidenceSource) throws -> Value {
        let calibration: any CalibrationSource = try source.calibration(for: Self.self)
        let arena = source.arena
        let gradient = try source(Gradients(), at: masks)
        let products = Tensor(zeros: [arena.count])
        return try masks.applied(trainable: true) { applied in
            arena.clearGradients()
            arena.setTangents(gradient.weights, products: products)
            defer { arena.clearTangents() }
            var velocities = MaskReadings(masks.space, batches: calibration.batchCount)
            for batch in 0..<calibration.batchCount {
                try calibration.loss(batch: batch).scaled(by: 1 / Float(calibration.batchCount)).backward()
                velocities.add(applied.takeGradients().tangents)
            }
            guard products.allFinite else { throw EvidenceError.notFinite("the Hessian–vector product") }
            return Value(
                gradient: gradient, squaredNorm: arena.squaredNorm(gradient.weights), hessianGradient: products,
                curvatureAlongGradient: arena.dot(gradient.weights, products), velocities: velocities)
        }
    }
}
