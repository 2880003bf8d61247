/// What a sweep varies, all else staying as it is.
public enum SweepAxis: String, Sendable, Codable, CaseIterable {
    /// Images that go through the model together.
    case batch
    /// The width of every level, of nets with random weights.
    case width
    /// The height and width of the images, of nets with random weights.
    case resolution
    /// Threads of the engine.
    case threads

    /// What the values are, for the axis of a plot.
    var valueTitle: String {
        switch self {
        case .batch: "images at a time"
        case .width: "channels of the first level"
        case .resolution: "height of the images"
        case .threads: "threads"
        }
    }
}
