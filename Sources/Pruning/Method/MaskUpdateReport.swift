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
    /// How masks stand under a pressure, where the method has one. Its members lie beside the others.
    public var pressure: PressureReport?

    enum CodingKeys: String, CodingKey {
        case energy, density, recovered, removed, softness, widths
        case loss = "calibration_loss"
    }

    init(
        energy: Double?, loss: Double?, density: Double, recovered: Int, removed: Int, softness: Double,
        widths: [Double]
    ) {
        self.energy = energy
        self.loss = loss
        self.density = density
        self.recovered = recovered
        self.removed = removed
        self.softness = softness
        self.widths = widths
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        energy = try container.decodeIfPresent(Double.self, forKey: .energy)
        loss = try container.decodeIfPresent(Double.self, forKey: .loss)
        density = try container.decode(Double.self, forKey: .density)
        recovered = try container.decode(Int.self, forKey: .recovered)
        removed = try container.decode(Int.self, forKey: .removed)
        softness = try container.decode(Double.self, forKey: .softness)
        widths = try container.decode([Double].self, forKey: .widths)
        let hasPressure = try decoder.container(keyedBy: PressureReport.CodingKeys.self).contains(.epoch)
        pressure = hasPressure ? try PressureReport(from: decoder) : nil
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(energy, forKey: .energy)
        try container.encodeIfPresent(loss, forKey: .loss)
        try container.encode(density, forKey: .density)
        try container.encode(recovered, forKey: .recovered)
        try container.encode(removed, forKey: .removed)
        try container.encode(softness, forKey: .softness)
        try container.encode(widths, forKey: .widths)
        try pressure?.encode(to: encoder)
    }
}
