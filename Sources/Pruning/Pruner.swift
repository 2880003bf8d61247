/// What a method is, for `diffprune methods`, the docs and the tests.
public struct MethodCard: Sendable, Codable, Equatable {
    public let name: String
    public let family: String
    public let summary: String
    /// What leaves at once unless the run says otherwise.
    public let granularity: String
    /// "Author et al., year, identifier" of what it is based on; empty for plain controls.
    public let paper: String

    public init(name: String, family: String, summary: String, granularity: String = "channel", paper: String) {
        self.name = name
        self.family = family
        self.summary = summary
        self.granularity = granularity
        self.paper = paper
    }
}

/// What a mask update reports for the log and the plots.
public struct MaskUpdateReport: Codable, Sendable, Equatable {
    /// The energy followed, where the method has one.
    public var energy: Double?
    public var loss: Double?
    /// Fraction of the cost left, counting soft masks by their sum.
    public var density: Double
    /// Channels whose mask is above zero and was zero before.
    public var recovered: Int
    /// Channels whose mask is zero and was not before.
    public var removed: Int
    /// Mean of 4·m·(1 − m): 0 when every mask is decided.
    public var softness: Double
    /// Σ m of each group.
    public var widths: [Double]
}

/// What a pruner works on during one run.
public struct PruningContext {
    public let groups: [PrunableGroup]
    public let evidence: EvidenceCollector
    public let selection: BudgetSelection
    /// Fraction of the cost that may be left at the end.
    public let remaining: Double

    public init(groups: [PrunableGroup], evidence: EvidenceCollector, selection: BudgetSelection, remaining: Double) {
        self.groups = groups
        self.evidence = evidence
        self.selection = selection
        self.remaining = remaining
    }
}

/// A pruning method: turns evidence into masks, over one update or many with fine-tuning in between.
///
/// After the last update every mask is exactly 0 or 1 and the budget is met within one unit.
public protocol Pruner: SendableMetatype {
    associatedtype Configuration: PrunerConfiguration
    associatedtype State: Codable
    static var card: MethodCard { get }
    static var needs: Evidence { get }

    init(_ configuration: Configuration, seed: UInt64)
    var configuration: Configuration { get }
    /// Everything an interrupted run needs beside the masks.
    var state: State { get set }
    /// How often the masks are updated; weights are fine-tuned in between.
    var updates: Int { get }
    /// Changes the masks for update `index` of `updates`.
    mutating func update(_ masks: inout MaskSet, index: Int, in context: PruningContext) throws -> MaskUpdateReport
}

/// A method's own settings: every field has a default.
public protocol PrunerConfiguration: Codable, Sendable, Equatable {
    init()
    /// Throws when a value is outside its range.
    func validate() throws
}

/// A setting outside its range.
public struct PrunerConfigurationError: Error, CustomStringConvertible {
    let key: String, got: String, expected: String

    public init(key: String, got: Any, expected: String) {
        self.key = key
        self.got = "\(got)"
        self.expected = expected
    }

    public var description: String { "'\(key)' is \(got), expected \(expected)" }
}

extension PruningContext {
    /// Compares masks before and after an update.
    public func report(
        from old: MaskSet, to new: MaskSet, energy: Double? = nil, loss: Double? = nil
    ) -> MaskUpdateReport {
        var recovered = 0
        var removed = 0
        var softness = 0.0
        var count = 0
        for (before, after) in zip(old.values, new.values) {
            for (a, b) in zip(before, after) {
                if a == 0 && b > 0 { recovered += 1 }
                if a > 0 && b == 0 { removed += 1 }
                softness += Double(4 * b * (1 - b))
                count += 1
            }
        }
        return MaskUpdateReport(
            energy: energy, loss: loss, density: selection.density(of: new), recovered: recovered, removed: removed,
            softness: softness / Double(max(count, 1)), widths: new.softWidths)
    }
}
