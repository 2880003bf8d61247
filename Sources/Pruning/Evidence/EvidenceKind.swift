/// A kind of evidence: what a method has to know before it can judge,
/// gathered from a network and its calibration losses.
///
/// A kind is one file: a type with its settings, `gather`, and what it asks of the calibration source. Equal kinds at
/// equal masks are gathered once (`EvidenceSource`).
public protocol EvidenceKind: Hashable, Sendable {
    associatedtype Value
    /// As in "gradients", for tables and messages.
    static var name: String { get }
    /// Whether it can be had from `calibration`; nil is no data at all.
    static func isOffered(by calibration: (any CalibrationSource)?) -> Bool
    func gather(at masks: Masks, from source: EvidenceSource) throws -> Value
}

extension EvidenceKind {
    /// What needs nothing but batches' losses.
    public static func isOffered(by calibration: (any CalibrationSource)?) -> Bool { calibration != nil }
}

extension [any EvidenceKind.Type] {
    /// Whether some of it cannot be had without data.
    public var takesData: Bool { contains { !$0.isOffered(by: nil) } }
}
