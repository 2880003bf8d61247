import Configuration
import Files
import Pruning

/// The section `study`.
public struct StudyPlan: ConfigurationSection, Equatable {
    /// What all runs of a target have in common.
    public enum Equality: String, Codable, Sendable, CaseIterable {
        /// As many fine-tuning steps.
        case steps
        /// As much time, mask updates included, as the first method takes with the steps that are configured.
        case time
    }

    /// Names of methods or variants, the one that others are held against first.
    public var methods: [String] = []
    /// As `pruning.target`.
    public var targets: [String] = []
    /// How many.
    public var seeds = 1
    /// The others follow.
    public var firstSeed = 0
    public var equal = Equality.steps

    public init() {}

    var seedNumbers: Range<Int> { firstSeed..<firstSeed + seeds }

    /// Names become folders.
    static let nameRule = "a name of letters, digits, '-', '_' and '.', that begins with a letter or digit"

    static func isName(_ name: String) -> Bool {
        guard (1...64).contains(name.utf8.count), let first = name.unicodeScalars.first else { return false }
        func isPlain(_ scalar: Unicode.Scalar) -> Bool {
            ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
        }
        return isPlain(first) && name.unicodeScalars.allSatisfy { isPlain($0) || "-_.".unicodeScalars.contains($0) }
    }

    public func validate() throws {
        for (key, list) in [("methods", methods), ("targets", targets)] {
            try require(list.count <= 1000, key, got: "\(list.count) of them", expected: "at most 1000")
            let repeated = Dictionary(grouping: list) { $0 }.filter { $1.count > 1 }.keys.min()
            try require(repeated == nil, key, got: "'\(repeated ?? "")' twice", expected: "each once")
        }
        for name in methods { try require(Self.isName(name), "methods", got: "'\(name)'", expected: Self.nameRule) }
        for (index, target) in targets.enumerated() {
            try SettingError.within("targets[\(index)]") { _ = try Budget(parsing: target) }
        }
        try require((1...1000).contains(seeds), "seeds", got: seeds, expected: "1...1000")
        try require((0...1_000_000_000).contains(firstSeed), "first_seed", got: firstSeed, expected: "0...1000000000")
    }
}
