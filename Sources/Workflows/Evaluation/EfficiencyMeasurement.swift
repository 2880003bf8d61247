import Layers
import TensorCore
import Timing

/// What two models cost: counted where it can be, else measured in one interleaved run.
struct EfficiencyMeasurement {
    /// One of the models.
    struct Side {
        let network: any ChannelNetwork
        let fileBytes: Int
        /// What is timed, of so many images.
        let step: (_ batch: Int) throws -> any TimedStep
    }

    /// Images of the batch that is timed and whose memory is measured.
    let batch: Int

    func run(dense: Side, pruned: Side) throws -> EvaluationResult.Efficiency {
        let single = (try dense.step(1), try pruned.step(1))
        let whole = (try dense.step(batch), try pruned.step(batch))
        return EvaluationResult.Efficiency(
            parameters: .init(
                dense: Double(dense.network.parameterCount), pruned: Double(pruned.network.parameterCount)),
            macs: .init(dense: dense.network.macs, pruned: pruned.network.macs),
            fileBytes: .init(dense: Double(dense.fileBytes), pruned: Double(pruned.fileBytes)),
            peakBytes: .init(dense: Double(try whole.0.peakBytes()), pruned: Double(try whole.1.peakBytes())),
            batch: batch, batchTiming: try InterleavedTiming.measure({ try whole.0() }, { try whole.1() }),
            singleTiming: try InterleavedTiming.measure({ try single.0() }, { try single.1() }),
            threads: Engine.threads, instructionSet: Engine.instructionSet, processor: Machine.current.processor)
    }
}
