import Files
import Foundation
import Layers
import TensorCore
import TestSupport
import Testing
import Training
import WeightFiles

/// The trainer on a toy network of vectors.
@Suite struct TrainerTests {
    static func configuration(_ change: (inout TrainingConfiguration) -> Void = { _ in }) -> TrainingConfiguration {
        var configuration = TrainingConfiguration()
        configuration.steps = 400
        configuration.learningRate = 5e-3
        configuration.ema = 0
        change(&configuration)
        return configuration
    }

    static func trainer(
        _ configuration: TrainingConfiguration = configuration(), extensions: [any TrainingExtension] = [],
        seed: UInt64 = 3
    ) throws -> Trainer<ToyTask> {
        let network = try ToyNetwork()
        network.initialize(seed: seed)
        return try Trainer(
            ToyTask(), network: network, batches: ToyBatches(), configuration: configuration, extensions: extensions)
    }

    private func bits(_ trainer: Trainer<ToyTask>) -> [UInt32] { trainer.arena.values.array.map(\.bitPattern) }

    @Test func trainingLowersTheLoss() throws {
        let trainer = try Self.trainer()
        let losses = try (0..<400).map { _ in try trainer.advance().loss }
        let (first, last) = (losses.prefix(20).reduce(0, +), losses.suffix(20).reduce(0, +))
        #expect(last < 0.2 * first, "from \(first) to \(last)")
        #expect(trainer.step == 400 && trainer.schedulePosition == 400)
    }

    /// One step of plain gradient descent, computed apart.
    @Test func aStepDescendsTheGradient() throws {
        let trainer = try Self.trainer(
            Self.configuration {
                $0.optimizer.kind = .sgd
                $0.optimizer.momentum = 0
                $0.gradientClip = 0
            })
        let apart = try ToyNetwork()
        apart.initialize(seed: 3)
        let arena = ParameterArena(apart.parameters)
        ToyTask().loss(of: apart, on: ToyBatches().batch(step: 0), teacher: nil, dropout: nil).backward()
        let report = try trainer.advance()
        let expected = zip(arena.values.array, arena.gradients.array).map { $0 - 5e-3 * $1 }
        #expect(zip(trainer.arena.values.array, expected).allSatisfy { abs($0 - $1) <= 1e-7 })
        #expect(close(report.gradientNorm, arena.gradientNorm, 1e-6) && report.penalty == nil)
    }

    @Test func aTeacherIsHandedToTheTask() throws {
        let teacher = try ToyNetwork()
        teacher.initialize(seed: 9)
        let network = try ToyNetwork()
        network.initialize(seed: 3)
        let trainer = try Trainer(
            ToyTask(), network: network, batches: ToyBatches(), configuration: Self.configuration(), teacher: teacher)
        let batch = ToyBatches().batch(step: 0)
        let plain = ToyTask().loss(of: network, on: batch, teacher: nil, dropout: nil).value.scalar
        let imitation =
            zip(network.values(of: batch.inputs), teacher.values(of: batch.inputs))
            .reduce(0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) } / 48
        #expect(close(try trainer.advance().loss, 0.5 * Double(plain) + 0.5 * imitation, 1e-5))
    }

    @Test func gradientCheckpointingChangesNoBitAndIsRefusedWithoutBlocks() throws {
        let plain = try Self.trainer()
        let checkpointed = try Self.trainer(Self.configuration { $0.gradientCheckpointing = true })
        #expect(checkpointed.network.usesGradientCheckpointing && !plain.network.usesGradientCheckpointing)
        for _ in 0..<3 {
            try plain.advance()
            try checkpointed.advance()
        }
        #expect(bits(plain) == bits(checkpointed))

        let batch = LineTask.Batch(x: [1], y: [2])
        let error = error(TrainingError.self) {
            _ = try Trainer(
                LineTask(), network: Line(), batches: LineTask.Always(batch: batch),
                configuration: Self.configuration { $0.gradientCheckpointing = true })
        }
        #expect("\(try #require(error))".contains("'gradient_checkpointing'"))
    }

    @Test func brokenNumbersStopTheTraining() throws {
        let batch = LineTask.Batch(x: [1, 2], y: [.infinity, 0])
        let trainer = try Trainer(
            LineTask(), network: Line(), batches: LineTask.Always(batch: batch), configuration: Self.configuration())
        #expect(throws: TrainingError.self) { try trainer.advance() }
        #expect(trainer.step == 0)
    }

    @Test func theTaskIsToldTheStepAsTheNameOfItsDropout() throws {
        let task = LineTask()
        let trainer = try Trainer(
            task, network: Line(), batches: LineTask.Always(batch: LineTask.Batch(x: [1], y: [2])),
            configuration: Self.configuration { $0.seed = 5 })
        for _ in 0..<3 { try trainer.advance() }
        #expect(task.dropouts.masks.map(\.step) == [0, 1, 2])
        #expect(task.dropouts.masks.allSatisfy { $0.seed == 5 })
    }

    // MARK: rewinding

    private func schedule(_ configuration: inout TrainingConfiguration) {
        configuration.steps = 10
        configuration.ema = 0.9
        configuration.learningRateSchedule = LearningRateSchedule(shape: .linear)
    }

    /// Batches go on, weights and rates start from the snapshot: a lottery ticket.
    @Test func weightsAndScheduleAreRewoundTogether() throws {
        let trainer = try Self.trainer(Self.configuration(schedule))
        for _ in 0..<2 { try trainer.advance() }
        let early = trainer.snapshot()
        let rates = try (0..<4).map { _ in try trainer.advance().learningRate }
        try trainer.rewind(to: early, weights: true, schedule: true)
        #expect(trainer.step == 6 && trainer.schedulePosition == 2)
        let now = trainer.snapshot()
        #expect(now.arrays == early.arrays && now.counts["optimizer_step"] == 2 && now.counts["ema_step"] == 2)
        #expect(try (0..<4).map { _ in try trainer.advance().learningRate } == rates)
        let expected: [Double] = [0.8, 0.7, 0.6, 0.5]
        #expect(zip(rates, expected).allSatisfy { close($0, 5e-3 * $1, 1e-15) })
        #expect(trainer.step == 10)
    }

    @Test func theScheduleIsRewoundAlone() throws {
        let trainer = try Self.trainer(Self.configuration(schedule))
        let start = trainer.snapshot()
        for _ in 0..<4 { try trainer.advance() }
        let weights = bits(trainer)
        try trainer.rewind(to: start, weights: false, schedule: true)
        #expect(bits(trainer) == weights && trainer.snapshot().counts["optimizer_step"] == 4)
        #expect(try trainer.advance().learningRate == 5e-3)
        try trainer.rewind(to: start, weights: true, schedule: false)
        #expect(trainer.snapshot().arrays == start.arrays && trainer.schedulePosition == 1)
    }

    /// A rewound schedule is part of what a resumed run goes on from.
    @Test func aRewoundTrainingIsResumed() throws {
        let whole = try Self.trainer(Self.configuration(schedule))
        try whole.advance()
        let early = whole.snapshot()
        for _ in 0..<3 { try whole.advance() }
        try whole.rewind(to: early, weights: true, schedule: true)
        let resumed = try Self.trainer(Self.configuration(schedule), seed: 8)
        try resumed.restore(throughCheckpoint(whole))
        for trainer in [whole, resumed] {
            for _ in 0..<3 { try trainer.advance() }
        }
        #expect(bits(whole) == bits(resumed) && resumed.schedulePosition == 4 && resumed.step == 7)
    }

    @Test func aStateOfAnotherNetworkIsRefused() throws {
        let trainer = try Self.trainer()
        let before = bits(trainer)
        var state = trainer.snapshot()
        state.arrays["weights"]?.removeLast()
        #expect(throws: OptimizerError.self) { try trainer.restore(state) }
        #expect(throws: OptimizerError.self) { try trainer.rewind(to: state, weights: true, schedule: true) }
        #expect(bits(trainer) == before)
    }

    // MARK: smaller networks

    /// With everything kept, going on with the adopted network is going on.
    @Test func anAdoptedNetworkGoesOnWhereTheOtherOneWas() throws {
        let configuration = Self.configuration { $0.ema = 0.9 }
        let (whole, changed) = (try Self.trainer(configuration), try Self.trainer(configuration))
        for trainer in [whole, changed] {
            for _ in 0..<3 { try trainer.advance() }
        }
        let network = try changed.network.rebuilt(keeping: [:])
        for (old, new) in zip(changed.network.parameters, network.parameters) {
            new.variable.value.assign(old.variable.value)
        }
        try changed.adopt(network) { flat, old, new in
            #expect(old !== new && flat.count == new.count)
            return flat.copied()
        }
        #expect(changed.network === network && changed.arena.parameters[0] === network.parameters[0])
        for trainer in [whole, changed] {
            for _ in 0..<3 { try trainer.advance() }
        }
        #expect(bits(whole) == bits(changed))
        #expect(whole.withResultWeights { bits(whole) } == changed.withResultWeights { bits(changed) })
    }

    // MARK: checkpoints

    private func throughCheckpoint(_ trainer: Trainer<ToyTask>) throws -> TrainerState {
        try withTemporaryFolder { folder in
            let (state, beside) = (trainer.snapshot(), NamedTensor("masks", shape: [1], floats: [1]))
            let store = CheckpointStore(folder: folder.appendingPathComponent("checkpoints"))
            let members = state.members.merging(["snapshot": .object(state.members)]) { $1 }
            try store.save(
                step: trainer.step, tensors: state.tensors() + state.tensors(prefix: "snapshot.") + [beside],
                state: .object(members))
            let checkpoint = try #require(try store.latest().checkpoint)
            let read = try TrainerState(checkpoint, members: checkpoint.state)
            let other = try TrainerState(
                checkpoint, members: try #require(checkpoint.state["snapshot"]), prefix: "snapshot.")
            #expect(read == state && other == state)
            return read
        }
    }

    @Test func aStateGoesThroughACheckpointWithAnotherBesideIt() throws {
        let trainer = try Self.trainer(Self.configuration { $0.ema = 0.9 })
        for _ in 0..<2 { try trainer.advance() }
        let state = try throughCheckpoint(trainer)
        #expect(Set(state.arrays.keys) == ["weights", "ema", "optimizer.first_moment", "optimizer.second_moment"])
        #expect(state.counts == ["step": 2, "optimizer_step": 2, "ema_step": 2])
    }

    @Test func aCheckpointWithCountsThatCannotBeIsRefused() throws {
        let trainer = try Self.trainer()
        try trainer.advance()
        for (counts, place) in [
            ([:], "'step'"), (["step": 1, "optimizer_step": 7, "ema_step": 0], "'optimizer_step'"),
            (["step": 0, "optimizer_step": 1, "ema_step": 0], "another step"),
        ] as [([String: Int], String)] {
            try withTemporaryFolder { folder in
                let store = CheckpointStore(folder: folder.appendingPathComponent("checkpoints"))
                var state = trainer.snapshot()
                state.counts = counts
                try store.save(step: 1, tensors: state.tensors(), state: .object(state.members))
                let checkpoint = try store.load(step: 1)
                let error = error(CheckpointError.self) { try trainer.restore(checkpoint) }
                #expect("\(try #require(error))".contains(place), "\(counts)")
            }
        }
    }
}

/// y = w·x, without blocks.
final class Line: ChannelNetwork {
    let weight = Parameter("w", layout: .linear, axes: [nil, nil], shape: [1, 1], initialization: .ones)
    var channelGroups: [ChannelGroup] { [] }
    var parameters: [Parameter] { [weight] }
    var normalizations: [any ChannelNormalization] { [] }
    var computeTerms: [ComputeTerm] { [] }
    func rebuilt(keeping kept: [String: [Int]]) throws -> Line { Line() }
}

struct LineTask: LearningTask {
    final class Dropouts { var masks: [DropoutMask] = [] }
    struct Batch: LearningBatch {
        let x: [Float], y: [Float]
        var count: Int { x.count }
        func samples(_ range: Range<Int>) -> Batch { Batch(x: Array(x[range]), y: Array(y[range])) }
    }
    struct Always: BatchSource {
        let batch: Batch
        func batch(step: Int) -> Batch { batch }
        func calibrationBatch(number: Int, of count: Int, size: Int) -> Batch { batch }
    }
    let dropouts = Dropouts()

    func loss(of network: Line, on batch: Batch, teacher: Line?, dropout: DropoutMask?) -> Variable {
        if let dropout { dropouts.masks.append(dropout) }
        return Variable(Tensor(batch.x, shape: [batch.count, 1])).linear(network.weight.effective)
            .meanSquaredError(to: Tensor(batch.y, shape: [batch.count, 1]))
    }
}
