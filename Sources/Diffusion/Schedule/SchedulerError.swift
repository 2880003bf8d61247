/// What can be wrong with a scheduler's configuration, or with what a schedule is asked for.
public enum SchedulerError: Error, Equatable, CustomStringConvertible {
    /// The text is not a JSON object.
    case malformed(String)
    /// A key holds something it cannot.
    case invalidValue(key: String, got: String, expected: String)
    /// More or fewer sampling steps than there are training timesteps.
    case stepCount(got: Int, trainTimesteps: Int)

    public var description: String {
        switch self {
        case .malformed(let reason):
            "scheduler configuration: expected a JSON object, but \(reason)"
        case .invalidValue(let key, let got, let expected):
            "scheduler configuration: \(key) is \(got), expected \(expected)"
        case .stepCount(let got, let trainTimesteps):
            "\(got) sampling steps, expected 1 to \(trainTimesteps) (the schedule's training timesteps); "
                + "nearest is \(min(max(got, 1), trainTimesteps))"
        }
    }
}
