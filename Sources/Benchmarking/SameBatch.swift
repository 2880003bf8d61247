import Training

/// One batch for every step.
struct SameBatch<Batch>: BatchSource {
    let batch: Batch

    func batch(step: Int) -> Batch { batch }
    func calibrationBatch(number: Int, of count: Int, size: Int) -> Batch { batch }
}
