/// What runs of a study are compared by, picture by picture.
public struct StudyQuantity: Sendable {
    /// In files.
    public let key: String
    /// For people: "SSIM".
    public let title: String
    /// nil for a plain number.
    public let unit: String?
    /// Of what it is shown as.
    public let decimals: Int
    /// The same of differences.
    public let differenceDecimals: Int
    /// What it is multiplied by to be shown: 100 for percent.
    public let scale: Double
    /// What a mean can be.
    public let range: ClosedRange<Double>

    /// - Parameters:
    ///   - key: in files.
    ///   - title: for people.
    ///   - unit: nil for a plain number.
    ///   - decimals: of what it is shown as.
    ///   - differenceDecimals: the same of differences.
    ///   - scale: what it is multiplied by to be shown.
    ///   - range: what a mean can be.
    public init(
        _ key: String, title: String, unit: String? = nil, decimals: Int, differenceDecimals: Int, scale: Double = 1,
        range: ClosedRange<Double>
    ) {
        self.key = key
        self.title = title
        self.unit = unit
        self.decimals = decimals
        self.differenceDecimals = differenceDecimals
        self.scale = scale
        self.range = range
    }

    /// "PSNR, dB".
    var column: String { unit.map { "\(title), \($0)" } ?? title }
}

/// What a run of a study is compared by as a whole; lower is better.
public struct StudyReading: Sendable {
    /// In files of results, in camel case.
    public let key: String
    /// In tables that are files.
    public let column: String
    /// Of a column, and of an axis.
    public let title: String
    public let longTitle: String

    /// - Parameters:
    ///   - key: in files of results.
    ///   - column: in tables that are files.
    ///   - title: of a column.
    ///   - longTitle: of an axis.
    public init(_ key: String, column: String, title: String, longTitle: String) {
        self.key = key
        self.column = column
        self.title = title
        self.longTitle = longTitle
    }
}
