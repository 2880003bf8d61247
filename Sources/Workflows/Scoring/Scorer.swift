import Layers
import Pruning
import TensorCore
import Training

/// Computes one criterion at a network as it is, all masks one: elementwise for every weight, and for every channel
/// where the criterion scores channels.
struct Scorer {
    let criterion: any ImportanceCriterion
    /// What elementwise scores are multiplied by.
    let factor: Float
    /// Whether channels are to be scored too, where the criterion does.
    let channels: Bool
    let network: any ChannelNetwork
    let arena: ParameterArena
    /// nil where no images were given.
    let calibration: (any CalibrationSource)?

    struct Result {
        /// Flat, laid out as the arena.
        let weights: Tensor
        /// One list a channel group; nil for criteria of weights only.
        let groups: [[Double]]?
        /// nil where no images were given.
        let loss: Double?
    }

    /// How many losses will be taken, at most: what progress is measured in.
    static func lossCount(
        _ criterion: any ImportanceCriterion, channels: Bool, of calibration: any CalibrationSource
    ) -> Int {
        let spaces = channels && type(of: criterion).card.spaces.contains(.channels) ? 2 : 1
        return spaces * criterion.lossCount(of: calibration) + calibration.batchCount
    }

    func run() throws -> Result {
        let evidence = EvidenceSource(network: network, arena: arena, calibration: calibration)
        let elements = PruningSpace.weights(of: network) { _ in true }
        let scores = try criterion.scores(at: Masks(elements), from: evidence)
        let weights = Tensor(zeros: [arena.count])
        for (site, range) in zip(elements.sites, elements.ranges) {
            guard case .weight(_, let index) = site else { continue }
            let slice = arena.slice(weights, index)
            slice.assign(Tensor(scores.values[range].map { factor * Float($0) }, shape: slice.shape))
        }
        guard weights.allFinite else { throw TensorFileError.resultNotFinite(what: "a score") }
        var groups: [[Double]]?
        if channels, type(of: criterion).card.spaces.contains(.channels) {
            let space = PruningSpace.channels(of: network)
            groups = try criterion.scores(at: Masks(space), from: evidence).bySite
        }
        let loss = try calibration.map { _ in try evidence(CalibrationLoss(), at: Masks(elements)) }
        return Result(weights: weights, groups: groups, loss: loss)
    }
}
