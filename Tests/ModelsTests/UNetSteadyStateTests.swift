import Models
import TensorCore
import Testing
import Training

/// Once a loop has warmed up, it asks the system for no more memory.
@Suite struct UNetSteadyStateTests {
    private func model() throws -> UNet {
        var configuration = UNetConfiguration()
        configuration.sampleSize = [8, 8]
        configuration.inChannels = 1
        configuration.outChannels = 1
        configuration.blockOutChannels = [8, 16]
        configuration.normNumGroups = 4
        configuration.layersPerBlock = 1
        configuration.downBlockTypes = ["DownBlock2D", "AttnDownBlock2D"]
        configuration.upBlockTypes = ["AttnUpBlock2D", "UpBlock2D"]
        let model = try UNet(configuration)
        model.initialize(seed: 1)
        return model
    }

    /// Whether three steps in a row can be had without one allocation. The pool is the process's, and other tests that
    /// run meanwhile allocate from it, so a disturbed run of steps is tried again; a step that allocates by itself
    /// never passes.
    private func reachesASteadyState(attempts: Int = 500, _ step: () throws -> Void) rethrows -> Bool {
        for _ in 0..<3 { try step() }
        for _ in 0..<attempts {
            let before = BufferPool.shared.freshAllocations
            for _ in 0..<3 { try step() }
            if BufferPool.shared.freshAllocations == before { return true }
        }
        return false
    }

    @Test func aTrainingStepAllocatesNothing() throws {
        let model = try model()
        let arena = ParameterArena(model.parameters)
        let optimizer = Optimizer(OptimizerConfiguration(), arena: arena)
        let average = ExponentialMovingAverage(decay: 0.99, arena: arena)
        let noise = Tensor(ones: [2, 8, 8, 1])
        #expect(
            reachesASteadyState {
                arena.clearGradients()
                model(Variable(noise), timesteps: [1, 2]).meanSquaredError(to: noise).backward()
                arena.completeGradients()
                optimizer.update(learningRate: 1e-4)
                average.update(arena)
            })
    }

    @Test func aPredictionAllocatesNothing() throws {
        let model = try model()
        let noise = Tensor(ones: [2, 8, 8, 1])
        #expect(reachesASteadyState { _ = model.predict(noise, [1, 2]) })
    }

    @Test func aLeakIsNoticed() {
        var kept: [Tensor] = []
        // Of a size that no other test frees for it to find.
        #expect(!reachesASteadyState(attempts: 10) { kept.append(Tensor(uninitialized: [9_000_000])) })
    }
}
