import TensorCore

/// A piece of work on a model of its own, ready to be run again and again.
struct PreparedWork {
    let run: () throws -> Void
    /// The most bytes of the engine's buffers in use at one time, from the model's weights on.
    let peakBytes: Int

    /// Makes the model, gets everything ready and runs the work once.
    init(_ work: BenchmarkWork, on subject: BenchmarkSubject, batch: Int, settings: BenchmarkSettings) throws {
        var run: () throws -> Void = {}
        // What other work left idle is none of this one's memory.
        BufferPool.shared.trim()
        peakBytes = try BufferPool.shared.peakGrowth {
            let inputs = try subject.make().inputs(batch: batch, settings: settings)
            run =
                switch work {
                case .forward: try inputs.forward()
                case .sampling: try inputs.sampling(steps: settings.steps)
                case .training: try inputs.trainingStep()
                case .hvp: try inputs.hessianVectorProduct()
                }
            try run()
        }
        self.run = run
    }
}
