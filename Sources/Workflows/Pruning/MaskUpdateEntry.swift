import Pruning

/// What `metrics.jsonl` says of a mask update: its number, from 1, beside the method's report.
struct MaskUpdateEntry: Codable, Equatable {
    let number: Int
    let report: MaskUpdateReport

    private enum CodingKeys: String, CodingKey {
        case number = "update"
    }

    init(number: Int, report: MaskUpdateReport) {
        self.number = number
        self.report = report
    }

    init(from decoder: any Decoder) throws {
        number = try decoder.container(keyedBy: CodingKeys.self).decode(Int.self, forKey: .number)
        report = try MaskUpdateReport(from: decoder)
    }

    func encode(to encoder: any Encoder) throws {
        try report.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(number, forKey: .number)
    }
}
