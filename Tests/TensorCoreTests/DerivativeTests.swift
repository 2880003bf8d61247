import TensorCore
import Testing

/// Values, gradients and Hessian–vector products of every operation against an independent reference in Double.
@Suite struct DerivativeTests {
    @Test(arguments: DerivativeCheck.all) func valueIsThatOfTheReference(check: DerivativeCheck) {
        check.checkValue()
    }

    @Test(arguments: DerivativeCheck.all) func gradientIsTheSlopeOfTheReference(check: DerivativeCheck) throws {
        try check.checkGradient()
    }

    @Test(arguments: DerivativeCheck.all) func hessianVectorProductIsExact(check: DerivativeCheck) throws {
        try check.checkHessianVectorProduct()
    }

    @Test(arguments: DerivativeCheck.all) func aLossOfDerivativesHasItsGradient(check: DerivativeCheck) throws {
        try check.checkLossOfDerivatives()
    }

    @Test func constantsGetNoGradient() {
        let x = Variable(Tensor([1, 2, 3, 4], shape: [2, 2]), requiresGradient: true)
        let constant = Variable(Tensor([0.5, -1, 2, 1], shape: [2, 2]))
        x.linear(constant).meanSquaredError(to: Tensor(zeros: [2, 2])).backward()
        #expect(x.gradient != nil)
        #expect(constant.gradient == nil)
    }

    @Test func aDeadGroupOfTheNormalizationGivesZeroAndStopsGradients() {
        let x = Variable(Tensor((0..<12).map { Float($0) }, shape: [1, 1, 3, 4]), requiresGradient: true)
        let gamma = Variable(Tensor(ones: [4]), requiresGradient: true)
        let beta = Variable(Tensor([1, 1, 1, 1], shape: [4]), requiresGradient: true)
        let gate = Variable(Tensor([0, 0, 1, 0.5], shape: [4]), requiresGradient: true)
        let y = x.groupNormalized(
            groups: NormalizationGroups(width: 4, count: 2), gamma: gamma, beta: beta, epsilon: 1e-5, activation: .silu,
            gate: gate)
        for row in 0..<3 { #expect(y.value.array[row * 4] == 0 && y.value.array[row * 4 + 1] == 0) }
        y.meanSquaredError(to: Tensor(ones: y.shape)).backward()
        for row in 0..<3 { #expect(x.gradient?.array[row * 4] == 0 && x.gradient?.array[row * 4 + 1] == 0) }
        #expect(gamma.gradient?.array[0] == 0 && beta.gradient?.array[1] == 0)
        #expect(x.gradient?.array[2] != 0)
    }

    /// A step has no derivative; its estimator passes gradients on, to whatever the thresholds were made of.
    @Test func aStraightThroughStepPassesGradientsOn() {
        let t = Variable(Tensor([-0.5, 0.25, 0, 2], shape: [4]), requiresGradient: true)
        let step = Tensor(t.value.array.map { $0 >= 0 ? 1 : 0 }, shape: [4])
        let weights = Variable(Tensor([3, -1, 2, 0.5], shape: [4]), requiresGradient: true)
        let output = weights.multiplied(by: t.straightThrough(value: step, factor: 0.25))
        #expect(output.value.array == [0, -1, 2, 0.5])
        output.summed(over: .all).backward()
        #expect(t.gradient?.array == [0.75, -0.25, 0.5, 0.125])
        #expect(weights.gradient?.array == [0, 1, 1, 1])
    }
}
