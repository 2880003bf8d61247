import Layers
import Training

/// Gathers evidence from a network, and remembers it until the weights change.
public final class EvidenceSource {
    public let network: any ChannelNetwork
    public let arena: ParameterArena
    private let calibration: (any CalibrationSource)?
    /// Names of the kinds that may be asked for from outside; nil for all.
    private let declared: Set<String>?
    private var remembered: [AnyHashable: (masks: Masks, value: Any)] = [:]
    private var depth = 0

    /// - Parameters:
    ///   - network: what evidence is of.
    ///   - arena: its parameters.
    ///   - calibration: nil where there is no data: what needs some is then refused.
    ///   - declared: what the method says that it needs; asking for anything else is an error. nil for no such check.
    public init(
        network: any ChannelNetwork, arena: ParameterArena, calibration: (any CalibrationSource)?,
        declared: [any EvidenceKind.Type]? = nil
    ) {
        self.network = network
        self.arena = arena
        self.calibration = calibration
        self.declared = declared.map { Set($0.map { $0.name }) }
    }

    /// The evidence of `kind` with `masks` on the network.
    ///
    /// - Throws: `EvidenceError`, and what the losses throw.
    public func callAsFunction<Kind: EvidenceKind>(_ kind: Kind, at masks: Masks) throws -> Kind.Value {
        if depth == 0, let declared, !declared.contains(Kind.name) { throw EvidenceError.undeclared(kind: Kind.name) }
        if let known = remembered[kind], known.masks == masks, let value = known.value as? Kind.Value { return value }
        try require([Kind.self])
        depth += 1
        defer { depth -= 1 }
        let value = try kind.gather(at: masks, from: self)
        remembered[kind] = (masks, value)
        return value
    }

    /// Forgets what was gathered: to be called whenever weights have changed.
    public func weightsChanged() { remembered = [:] }

    /// Throws `EvidenceError.missing` for the first of `kinds` that cannot be had.
    public func require(_ kinds: [any EvidenceKind.Type]) throws {
        for kind in kinds where !kind.isOffered(by: calibration) {
            throw EvidenceError.missing(kind: kind.name, hasData: calibration != nil)
        }
    }

    /// The calibration source as what a kind needs it to be.
    ///
    /// - Throws: `EvidenceError.missing`.
    public func calibration<Source>(as: Source.Type = Source.self, for kind: any EvidenceKind.Type) throws -> Source {
        guard let source = calibration as? Source else {
            throw EvidenceError.missing(kind: kind.name, hasData: calibration != nil)
        }
        return source
    }
}
