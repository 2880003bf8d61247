import CKernels
import Testing

/// All kernel tests: one after the other, since they change the number of threads.
@Suite(.serialized) struct KernelTests {}

/// SplitMix64: the tests' inputs are the same on every run.
struct KernelRandom {
    var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func bits() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in −1...1.
    mutating func value() -> Float { Float(Double(bits() >> 11) * 0x1p-52 - 1) }

    mutating func values(_ count: Int) -> [Float] { (0..<count).map { _ in value() } }

    mutating func below(_ bound: Int) -> Int { Int(bits() % UInt64(bound)) }
}

/// Runs `body` on every instruction set that this processor has.
func onEveryISA(_ body: (String) throws -> Void) rethrows {
    defer { dk_isa_select(nil) }
    for name in ["avx512", "avx2", "portable"] where dk_isa_select(name) == 0 { try body(name) }
}

/// Runs `body` with 1, 2 and 3 threads and puts the count back.
func withThreadCounts(_ body: (Int) throws -> Void) rethrows {
    let before = dk_threads()
    defer { dk_set_threads(before) }
    for count in 1...3 {
        dk_set_threads(Int32(count))
        try body(count)
    }
}

/// A sum in double with the sum of its terms' magnitudes, which rounding errors are measured against.
struct MeasuredSum {
    var value = 0.0
    var magnitude = 0.0

    static func += (sum: inout MeasuredSum, term: Double) {
        sum.value += term
        sum.magnitude += abs(term)
    }
}

/// The largest |actual − expected| / (magnitude + 10⁻³⁰); infinite where one is NaN or the counts differ.
func worstError(_ actual: [Float], _ expected: [MeasuredSum]) -> Double {
    guard actual.count == expected.count else { return .infinity }
    var worst = 0.0
    for (a, e) in zip(actual, expected) {
        let error = abs(Double(a) - e.value) / (e.magnitude + 1e-30)
        worst = error.isNaN ? .infinity : max(worst, error)
    }
    return worst
}

/// The largest |actual − expected| / (1 + |expected|).
func worstError(_ actual: [Float], _ expected: [Double]) -> Double {
    guard actual.count == expected.count else { return .infinity }
    var worst = 0.0
    for (a, e) in zip(actual, expected) {
        let error = abs(Double(a) - e) / (1 + abs(e))
        worst = error.isNaN ? .infinity : max(worst, error)
    }
    return worst
}

func sameBits(_ a: [Float], _ b: [Float]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { $0.bitPattern == $1.bitPattern }
}
