import TensorCore
import Testing

@Suite struct PreparedWeightsTests {
    private let kernel = Variable(
        Tensor((0..<9 * 4 * 3).map { Float($0 % 7) - 3 }, shape: [3, 3, 4, 3]), requiresGradient: true)
    private let matrix = Variable(Tensor((0..<3 * 5).map { Float($0 % 4) - 1 }, shape: [3, 5]), requiresGradient: true)
    private let x = Variable(Tensor((0..<2 * 6 * 6 * 4).map { Float($0 % 11) / 11 }, shape: [2, 6, 6, 4]))

    /// A net whose weights are half of the stored ones.
    private func output(counting made: inout Int) -> Variable {
        let kernel = PreparedWeights.effective(kernel) {
            made += 1
            return self.kernel.scaled(by: 0.5)
        }
        let matrix = PreparedWeights.effective(matrix) {
            made += 1
            return self.matrix.scaled(by: 0.5)
        }
        return x.convolved(with: kernel).linear(matrix)
    }

    @Test func anEffectiveWeightIsDerivedOnce() {
        var made = 0
        let expected = Autograd.withoutRecording { output(counting: &made).value.array }
        #expect(made == 2)
        let prepared = PreparedWeights()
        made = 0
        var bytes: [Int] = []
        for _ in 0..<3 {
            let value = Autograd.withoutRecording { prepared.using { output(counting: &made).value.array } }
            #expect(value == expected)
            bytes.append(prepared.bytes)
        }
        #expect(made == 2)
        #expect(bytes[0] > 0 && bytes[1] == bytes[0] && bytes[2] == bytes[0])
    }

    @Test func eachPreparedWeightsDerivesItsOwn() {
        var made = 0
        for _ in 0..<2 { Autograd.withoutRecording { PreparedWeights().using { _ = output(counting: &made) } } }
        #expect(made == 4)
    }

    @Test func whileRecordingAnEffectiveWeightIsMadeAnewAndGetsItsGradient() {
        var made = 0
        let prepared = PreparedWeights()
        for _ in 0..<2 { prepared.using { output(counting: &made) }.summed(over: .all).backward() }
        #expect(made == 4)
        #expect(prepared.bytes == 0)
        #expect(kernel.gradient?.allFinite == true && matrix.gradient?.array.contains { $0 != 0 } == true)
    }

    @Test func anEffectiveWeightMayBeDerivedFromAnother() {
        var made = 0
        func twice() -> Variable {
            let half = { PreparedWeights.effective(self.matrix) { self.matrix.scaled(by: 0.5) } }
            return PreparedWeights.effective(half()) {
                made += 1
                return half().adding(1)
            }
        }
        let values = Autograd.withoutRecording { PreparedWeights().using { (twice(), twice()) } }
        #expect(values.0 === values.1 && made == 1)
        #expect(values.0.value.array == matrix.value.array.map { 0.5 * $0 + 1 })
    }
}
