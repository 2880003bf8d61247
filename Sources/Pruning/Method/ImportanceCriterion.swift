/// How much each coordinate matters.
public protocol ImportanceCriterion: SendableMetatype {
    static var card: MethodCard { get }
    static var needs: [any EvidenceKind.Type] { get }
    /// Whether scores are changes of a loss: they are then ranked per unit of cost that a coordinate frees.
    static var scoresAreLossChanges: Bool { get }
    /// In how many rounds coordinates leave unless a run says otherwise.
    static var rounds: Int { get }
    /// How the density falls over the rounds unless a run says otherwise.
    static var schedule: MaskSchedule { get }
    /// Whether all rounds come before any training, which would not change what is wanted to be known.
    static var ranksBeforeTraining: Bool { get }
    associatedtype Configuration: PrunerConfiguration
    init(_ configuration: Configuration, seed: UInt64)
    /// One score a coordinate of the masks' space, comparable between sites: the lowest leave first.
    func scores(at masks: Masks, from evidence: EvidenceSource) throws -> Scores
    /// The energy and the loss at which the last scores were read, where the criterion has such.
    func reading(at masks: Masks, from evidence: EvidenceSource) throws -> (energy: Double?, loss: Double?)
    /// How many losses `scores` takes from a calibration source, at most: what progress is measured in.
    func lossCount(of calibration: any CalibrationSource) -> Int
}

extension ImportanceCriterion {
    public static var rounds: Int { 1 }
    public static var schedule: MaskSchedule { .cubic }
    public static var ranksBeforeTraining: Bool { false }

    public func lossCount(of calibration: any CalibrationSource) -> Int { calibration.batchCount }

    public func reading(at masks: Masks, from evidence: EvidenceSource) throws -> (energy: Double?, loss: Double?) {
        (nil, nil)
    }
}
