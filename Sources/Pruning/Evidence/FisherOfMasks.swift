/// The diagonal of the empirical Fisher information of the masks: the mean over samples of (∂L_n/∂m)², L_n being the
/// loss of sample n alone. One value a coordinate.
public struct FisherOfMasks: EvidenceKind {
    public static let name = "per-sample mask gradients"

    public init() {}

    public static func isOffered(by calibration: (any CalibrationSource)?) -> Bool {
        calibration is any PerSampleCalibration
    }

    public func gather(at masks: Masks, from source: EvidenceSource) throws -> [Double] {
        let calibration: any PerSampleCalibration = try source.calibration(for: Self.self)
        return try masks.applied(trainable: true) { applied in
            source.arena.clearGradients()
            var sums = [Double](repeating: 0, count: masks.space.count)
            let count = calibration.sampleCount
            for sample in 0..<count {
                try calibration.loss(sample: sample).backward()
                for (index, value) in applied.takeGradients().gradients.enumerated() {
                    sums[index] += Double(value) * Double(value) / Double(count)
                }
            }
            guard sums.allSatisfy(\.isFinite) else { throw EvidenceError.notFinite("a sample's gradient") }
            return sums
        }
    }
}
