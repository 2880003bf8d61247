import Foundation
import Layers
import TensorCore
import TestSupport
import Testing
import Training

/// PyTorch's traces and the bookkeeping around them.
@Suite struct OptimizerTests {
    private func arena(_ values: [Float]) -> ParameterArena {
        let parameter = Parameter("p", layout: .plain, axes: [nil], shape: [values.count], initialization: .zeros)
        parameter.load(fileValues: values)
        return ParameterArena([parameter])
    }

    private static let settings: [(name: String, configuration: OptimizerConfiguration)] = {
        var adam = OptimizerConfiguration()
        (adam.beta2, adam.epsilon) = (0.99, 1e-6)
        var adamw = OptimizerConfiguration()
        (adamw.kind, adamw.weightDecay) = (.adamw, 0.1)
        var sgd = OptimizerConfiguration()
        (sgd.kind, sgd.weightDecay) = (.sgd, 5e-4)
        return [("adam", adam), ("adamw", adamw), ("sgd_momentum", sgd)]
    }()

    @Test(arguments: settings.indices) func parametersFollowPyTorchsTrace(index: Int) throws {
        let (name, configuration) = Self.settings[index]
        let golden = try GoldenFile("operations/operations.safetensors")
        let arena = arena(try golden.floats("\(name)/start"))
        let optimizer = Optimizer(configuration, arena: arena)
        let gradients = try golden.floats("\(name)/gradients")
        let expected = try golden.floats("\(name)/parameters")
        let count = try golden.shape(of: "\(name)/start")[0]
        for step in 0..<5 {
            for i in 0..<count { arena.gradients.pointer[i] = gradients[step * count + i] }
            optimizer.update(learningRate: 0.01)
            for i in 0..<count {
                // five float32 updates of 0.01 each
                #expect(abs(arena.values.pointer[i] - expected[step * count + i]) < 1e-6, "\(name), step \(step)")
            }
        }
    }

    /// A β held as float32 would put the moments off by 1e-5 here, most of it by 1 − 0.999f.
    @Test(arguments: [OptimizerKind.adam, .adamw]) func aHundredStepsStayWithPyTorchInDouble(kind: OptimizerKind) throws
    {
        let golden = try GoldenFile("operations/operations.safetensors")
        let name = "\(kind.rawValue)_long"
        var configuration = OptimizerConfiguration()
        (configuration.kind, configuration.weightDecay) = (kind, kind == .adamw ? 0.01 : 0)
        let arena = arena(try golden.floats("\(name)/start"))
        let optimizer = Optimizer(configuration, arena: arena)
        let gradients = try golden.floats("\(name)/gradients")
        let count = try golden.shape(of: "\(name)/start")[0]
        for step in 0..<100 {
            for i in 0..<count { arena.gradients.pointer[i] = gradients[step * count + i] }
            optimizer.update(learningRate: 2e-4)
        }
        func worst(_ got: Tensor, _ key: String) throws -> Double {
            let expected = try golden.floats("\(name)/\(key)").map(Double.init)
            let scale = expected.map(abs).max() ?? 1
            return (0..<count).map { abs(Double(got.pointer[$0]) - expected[$0]) / scale }.max() ?? .nan
        }
        let errors = [
            try worst(arena.values, "parameters"), try worst(optimizer.state[0].tensor, "first_moment"),
            try worst(optimizer.state[1].tensor, "second_moment"),
        ]
        #expect(errors.allSatisfy { $0 <= 1e-6 }, "\(name): parameters, moments \(errors)")
    }

    // MARK: Muon

    private static let matrices: [(name: String, layout: ParameterLayout)] = [
        ("convolution", .convolution), ("linear", .linear), ("narrow", .linear), ("bias", .plain),
    ]

    /// All of them in one arena, as a network has them.
    @Test func muonFollowsItsTraceInDouble() throws {
        let golden = try GoldenFile("optimizers/muon.safetensors")
        let parameters = try Self.matrices.map { name, layout in
            let shape = try golden.shape(of: "\(name)/start")
            let own =
                switch layout {
                case .convolution: [shape[2], shape[3], shape[1], shape[0]]
                case .linear: [shape[1], shape[0]]
                case .plain: shape
                }
            let parameter = Parameter(
                name, layout: layout, axes: own.map { _ in nil }, shape: own, initialization: .zeros)
            parameter.load(fileValues: try golden.floats("\(name)/start"))
            return parameter
        }
        let arena = ParameterArena(parameters)
        var configuration = OptimizerConfiguration()
        (configuration.kind, configuration.weightDecay) = (.muon, 0.1)
        let optimizer = Optimizer(configuration, arena: arena)
        let gradients = ParameterArena(
            parameters.map {
                Parameter($0.name, layout: $0.layout, axes: $0.axes, shape: $0.variable.shape, initialization: .zeros)
            })
        for step in 0..<5 {
            for parameter in gradients.parameters {
                let all = try golden.floats("\(parameter.name)/gradients")
                parameter.load(fileValues: Array(all[(step * parameter.count)..<((step + 1) * parameter.count)]))
            }
            arena.gradients.assign(gradients.values)
            optimizer.update(learningRate: 0.02)
            for parameter in parameters {
                let all = try golden.floats("\(parameter.name)/values")
                let wanted = all[(step * parameter.count)..<((step + 1) * parameter.count)]
                let got = parameter.fileValues(of: parameter.variable.value)
                let error = zip(got, wanted).map { abs($0 - $1) }.max() ?? .nan
                // Values of about 1, moved by about 0.02·0.2·√45.
                #expect(error < 2e-5, "\(parameter.name), step \(step): \(error)")
            }
        }
    }

    /// What no gradient reaches, such as a channel that is masked, stays where it is.
    @Test func muonLeavesRowsAndColumnsOfZerosAlone() {
        let parameter = Parameter("w", layout: .linear, axes: [nil, nil], shape: [6, 4], initialization: .zeros)
        let arena = ParameterArena([parameter])
        var configuration = OptimizerConfiguration()
        configuration.kind = .muon
        let optimizer = Optimizer(configuration, arena: arena)
        for row in 0..<6 {
            for column in 0..<4 where row != 2 && column != 1 {
                arena.gradients.pointer[row * 4 + column] = Float(sin(Double(row * 4 + column + 1)))
            }
        }
        optimizer.update(learningRate: 0.1)
        for row in 0..<6 {
            for column in 0..<4 {
                #expect((arena.values.pointer[row * 4 + column] == 0) == (row == 2 || column == 1))
            }
        }
    }

    /// An update whose directions are all alike, whatever the gradient's are.
    @Test func muonMovesByAllDirectionsAlike() {
        let parameter = Parameter("w", layout: .linear, axes: [nil, nil], shape: [3, 3], initialization: .zeros)
        let arena = ParameterArena([parameter])
        var configuration = OptimizerConfiguration()
        configuration.kind = .muon
        let optimizer = Optimizer(configuration, arena: arena)
        for (index, value) in [1, 0.3, 0.05].enumerated() { arena.gradients.pointer[index * 4] = Float(value) }
        optimizer.update(learningRate: 1)
        let size = 0.2 * 3.0.squareRoot()
        for index in 0..<3 {
            let step = -Double(arena.values.pointer[index * 4]) / size
            #expect((0.6...1.3).contains(step), "direction \(index) moved by \(step)")
        }
    }

    @Test func theGradientScaleIsThatOfScaledGradients() {
        let start: [Float] = [0.5, -1, 2]
        let (scaled, plain) = (arena(start), arena(start))
        var configuration = OptimizerConfiguration()
        configuration.kind = .sgd
        let (a, b) = (Optimizer(configuration, arena: scaled), Optimizer(configuration, arena: plain))
        for i in 0..<3 {
            scaled.gradients.pointer[i] = Float(i) - 1
            plain.gradients.pointer[i] = 0.25 * (Float(i) - 1)
        }
        a.update(learningRate: 0.1, gradientScale: 0.25)
        b.update(learningRate: 0.1)
        #expect(scaled.values.array == plain.values.array)
    }

    @Test(arguments: OptimizerKind.allCases) func aRestoredOptimizerContinuesBitForBit(kind: OptimizerKind) throws {
        var configuration = OptimizerConfiguration()
        configuration.kind = kind
        configuration.weightDecay = 0.01
        let start: [Float] = [0.5, -1, 2, 0.1]
        func gradient(_ arena: ParameterArena, _ step: Int) {
            for i in 0..<4 { arena.gradients.pointer[i] = Float(sin(Double(step * 4 + i))) }
        }
        let whole = arena(start)
        let uninterrupted = Optimizer(configuration, arena: whole)
        for step in 0..<6 {
            gradient(whole, step)
            uninterrupted.update(learningRate: 0.05)
        }
        let first = arena(start)
        let before = Optimizer(configuration, arena: first)
        for step in 0..<3 {
            gradient(first, step)
            before.update(learningRate: 0.05)
        }
        let second = arena(Array(first.values.array[0..<4]))
        let after = Optimizer(configuration, arena: second)
        let state = Dictionary(uniqueKeysWithValues: before.state.map { ($0.name, $0.tensor.array) })
        try after.restore(step: before.step, tensors: state)
        for step in 3..<6 {
            gradient(second, step)
            after.update(learningRate: 0.05)
        }
        #expect(second.values.array == whole.values.array)
        #expect(after.step == 6)
    }

    @Test func aStateOfAnotherModelIsRefused() {
        let optimizer = Optimizer(OptimizerConfiguration(), arena: arena([1, 2]))
        #expect {
            try optimizer.restore(step: 1, tensors: ["first_moment": [1], "second_moment": [1]])
        } throws: {
            "\($0)".contains("first_moment") && "\($0)".contains("expected 16")
        }
        #expect(throws: OptimizerError.self) { try optimizer.restore(step: 1, tensors: [:]) }
    }

    @Test func clippingBringsTheNormDownToTheMaximum() {
        #expect(Optimizer.clippingScale(norm: 0.5, maximum: 1) == 1)
        #expect(Optimizer.clippingScale(norm: 0.5, maximum: nil) == 1)
        #expect(abs(Optimizer.clippingScale(norm: 4, maximum: 1) - 0.25) < 1e-6)
    }

    @Test func theMovingAverageWarmsUpAndThenDecays() {
        let arena = arena([1])
        let average = ExponentialMovingAverage(decay: 0.5, arena: arena)
        var expected = 1.0
        for step in 1...40 {
            arena.values.pointer[0] = Float(step)
            average.update(arena)
            let decay = min(0.5, Double(1 + step) / Double(10 + step))
            expected += (1 - decay) * (Double(step) - expected)
            #expect(abs(Double(average.average.pointer[0]) - expected) < 1e-5 * expected)
        }
    }

    @Test func averagedWeightsAreLentAndTakenBack() throws {
        let arena = arena([1, 2])
        let average = ExponentialMovingAverage(decay: 0.9, arena: arena)
        arena.values.pointer[0] = 5
        let lent = average.withAveragedWeights(arena) { arena.parameters[0].variable.value.array }
        #expect(lent == [1, 2])
        #expect(arena.parameters[0].variable.value.array == [5, 2])
        try average.restore(step: 7, values: Array(repeating: 3, count: arena.count))
        #expect(average.step == 7 && average.average.pointer[1] == 3)
        #expect(throws: OptimizerError.self) { try average.restore(step: 7, values: [1]) }
    }

    @Test func learningRatesFollowTheirSchedules() {
        let constant = LearningRateSchedule(warmUpSteps: 3)
        #expect((0..<5).map { constant.factor(step: $0, total: 10) } == [0.25, 0.5, 0.75, 1, 1])
        let linear = LearningRateSchedule(shape: .linear, finalFraction: 0.2)
        #expect(abs(linear.factor(step: 5, total: 10) - 0.6) < 1e-12)
        #expect(abs(linear.factor(step: 25, total: 10) - 0.2) < 1e-12)
        let cosine = LearningRateSchedule(shape: .cosine, warmUpSteps: 2, finalFraction: 0.1)
        #expect(cosine.factor(step: 2, total: 12) == 1)
        #expect(abs(cosine.factor(step: 7, total: 12) - 0.55) < 1e-12)
        #expect(abs(cosine.factor(step: 12, total: 12) - 0.1) < 1e-12)
    }

    /// By hand, f being a tenth and two steps warming up.
    @Test(
        arguments: [
            (.cosineRestarts, [1, 0.55, 1, 0.55, 0.1]), (.polynomial, [1, 0.60625, 0.325, 0.15625, 0.1]),
            (.exponential, [1, 0.56234132519, 0.31622776602, 0.17782794100, 0.1]), (.steps, [1, 1, 0.1, 0.01, 0.01]),
        ] as [(LearningRateSchedule.Shape, [Double])])
    func otherShapes(shape: LearningRateSchedule.Shape, expected: [Double]) {
        var schedule = LearningRateSchedule(shape: shape, warmUpSteps: 2, finalFraction: 0.1)
        schedule.cycles = 2
        for (number, value) in expected.enumerated() {
            let got = schedule.factor(step: 2 + 2 * number, total: 10)
            #expect(abs(got - value) < 1e-10, "\(number): \(got)")
        }
        #expect(schedule.factor(step: 1, total: 10) == 2.0 / 3)
    }

    @Test func schedulesThatCannotBeAreRefused() {
        for (key, change) in [
            ("final_fraction", { $0.shape = .exponential }), ("cycles", { $0.cycles = 0 }), ("power", { $0.power = 0 }),
            ("milestones", { $0.milestones = [0.75, 0.5] }), ("milestones", { $0.milestones = [1] }),
            ("decay", { $0.decay = 0 }), ("warm_up_steps", { $0.warmUpSteps = -1 }),
        ] as [(String, (inout LearningRateSchedule) -> Void)] {
            var configuration = TrainingConfiguration()
            change(&configuration.learningRateSchedule)
            #expect { try configuration.validate() } throws: { "\($0)".contains("'learning_rate_schedule.\(key)'") }
        }
    }
}
