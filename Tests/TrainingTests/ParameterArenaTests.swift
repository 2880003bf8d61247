import Layers
import TensorCore
import Testing
import Training

@Suite struct ParameterArenaTests {
    private func parameter(_ name: String, _ values: [Float], isTrainable: Bool = true) -> Parameter {
        let parameter = Parameter(
            name, layout: .plain, axes: [nil], shape: [values.count], initialization: .zeros, isTrainable: isTrainable)
        parameter.load(fileValues: values)
        return parameter
    }

    @Test func parametersMoveInWithTheirValuesAndStartOnCacheLines() {
        let (a, fixed, b) = (
            parameter("a", [1, 2, 3]), parameter("f", [9], isTrainable: false), parameter("b", [4, 5])
        )
        let arena = ParameterArena([a, fixed, b])
        #expect(arena.parameters.map(\.name) == ["a", "b"])
        #expect(arena.ranges == [0..<3, 16..<18])
        #expect(arena.slice(arena.values, 0).array == [1, 2, 3])
        #expect(arena.slice(arena.values, 1).array == [4, 5])
        arena.values.pointer[17] = 7
        #expect(b.variable.value.array == [4, 7])
        #expect(fixed.variable.value.array == [9] && !fixed.variable.requiresGradient)
    }

    @Test func gradientsThatNoPassReachedAreSetToZero() {
        let (a, b) = (parameter("a", [1, 2]), parameter("b", [3]))
        let arena = ParameterArena([a, b])
        arena.gradients.fill(5)
        arena.clearGradients()
        a.variable.meanSquaredError(to: Tensor(zeros: [2])).backward()
        arena.completeGradients()
        #expect(arena.slice(arena.gradients, 0).array == [1, 2])
        #expect(arena.slice(arena.gradients, 1).array == [0])
    }

    @Test func normsLeaveTheGapsOut() {
        let arena = ParameterArena([parameter("a", [0]), parameter("b", [0, 0])])
        arena.slice(arena.gradients, 0).fill(3)
        arena.slice(arena.gradients, 1).assign(Tensor([0, 4], shape: [2]))
        #expect(arena.gradientNorm == 5)
        let sum = Tensor(zeros: [arena.count])
        arena.addSquaredGradients(to: sum, scale: 0.5)
        arena.addSquaredGradients(to: sum, scale: 0.5)
        #expect(arena.slice(sum, 0).array == [9] && arena.slice(sum, 1).array == [0, 16])
    }

    @Test(arguments: [ParameterLayout.convolution, .linear, .plain]) func fileOrderRoundTrips(layout: ParameterLayout) {
        let shape =
            switch layout {
            case .convolution: [3, 3, 2, 5]
            case .linear: [4, 3]
            case .plain: [6]
            }
        let parameter = Parameter(
            "p", layout: layout, axes: shape.map { _ in nil }, shape: shape, initialization: .zeros)
        let values = (0..<parameter.count).map { Float($0) }
        parameter.load(fileValues: values)
        #expect(parameter.fileValues(of: parameter.variable.value) == values)
        if case .convolution = layout {
            #expect(parameter.fileShape == [5, 2, 3, 3])
            // [out 1, in 0, kh 0, kw 2] lies at [0, 2, 0, 1] of the engine's order
            #expect(parameter.variable.value.array[(2 * 2 + 0) * 5 + 1] == 18 + 2)
        }
    }

    @Test func initialValuesDependOnSeedAndNumberAlone() {
        func values(_ seed: UInt64, _ index: UInt64) -> [Float] {
            let parameter = Parameter(
                "p", layout: .plain, axes: [nil], shape: [400], initialization: .uniform(fanIn: 16))
            parameter.initialize(seed: seed, index: index)
            return parameter.variable.value.array
        }
        #expect(values(1, 0) == values(1, 0))
        #expect(values(1, 0) != values(1, 1) && values(1, 0) != values(2, 0))
        let drawn = values(3, 4)
        // uniform in ±1/√16: its standard deviation is 0.25/√3 = 0.144
        #expect(drawn.allSatisfy { abs($0) <= 0.25 })
        let deviation = (drawn.reduce(0) { $0 + $1 * $1 } / 400).squareRoot()
        #expect(abs(deviation - 0.144) < 0.02)
    }
}
