import CKernels
import Foundation
import Testing

extension KernelTests {
    private static let cases: [(batch: Int, tokens: Int, widths: [Int])] = [
        (1, 1, [1]), (2, 5, [3, 1, 0, 5]), (1, 16, [8, 8]), (3, 17, [2, 16]), (1, 64, [24]), (1, 100, [40, 5]),
        (1, 300, [8]),
    ]

    /// Outputs and gradients, each with its tangent, against the formulas in Double.
    @Test func attentionAndItsDerivativesMatch() {
        onEveryISA { isa in
            var random = KernelRandom(51)
            for (batch, tokens, widths) in Self.cases {
                let problem = AttentionProblem(batch, tokens, widths, random: &random)
                let (expected, tangents) = problem.reference()
                let got = problem.run()
                for (index, name) in ["output", "dQ", "dK", "dV"].enumerated() {
                    let value = relativeError(got[index].value, expected[index])
                    let tangent = relativeError(got[index].tangent, tangents[index])
                    #expect(value < 2e-6, "\(isa) \(tokens) tokens, \(widths): \(name) \(value)")
                    #expect(tangent < 3e-6, "\(isa) \(tokens) tokens, \(widths): \(name)'s tangent \(tangent)")
                }
            }
        }
    }

    /// Every combination of inputs that move and inputs that do not.
    @Test func missingTangentsOfAttentionAreZero() {
        onEveryISA { isa in
            var random = KernelRandom(52)
            let problem = AttentionProblem(2, 7, [3, 2], random: &random)
            for moving in 0..<16 {
                var absent = problem, zero = problem
                for input in 0..<4 where moving & (1 << input) == 0 {
                    absent.tangents[input] = nil
                    zero.tangents[input] = zero.tangents[input].map { $0.map { _ in 0 } }
                }
                for (a, b) in zip(absent.run(), zero.run()) {
                    #expect(sameBits(a.value, b.value), "\(isa) \(moving)")
                    #expect(a.tangent.isEmpty || a.tangent == b.tangent, "\(isa) \(moving)")
                }
            }
        }
    }

    @Test func attentionDependsOnNeitherBatchNorThreads() {
        onEveryISA { isa in
            var random = KernelRandom(53)
            for (tokens, widths) in [(300, [8]), (256, [24, 8]), (20, [3, 16, 5])] {
                let whole = AttentionProblem(3, tokens, widths, random: &random)
                var expected: [AttentionProblem.Result]?
                withThreadCounts { threads in
                    let got = whole.run()
                    for (a, b) in zip(got, expected ?? got) {
                        #expect(sameBits(a.value, b.value), "\(isa) \(tokens) tokens, \(threads) threads")
                        #expect(sameBits(a.tangent, b.tangent), "\(isa) \(tokens) tokens, \(threads) threads")
                    }
                    expected = got
                }
                let image = tokens * widths.reduce(0, +)
                for (a, b) in zip(whole.image(1).run(), expected ?? []) {
                    #expect(sameBits(a.value, Array(b.value[image..<(2 * image)])), "\(isa) \(tokens) tokens")
                    #expect(sameBits(a.tangent, Array(b.tangent[image..<(2 * image)])), "\(isa) \(tokens) tokens")
                }
            }
        }
    }

    /// Queries, keys and values as columns of one array.
    @Test func attentionReadsColumnsOfAWiderRow() {
        onEveryISA { isa in
            var random = KernelRandom(54)
            var problem = AttentionProblem(2, 37, [8, 3], random: &random)
            let expected = problem.run()
            problem.isJoint = true
            for (a, b) in zip(problem.run(), expected) {
                #expect(sameBits(a.value, b.value) && sameBits(a.tangent, b.tangent), "\(isa)")
            }
        }
    }

    @Test func attentionOfHugeLogitsAndOfNaN() {
        onEveryISA { isa in
            var random = KernelRandom(55)
            var problem = AttentionProblem(1, 3, [1], random: &random)
            problem.scale = 1
            problem.values = [[1e20, -1e20, .nan], [1e15, 0, -1e15], [2, 3, 4], [1, 1, 1]]
            let output = problem.run()[0].value
            #expect(output[0] == 2 && output[1] == 4 && output[2].isNaN, "\(isa): \(output)")
        }
    }
}

/// The largest |actual − expected| over the largest |expected|; infinite where one is NaN or the counts differ.
private func relativeError(_ actual: [Float], _ expected: [Double]) -> Double {
    guard actual.count == expected.count else { return .infinity }
    let scale = expected.reduce(1e-30) { max($0, abs($1)) }
    return zip(actual, expected).reduce(0) { worst, pair in
        let error = abs(Double(pair.0) - pair.1) / scale
        return error.isNaN ? .infinity : max(worst, error)
    }
}

/// Inputs of attention and of its backward pass, with tangents.
private struct AttentionProblem {
    typealias Result = (value: [Float], tangent: [Float])

    let batch: Int, tokens: Int, widths: [Int]
    var scale: Float = 0.7
    /// Q, K, V and G.
    var values: [[Float]]
    var tangents: [[Float]?]
    /// Whether Q, K and V are handed over as columns of one array.
    var isJoint = false

    private var inner: Int { widths.reduce(0, +) }

    init(_ batch: Int, _ tokens: Int, _ widths: [Int], random: inout KernelRandom) {
        (self.batch, self.tokens, self.widths) = (batch, tokens, widths)
        let count = batch * tokens * widths.reduce(0, +)
        values = (0..<4).map { _ in random.values(count) }
        tangents = (0..<4).map { _ in random.values(count) }
    }

    /// One image by itself.
    func image(_ index: Int) -> AttentionProblem {
        let range = (index * tokens * inner)..<((index + 1) * tokens * inner)
        var part = AttentionProblem(copying: self, batch: 1)
        part.values = values.map { Array($0[range]) }
        part.tangents = tangents.map { $0.map { Array($0[range]) } }
        return part
    }

    private init(copying other: AttentionProblem, batch: Int) {
        (self.batch, tokens, widths, scale) = (batch, other.tokens, other.widths, other.scale)
        (values, tangents, isJoint) = (other.values, other.tangents, other.isJoint)
    }

    /// Output, dQ, dK and dV; tangents are empty where no input has one.
    func run() -> [Result] {
        let count = batch * tokens * inner
        var statistics = [Float](repeating: .nan, count: Int(DK_ATTENTION_STATISTICS) * batch * widths.count * tokens)
        let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: 8 * count)
        defer { memory.deallocate() }
        memory.initialize(repeating: .nan)
        func out(_ index: Int, _ hasTangent: Bool) -> dk_dual_out {
            let place = memory.baseAddress! + 2 * index * count
            return dk_dual_out(value: place, tangent: hasTangent ? place + count : nil)
        }
        let inputs = isJoint ? joined : Inputs(values: Array(values[..<3]), tangents: Array(tangents[..<3]))
        let moves = tangents[..<3].contains { $0 != nil }, movesBackward = moves || tangents[3] != nil
        optionally(inputs.values[0], inputs.values[1], inputs.values[2], values[3]) { value in
            optionally(inputs.tangents[0], inputs.tangents[1], inputs.tangents[2], tangents[3]) { tangent in
                func input(_ index: Int) -> dk_dual_in {
                    let column = isJoint ? index * inner : 0
                    let source = isJoint ? 0 : index
                    return dk_dual_in(
                        value: value[source]! + column,
                        tangent: tangents[index] == nil ? nil : tangent[source].map { $0 + column })
                }
                widths.withUnsafeBufferPointer { widths in
                    var problem = dk_attention(
                        batch: batch, tokens: tokens, heads: widths.count, widths: widths.baseAddress, inner: inner,
                        pitch: isJoint ? 3 * inner : inner, scale: scale, q: input(0), k: input(1), v: input(2))
                    Self.inWorkspace(dk_attention_forward_workspace(&problem)) {
                        dk_attention_forward(&problem, out(0, moves), &statistics, $0)
                    }
                    Self.inWorkspace(dk_attention_backward_workspace(&problem, movesBackward ? 1 : 0)) {
                        dk_attention_backward(
                            &problem,
                            dk_dual_in(value: out(0, moves).value, tangent: UnsafePointer(out(0, moves).tangent)),
                            statistics, dk_dual_in(value: value[3]!, tangent: tangent[3]), out(1, movesBackward),
                            out(2, movesBackward), out(3, movesBackward), $0)
                    }
                }
            }
        }
        return (0..<4).map { index in
            let start = 2 * index * count, hasTangent = index == 0 ? moves : movesBackward
            return (
                value: Array(memory[start..<(start + count)]),
                tangent: hasTangent ? Array(memory[(start + count)..<(start + 2 * count)]) : []
            )
        }
    }

    /// Runs a pass in a workspace of just the size it asks for.
    private static func inWorkspace(_ size: Int, _ body: (UnsafeMutablePointer<Float>) -> Void) {
        var workspace = [Float](repeating: .nan, count: size) + Array(repeating: 0.5, count: 64)
        body(&workspace)
        #expect(workspace[size...].allSatisfy { $0 == 0.5 }, "a workspace that was too small")
    }

    private struct Inputs {
        var values: [[Float]?], tangents: [[Float]?]
    }

    /// Rows of Q, K and V one after the other.
    private var joined: Inputs {
        func join(_ arrays: [[Float]?]) -> [Float] {
            (0..<(batch * tokens)).flatMap { row in
                arrays.flatMap { array in
                    (0..<inner).map { column in array.map { $0[row * inner + column] } ?? 0 }
                }
            }
        }
        return Inputs(
            values: [join(Array(values[..<3])), nil, nil], tangents: [join(Array(tangents[..<3])), nil, nil])
    }

    /// Output, dQ, dK and dV in Double, and their central differences along the tangents.
    func reference() -> (values: [[Double]], tangents: [[Double]]) {
        func at(_ step: Double) -> [[Double]] {
            Self.reference(
                zip(values, tangents).map { value, tangent in
                    value.indices.map { Double(value[$0]) + step * Double(tangent?[$0] ?? 0) }
                }, batch: batch, tokens: tokens, widths: widths, scale: Double(scale))
        }
        let step = 1e-4  // truncation and rounding of the difference are both below 1e-7
        let slopes = zip(at(step), at(-step)).map { zip($0, $1).map { ($0 - $1) / (2 * step) } }
        return (at(0), slopes)
    }

    private static func reference(_ x: [[Double]], batch: Int, tokens: Int, widths: [Int], scale: Double) -> [[Double]]
    {
        let inner = widths.reduce(0, +)
        var out = [[Double]](repeating: [Double](repeating: 0, count: x[0].count), count: 4)
        for image in 0..<batch {
            var first = 0
            for width in widths {
                defer { first += width }
                func row(_ token: Int) -> Range<Int> {
                    let start = (image * tokens + token) * inner + first
                    return start..<(start + width)
                }
                func dot(_ a: [Double], _ i: Int, _ b: [Double], _ j: Int) -> Double {
                    zip(row(i), row(j)).reduce(0) { $0 + a[$1.0] * b[$1.1] }
                }
                for i in 0..<tokens {
                    let logits = (0..<tokens).map { scale * dot(x[0], i, x[1], $0) }
                    let largest = logits.max()!, exponentials = logits.map { exp($0 - largest) }
                    let total = exponentials.reduce(0, +)
                    let dp = (0..<tokens).map { dot(x[3], i, x[2], $0) }
                    let mean = zip(exponentials, dp).reduce(0) { $0 + $1.0 / total * $1.1 }
                    for j in 0..<tokens {
                        let p = exponentials[j] / total, ds = scale * p * (dp[j] - mean)
                        for (a, b) in zip(row(i), row(j)) {
                            out[0][a] += p * x[2][b]
                            out[1][a] += ds * x[1][b]
                            out[2][b] += ds * x[0][a]
                            out[3][b] += p * x[3][a]
                        }
                    }
                }
            }
        }
        return out
    }
}
