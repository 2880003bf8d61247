/// What a mask update reports for the log and the plots.
public struct MaskUpdateReport: Codable, Sendable, Equatable {
    /// The energy followed, where the method has one.
    public var energy: Double?
    /// The calibration loss at which the update was made, where one was read.
    public var loss: Double?
    /// Fraction of the first limit's cost left, counting soft masks by their sum.
    public var density: Double
    /// Coordinates whose mask is above zero and was zero before.
    public var recovered: Int
    /// Coordinates whose mask is zero and was not before.
    public var removed: Int
    /// Mean of 4·m·(1 − m): 0 when every mask is decided.
    public var softness: Double
    /// Σ m of each site.
    public var widths: [Double]

    enum CodingKeys: String, CodingKey {
        case energy, density, recovered, removed, softness, widths
        case loss = "calibration_loss"
    }
}
