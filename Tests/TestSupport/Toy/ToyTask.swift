import Layers
import TensorCore
import Training

/// Vectors with what a network is to make of them.
package struct ToyBatch: LearningBatch {
    /// `[B, ToyNetwork.inputs]`.
    package let inputs: Tensor
    /// `[B, ToyNetwork.outputs]`.
    package let targets: Tensor

    package init(inputs: Tensor, targets: Tensor) {
        self.inputs = inputs
        self.targets = targets
    }

    package var count: Int { inputs.shape[0] }
    package func samples(_ range: Range<Int>) -> ToyBatch {
        ToyBatch(inputs: inputs.rows(range), targets: targets.rows(range))
    }
}

/// Regression: the mean squared error. A teacher is imitated with weight ½. Its stages are inputs of 1/4, 2/4,
/// 3/4 and all of their size.
package struct ToyTask: LearningTask {
    package init() {}

    package func loss(
        of network: ToyNetwork, on batch: ToyBatch, teacher: ToyNetwork?, dropout: DropoutMask?
    ) -> Variable {
        let outputs = network(Variable(batch.inputs))
        let error = outputs.meanSquaredError(to: batch.targets)
        guard let teacher else { return error }
        let wanted = Autograd.withoutRecording { teacher(Variable(batch.inputs)).value }
        return error.combined(0.5, plus: outputs.meanSquaredError(to: wanted), times: 0.5)
    }

    package var stageCount: Int { 4 }

    package func batch(_ batch: ToyBatch, at stage: Int) -> ToyBatch {
        let scale = Float(stage + 1) / Float(stageCount)
        return ToyBatch(
            inputs: Tensor(batch.inputs.array.map { $0 * scale }, shape: batch.inputs.shape), targets: batch.targets)
    }
}

/// Normal vectors and a fixed function of their first four elements; the last two mean nothing.
package struct ToyBatches: BatchSource {
    private let size: Int
    private let seed: UInt64

    package init(size: Int = 16, seed: UInt64 = 1) {
        self.size = size
        self.seed = seed
    }

    package func batch(step: Int) -> ToyBatch { batch(.trainingNoise, index: step, size: size) }

    package func calibrationBatch(number: Int, of count: Int, size: Int) -> ToyBatch {
        batch(.calibration, index: number, size: size)
    }

    private func batch(_ purpose: RandomPurpose, index: Int, size: Int) -> ToyBatch {
        let inputs = Tensor(uninitialized: [size, ToyNetwork.inputs])
        var stream = RandomStream(seed: seed, purpose: purpose, index: UInt64(index))
        stream.fillNormal(inputs.unsafeBuffer)
        let targets = (0..<size).flatMap { row -> [Float] in
            let x = inputs.rows(row..<row + 1).array
            return [x[0] * x[1], max(x[2], 0) - x[3], x[0] - 0.5 * x[2]]
        }
        return ToyBatch(inputs: inputs, targets: Tensor(targets, shape: [size, ToyNetwork.outputs]))
    }
}
