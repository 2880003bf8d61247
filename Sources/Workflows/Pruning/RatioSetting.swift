import Files
import Foundation
import Pruning

/// `pruning.ratios`: a file, or what it says.
public enum RatioSetting: Codable, Sendable, Equatable {
    /// A JSON file with a key `ratios`: names of channel groups, or of weights, with the share of each that stays.
    case file(String)
    case shares([SiteShare])

    /// What stays of one channel group, or weight.
    public struct SiteShare: Codable, Sendable, Equatable {
        public let name: String
        /// In (0, 1].
        public let share: Double
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let path = try? container.decode(String.self) {
            self = .file(path)
        } else {
            self = .shares(try container.decode([SiteShare].self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .file(let path): try container.encode(path)
        case .shares(let shares): try container.encode(shares)
        }
    }

    /// What a file says, in the order of names.
    ///
    /// - Throws: `SettingError` where there is no file of ratios, `RatioError` for one outside (0, 1].
    func read() throws -> RatioSetting {
        guard case .file(let path) = self else { return self }
        func refuse(_ expected: String) -> SettingError {
            SettingError(key: "ratios", got: "'\(path)'", expected: expected)
        }
        let document: JSONValue
        do { document = try JSONFile.read(URL(fileURLWithPath: path)) } catch {
            throw refuse("a file of ratios, as sensitivity writes it (\(error))")
        }
        guard let members = document["ratios"]?.sortedMembers, !members.isEmpty else {
            throw refuse("a JSON file with 'ratios': names, each with the share that stays")
        }
        let shares = try members.map { name, value in
            guard let share = value.doubleValue else { throw refuse("a number for '\(name)', got \(value.summary)") }
            return SiteShare(name: name, share: share)
        }
        let setting = RatioSetting.shares(shares)
        _ = try setting.siteRatios()
        return setting
    }

    /// - Precondition: read.
    /// - Throws: `SettingError` for a name that is there twice, `RatioError`.
    func siteRatios() throws -> SiteRatios {
        guard case .shares(let shares) = self else { preconditionFailure("a file of ratios that was not read") }
        let names = Dictionary(grouping: shares, by: \.name)
        if let repeated = names.filter({ $1.count > 1 }).keys.min() {
            throw SettingError(key: "ratios", got: "'\(repeated)' twice", expected: "each once")
        }
        return try SiteRatios(names.compactMapValues { $0.first?.share })
    }
}
