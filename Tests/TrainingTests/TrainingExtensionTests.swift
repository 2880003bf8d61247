import Files
import Layers
import TensorCore
import TestSupport
import Testing
import Training
import WeightFiles

@Suite struct TrainingExtensionTests {
    private func configuration(
        _ kind: OptimizerKind = .adam, _ change: (inout TrainingConfiguration) -> Void = { _ in }
    ) -> TrainingConfiguration {
        TrainerTests.configuration {
            $0.optimizer.kind = kind
            $0.optimizer.momentum = 0
            $0.gradientClip = 0
            change(&$0)
        }
    }

    // MARK: order

    private final class Recorder: TrainingExtension {
        final class Diary { var entries: [String] = [] }
        let name: String
        let diary: Diary
        weak var trainer: Trainer<ToyTask>?

        init(_ name: String, _ diary: Diary) {
            self.name = name
            self.diary = diary
        }

        private func note(_ what: String, _ step: Int) { diary.entries.append("\(name) \(what) \(step)") }

        func prepare(step: Int) { note("prepare", step) }
        func regularizer(step: Int) -> Variable? {
            note("regularizer", step)
            return nil
        }
        func afterBackward(step: Int, optimizer: Optimizer) { note("backward of \(optimizer.step)", step) }
        func afterUpdate(step: Int, optimizer: Optimizer) { note("update of \(optimizer.step)", step) }
    }

    @Test func extensionsAreCalledInOrderAtEveryPointOfAStep() throws {
        let diary = Recorder.Diary()
        let trainer = try TrainerTests.trainer(extensions: [Recorder("a", diary), Recorder("b", diary)])
        for _ in 0..<2 { try trainer.advance() }
        let points = ["prepare", "regularizer", "backward of", "update of"]
        let expected = (0..<2).flatMap { step in
            points.enumerated().flatMap { number, point in
                let count = number == 2 ? " \(step)" : number == 3 ? " \(step + 1)" : ""
                return ["a", "b"].map { "\($0) \(point)\(count) \(step)" }
            }
        }
        #expect(diary.entries == expected)
    }

    @Test func anExtensionThatDoesNothingChangesNoBit() throws {
        let (plain, extended) = (
            try TrainerTests.trainer(), try TrainerTests.trainer(extensions: [Recorder("a", Recorder.Diary())])
        )
        for _ in 0..<3 {
            try plain.advance()
            try extended.advance()
        }
        #expect(plain.snapshot() == extended.snapshot())
    }

    /// Gradients are complete and changeable before they are clipped; weights are as updated, and the moving average
    /// takes what is made of them.
    private final class Hook: TrainingExtension {
        let name = "hook"
        let parameter: Parameter
        private(set) var gradient: [Float] = []

        init(_ parameter: Parameter) { self.parameter = parameter }

        func afterBackward(step: Int, optimizer: Optimizer) {
            gradient = parameter.variable.gradient?.array ?? []
            for parameter in optimizer.arena.parameters { parameter.variable.gradient?.fill(1) }
        }

        func afterUpdate(step: Int, optimizer: Optimizer) { parameter.variable.value.fill(0) }
    }

    @Test func hooksReadAndChangeGradientsAndWeights() throws {
        let trainer = try TrainerTests.trainer(configuration(.sgd) { $0.ema = 0.999 })
        let (projected, free) = (trainer.network.input.weight, trainer.network.output.weight)
        let (before, start) = (free.variable.value.array, projected.variable.value.array)
        let hook = Hook(projected)
        trainer.setExtensions([hook])
        let report = try trainer.advance()
        #expect(hook.gradient.contains { $0 != 0 })
        #expect(close(report.gradientNorm, Double(trainer.network.parameterCount).squareRoot(), 1e-6))
        #expect(zip(free.variable.value.array, before).allSatisfy { abs($0 - ($1 - 5e-3)) <= 1e-7 })
        #expect(projected.variable.value.array.allSatisfy { $0 == 0 })
        // average += (1 − 2/11)·(0 − average)
        let averaged = trainer.withResultWeights { projected.variable.value.array }
        #expect(zip(averaged, start).allSatisfy { abs($0 - $1 * 2 / 11) <= 1e-6 })
    }

    // MARK: regularisers

    /// λ/2·‖w‖² of one weight.
    private final class WeightPenalty: TrainingExtension {
        let name: String
        let parameter: Parameter
        let weight: Float

        init(_ name: String, _ parameter: Parameter, _ weight: Float) {
            self.name = name
            self.parameter = parameter
            self.weight = weight
        }

        func regularizer(step: Int) -> Variable? {
            let w = parameter.variable
            return w.multiplied(by: w).summed(over: .all).scaled(by: weight / 2)
        }
    }

    @Test func aRegularizerAddsItsGradient() throws {
        let (plain, penalised) = (
            try TrainerTests.trainer(configuration(.sgd)), try TrainerTests.trainer(configuration(.sgd))
        )
        let (one, two) = (penalised.network.input.weight, penalised.network.output.bias)
        let starts = [one, two].map { $0.variable.value.array }
        penalised.setExtensions([WeightPenalty("one", one, 0.5), WeightPenalty("two", two, 4)])
        let (report, other) = (try penalised.advance(), try plain.advance())
        // The loss is the task's; the penalties are told apart.
        #expect(report.loss == other.loss && other.penalty == nil)
        let squares = starts.map { $0.reduce(0) { $0 + Double($1) * Double($1) } }
        #expect(close(try #require(report.penalty), 0.25 * squares[0] + 2 * squares[1], 1e-5))
        for (index, parameter) in plain.arena.parameters.enumerated() {
            let got = penalised.arena.parameters[index].variable.value.array
            let expected = parameter.variable.value.array
            let pull: (Float, [Float])? =
                switch parameter.name {
                case one.name: (0.5, starts[0])
                case two.name: (4, starts[1])
                default: nil
                }
            let wanted = expected.indices.map { element in
                expected[element] - (pull.map { 5e-3 * $0.0 * $0.1[element] } ?? 0)
            }
            #expect(zip(got, wanted).allSatisfy { abs($0 - $1) <= 1e-7 }, "\(parameter.name)")
        }
    }

    // MARK: parameter groups

    /// A parameter t of its own, drawn to 3 by (t − 3)², and a count of steps.
    private final class Drawn: TrainingExtension {
        let name: String
        let parameter = Parameter("t", layout: .plain, axes: [nil], shape: [2], initialization: .zeros)
        let parameterGroups: [ParameterGroup]
        private var noise: [Float] = [0, 0]
        private var seen = 0

        init(_ name: String = "drawn", kind: OptimizerKind = .sgd, schedule: LearningRateSchedule = .init()) {
            self.name = name
            var optimizer = OptimizerConfiguration()
            (optimizer.kind, optimizer.momentum) = (kind, 0)
            parameterGroups = [
                ParameterGroup(
                    "t", parameters: [parameter], optimizer: optimizer, learningRate: 0.1, schedule: schedule)
            ]
        }

        func prepare(step: Int) { seen += 1 }

        /// What is drawn once and kept makes a difference later.
        func afterUpdate(step: Int, optimizer: Optimizer) {
            if step == 1 { noise = [0.25, -0.5] }
        }

        func regularizer(step: Int) -> Variable? {
            let wanted = Tensor([3 + noise[0], 3 + noise[1]], shape: [2])
            return parameter.variable.meanSquaredError(to: wanted).scaled(by: 2)
        }

        var state: ExtensionState { ExtensionState(arrays: ["noise": noise], values: ["seen": .int(seen)]) }

        struct Damaged: Error {}
        func restore(_ state: ExtensionState) throws {
            guard let noise = state.arrays["noise"], let seen = state.values["seen"]?.intValue else { throw Damaged() }
            (self.noise, self.seen) = (noise, seen)
        }
    }

    @Test func aGroupHasAnOptimizerARateAndAScheduleOfItsOwn() throws {
        let (constant, linear) = (Drawn("constant"), Drawn("linear", schedule: LearningRateSchedule(shape: .linear)))
        let extended = try TrainerTests.trainer(configuration { $0.steps = 4 }, extensions: [constant, linear])
        let plain = try TrainerTests.trainer(configuration { $0.steps = 4 })
        for _ in 0..<2 {
            try extended.advance()
            try plain.advance()
        }
        // t ← t − rate·2·(t − 3): the distance to 3 shrinks by 1 − 0.2, or by 1 − 0.2·(1 − step/4).
        for value in constant.parameter.variable.value.array { #expect(abs(value - 3 * (1 - 0.8 * 0.8)) <= 1e-6) }
        for value in linear.parameter.variable.value.array { #expect(abs(value - 3 * (1 - 0.8 * 0.85)) <= 1e-6) }
        // The network does not notice.
        #expect(extended.arena.values.array == plain.arena.values.array)
    }

    @Test func aResumedTrainingEndsWithTheSameBitsInItsExtensionsToo() throws {
        func trainer(seed: UInt64 = 3) throws -> (Trainer<ToyTask>, Drawn) {
            let drawn = Drawn(kind: .adam)
            return (
                try TrainerTests.trainer(configuration { $0.ema = 0.9 }, extensions: [drawn], seed: seed), drawn
            )
        }
        let (whole, own) = try trainer()
        let (resumed, others) = try trainer(seed: 11)
        for _ in 0..<3 { try whole.advance() }
        try withTemporaryFolder { folder in
            let store = CheckpointStore(folder: folder.appendingPathComponent("checkpoints"))
            let state = whole.snapshot()
            try store.save(step: 3, tensors: state.tensors(), state: .object(state.members))
            try resumed.restore(try store.load(step: 3))
        }
        for each in [whole, resumed] {
            for _ in 0..<4 { try each.advance() }
        }
        #expect(whole.snapshot() == resumed.snapshot())
        #expect(own.parameter.variable.value.array == others.parameter.variable.value.array)
        #expect(resumed.snapshot().values == ["drawn": ["seen": .int(7)]])
    }

    @Test func aStateWithoutTheExtensionsIsRefused() throws {
        let plain = try TrainerTests.trainer(configuration())
        let extended = try TrainerTests.trainer(configuration(), extensions: [Drawn()])
        #expect {
            try extended.restore(plain.snapshot())
        } throws: {
            "\($0)".contains("extension.drawn.group.t.weights")
        }
        var state = extended.snapshot()
        state.values = [:]
        #expect(throws: Drawn.Damaged.self) { try extended.restore(state) }
    }

    @Test func rewindingLeavesWhatExtensionsHave() throws {
        let drawn = Drawn()
        let trainer = try TrainerTests.trainer(configuration(), extensions: [drawn])
        let start = trainer.snapshot()
        for _ in 0..<2 { try trainer.advance() }
        let learned = drawn.parameter.variable.value.array
        try trainer.rewind(to: start, weights: true, schedule: true)
        #expect(drawn.parameter.variable.value.array == learned)
        #expect(trainer.arena.values.array == start.arrays["weights"])
    }

    /// The parameters of an extension belong to the network it was made for.
    @Test func anAdoptedNetworkComesWithItsExtensions() throws {
        let trainer = try TrainerTests.trainer(configuration(), extensions: [Drawn("large")])
        try trainer.advance()
        let network = try trainer.network.rebuilt(keeping: [:])
        try trainer.adopt(network, extensions: [Drawn("small")]) { flat, _, _ in flat.copied() }
        #expect(trainer.extensions.map(\.name) == ["small"])
        #expect(
            trainer.snapshot().arrays.keys.filter { $0.hasPrefix("extension.") }.allSatisfy { $0.contains("small") })
    }

    // MARK: the optimiser

    @Test(arguments: OptimizerKind.allCases) func momentsOfSingleElementsAreForgotten(kind: OptimizerKind) throws {
        let trainer = try TrainerTests.trainer(configuration(kind) { $0.optimizer.momentum = 0.9 })
        final class Grab: TrainingExtension {
            let name = "grab"
            var optimizer: Optimizer?
            func afterUpdate(step: Int, optimizer: Optimizer) { self.optimizer = optimizer }
        }
        let grab = Grab()
        trainer.setExtensions([grab])
        for _ in 0..<2 { try trainer.advance() }
        let optimizer = try #require(grab.optimizer)
        let (grown, other) = (trainer.network.output.weight, trainer.network.input.weight)
        let before = optimizer.moments(of: grown).map(\.array)
        let untouched = optimizer.moments(of: other).map(\.array)
        let count = kind == .sgd || kind == .muon ? 1 : 2
        #expect(before.count == count && before.allSatisfy { $0.allSatisfy { $0 != 0 } })

        optimizer.clearMoments(of: grown, at: [0, 5, 7])
        for (moment, old) in zip(optimizer.moments(of: grown), before) {
            #expect(moment.shape == grown.variable.shape)
            for (index, value) in moment.array.enumerated() {
                #expect(value == ([0, 5, 7].contains(index) ? 0 : old[index]))
            }
        }
        #expect(optimizer.moments(of: other).map(\.array) == untouched)
        let foreign = Parameter("foreign", layout: .plain, axes: [nil], shape: [1], initialization: .zeros)
        #expect(optimizer.moments(of: foreign).isEmpty)
    }

    /// Without its memory an element moves as by the first gradient it ever got, but for Adam's bias correction.
    @Test func aForgottenElementMovesByItsNewGradientAlone() throws {
        let parameter = Parameter("p", layout: .plain, axes: [nil], shape: [2], initialization: .zeros)
        let arena = ParameterArena([parameter])
        var configuration = OptimizerConfiguration()
        configuration.kind = .sgd
        let optimizer = Optimizer(configuration, arena: arena)
        arena.gradients.fill(1)
        for _ in 0..<3 { optimizer.update(learningRate: 0.1) }
        parameter.variable.value.fill(0)
        optimizer.clearMoments(of: parameter, at: [1])
        optimizer.update(learningRate: 0.1)
        // 1 + 0.9·(1 + 0.9·(1 + 0.9)) for the element that remembers.
        let values = parameter.variable.value.array
        #expect(abs(values[0] + 0.1 * 3.439) <= 1e-6 && abs(values[1] + 0.1) <= 1e-7)
    }
}
