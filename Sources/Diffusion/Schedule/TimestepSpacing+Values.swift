extension TimestepSpacing {
    /// The timesteps of `count` sampling steps out of `trainTimesteps`, in sampling order: never rising.
    ///
    /// Differs from diffusers 0.42.1 for `trailing`: where rounding makes its list one longer than asked for, ending
    /// at −1 (T = 1000: 61, 103, 121, … steps), the extra entry is left out.
    /// - Parameters:
    ///   - count: how many.
    ///   - trainTimesteps: T.
    ///   - offset: added to `leading` timesteps; the other spacings have no use for it, as in diffusers.
    /// - Throws: `SchedulerError.stepCount` unless 1 ≤ `count` ≤ `trainTimesteps`; `SchedulerError.invalidValue` when
    ///   `offset` leads beyond the last training timestep.
    public func timesteps(count: Int, trainTimesteps: Int, offset: Int = 0) throws -> [Int] {
        guard count >= 1, count <= trainTimesteps else {
            throw SchedulerError.stepCount(got: count, trainTimesteps: trainTimesteps)
        }
        let train = Double(trainTimesteps)
        switch self {
        case .leading:
            let stride = trainTimesteps / count
            let room = trainTimesteps - 1 - (count - 1) * stride
            guard (0...room).contains(offset) else {
                throw SchedulerError.invalidValue(
                    key: SchedulerKey.stepsOffset.rawValue, got: "\(offset)",
                    expected: "0 to \(room) with leading timesteps of \(count) steps")
            }
            return (0..<count).reversed().map { $0 * stride + offset }
        case .linspace:
            return Self.evenly(to: train - 1, count: count).reversed().map { Int($0.rounded(.toNearestOrEven)) }
        case .trailing:
            // The stride numpy's arange really uses: the difference of its first two values.
            let stride = (train - train / Double(count)) - train
            return (0..<count).map { Int((train + Double($0) * stride).rounded(.toNearestOrEven)) - 1 }
        case .quadratic:
            return Self.evenly(to: (0.8 * train).squareRoot(), count: count).reversed().map { Int($0 * $0) }
        }
    }

    /// numpy.linspace(0, `last`, `count`).
    private static func evenly(to last: Double, count: Int) -> [Double] {
        let step = last / Double(max(count - 1, 1))
        return (0..<count).map { $0 > 0 && $0 == count - 1 ? last : Double($0) * step }
    }
}
