/// What can be wrong with a scheduler's configuration, or with what a schedule is asked for.
public enum SchedulerError: Error, Equatable, CustomStringConvertible {
    /// The text is not a JSON object.
    case malformed(String)
    /// A key holds something it cannot.
    case invalidValue(key: String, got: String, expected: String)
    /// More or fewer sampling steps than there are training timesteps.
    case stepCount(got: Int, trainTimesteps: Int)
    /// A timestep the schedule does not have.
    case timestep(got: Int, trainTimesteps: Int)
    /// The conversion divides by a signal or noise coefficient that is zero at this timestep.
    case undefinedConversion(from: PredictionType, to: PredictionType, timestep: Int)
    /// A buffer of the wrong length.
    case elementCount(buffer: String, got: Int, expected: Int)

    public var description: String {
        switch self {
        case .malformed(let reason):
            "scheduler configuration: expected a JSON object, but \(reason)"
        case .invalidValue(let key, let got, let expected):
            "scheduler configuration: \(key) is \(got), expected \(expected)"
        case .stepCount(let got, let trainTimesteps):
            "\(got) sampling steps, expected 1 to \(trainTimesteps) (the schedule's training timesteps); "
                + "nearest is \(min(max(got, 1), trainTimesteps))"
        case .timestep(let got, let trainTimesteps):
            "timestep \(got), expected 0 to \(trainTimesteps - 1)"
        case .undefinedConversion(let from, let to, let timestep):
            "a \(from.rawValue) prediction at timestep \(timestep) does not determine \(to.rawValue): "
                + "the schedule has no \(from == .sample ? "noise" : "signal") there"
        case .elementCount(let buffer, let got, let expected):
            "\(buffer) has \(got) elements, expected \(expected)"
        }
    }
}
