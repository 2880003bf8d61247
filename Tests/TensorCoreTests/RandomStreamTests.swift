import Foundation
import Testing

@testable import TensorCore

@Suite struct PhiloxTests {
    /// The three `philox4x32 10` lines of Random123's tests/kat_vectors.
    @Test(arguments: [
        (
            SIMD4<UInt32>(repeating: 0), SIMD2<UInt32>(repeating: 0),
            SIMD4<UInt32>(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8)
        ),
        (
            SIMD4(repeating: UInt32.max), SIMD2(repeating: UInt32.max),
            SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd)
        ),
        (
            SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), SIMD2(0xa409_3822, 0x299f_31d0),
            SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1)
        ),
    ])
    func knownAnswers(counter: SIMD4<UInt32>, key: SIMD2<UInt32>, expected: SIMD4<UInt32>) {
        #expect(Philox.block(counter: counter, key: key) == expected)
    }
}

@Suite struct RandomStreamTests {
    @Test func purposesHashByFNV1a() {
        // Published FNV-1a test vectors.
        #expect(RandomPurpose(rawValue: "").hash == 0xcbf2_9ce4_8422_2325)
        #expect(RandomPurpose(rawValue: "foobar").hash == 0x8594_4171_f739_67e8)
    }

    /// Pins the key derivation and the counter layout to values computed outside Swift from the documented layout:
    /// changing either changes every result of the tool.
    @Test func streamLayoutIsPinned() {
        let stream = RandomStream(seed: 7, purpose: .initialNoise, index: 0x1_0000_0002)
        #expect(
            (0..<4).map { stream.bits(at: UInt64($0)) } == [
                0x8107_6018_9e81_b583, 0xda8b_4121_c07a_fae8, 0x4f8b_065f_d29f_33cd, 0xbf58_407f_f6d3_d6c6,
            ])
        let normals = (0..<4).map { stream.normal(at: UInt64($0)) }
        for (got, expected) in zip(normals, [-1.27262287, 2.33874485, -1.71832073, 0.339948722]) {
            #expect(abs(Double(got) - expected) <= 1e-6)
        }
    }

    @Test func elementsDependOnPositionAlone() {
        var whole = [Float](repeating: 0, count: 37)
        var stream = RandomStream(seed: 3, purpose: .stepNoise, index: 5)
        whole.withUnsafeMutableBufferPointer { stream.fillNormal($0) }
        #expect(stream.position == 37)

        for split in 0...37 {
            var parts = [Float](repeating: 0, count: 37)
            parts.withUnsafeMutableBufferPointer { buffer in
                var back = RandomStream(seed: 3, purpose: .stepNoise, index: 5, position: UInt64(split))
                back.fillNormal(UnsafeMutableBufferPointer(rebasing: buffer[split...]))
                var front = RandomStream(seed: 3, purpose: .stepNoise, index: 5)
                front.fillNormal(UnsafeMutableBufferPointer(rebasing: buffer[..<split]))
            }
            #expect(parts.map(\.bitPattern) == whole.map(\.bitPattern), "split at \(split)")
        }
        var single = RandomStream(seed: 3, purpose: .stepNoise, index: 5)
        #expect((0..<37).map { _ in single.normal() } == whole)
    }

    /// Long fills are divided over threads.
    @Test(arguments: [UInt64(0), 7]) func longFillsAreWhatSingleDrawsAre(start: UInt64) {
        var stream = RandomStream(seed: 3, purpose: .initialNoise, position: start), single = stream
        var values = [Float](repeating: 0, count: 10_001)
        values.withUnsafeMutableBufferPointer { stream.fillNormal($0) }
        #expect(values.indices.allSatisfy { values[$0] == single.normal() })
        #expect(stream.position == single.position)
    }

    @Test func savedStreamResumes() throws {
        var stream = RandomStream(seed: .max, purpose: "a purpose", index: .max)
        for _ in 0..<5 { _ = stream.next() }
        var resumed = try JSONDecoder().decode(RandomStream.self, from: JSONEncoder().encode(stream))
        #expect(resumed == stream)
        #expect((0..<10).map { _ in resumed.next() } == (0..<10).map { _ in stream.next() })
    }

    @Test func seedPurposeAndIndexAllMatter() {
        let streams = [
            RandomStream(seed: 0, purpose: .dropout), RandomStream(seed: 1, purpose: .dropout),
            RandomStream(seed: 0, purpose: .mask), RandomStream(seed: 0, purpose: .dropout, index: 1),
            RandomStream(seed: 0, purpose: .dropout, index: 1 << 32),
        ]
        #expect(Set(streams.map { $0.bits(at: 0) }).count == streams.count)
        #expect(Set(streams.map { $0.normal(at: 0) }).count == streams.count)
    }

    @Test func normalsHaveNormalMoments() {
        let count = 1 << 20
        var values = [Float](repeating: 0, count: count)
        var stream = RandomStream(seed: 11, purpose: .probe)
        values.withUnsafeMutableBufferPointer { stream.fillNormal($0) }
        func mean(_ power: Int) -> Double {
            values.reduce(0) { $0 + pow(Double($1), Double(power)) } / Double(count)
        }
        // Five standard errors: the k-th moment's variance over n is (E x²ᵏ − (E xᵏ)²)/n.
        let error = 5 / Double(count).squareRoot()
        #expect(abs(mean(1)) < error)
        #expect(abs(mean(2) - 1) < error * 2.0.squareRoot())
        #expect(abs(mean(3)) < error * 15.0.squareRoot())
        #expect(abs(mean(4) - 3) < error * 96.0.squareRoot())
        let beyondTwo = Double(values.count { abs($0) > 2 }) / Double(count)
        #expect(abs(beyondTwo - 0.0455003) < error * (0.0455 * 0.9545).squareRoot())
        let neighbours = zip(values, values.dropFirst()).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
        #expect(abs(neighbours / Double(count)) < error)
    }

    @Test func indicesAreUncorrelated() {
        let count = 1 << 16
        func draws(_ index: UInt64) -> [Float] {
            var values = [Float](repeating: 0, count: count)
            var stream = RandomStream(seed: 2, purpose: .initialNoise, index: index)
            values.withUnsafeMutableBufferPointer { stream.fillNormal($0) }
            return values
        }
        let streams = (0..<6).map { draws(UInt64($0)) }
        for first in 0..<6 {
            for second in 0..<first {
                let product = zip(streams[first], streams[second]).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
                #expect(abs(product) / Double(count) < 5 / Double(count).squareRoot())
            }
        }
    }

    @Test func kindsOfDrawDoNotShareBits() {
        // Box–Muller's radius comes from the block's first half: were it shared, large bits would mean small normals.
        let count = 1 << 16
        var stream = RandomStream(seed: 2, purpose: .initialNoise)
        var sum = 0.0
        for position in 0..<UInt64(count) {
            stream.position = position
            let square = Double(stream.normal(at: position))
            sum += (stream.uniform() - 0.5) * (square * square - 1)
        }
        #expect(abs(sum) / Double(count) < 5 * (1.0 / 6).squareRoot() / Double(count).squareRoot())
    }

    @Test func uniformsFillTheOpenInterval() {
        let count = 1 << 18
        var stream = RandomStream(seed: 1, purpose: .augmentation)
        var sum = 0.0
        for _ in 0..<count {
            let value = stream.uniform()
            #expect(value > 0 && value < 1)
            sum += value
        }
        #expect(abs(sum / Double(count) - 0.5) < 5 * (1.0 / 12).squareRoot() / Double(count).squareRoot())
    }

    @Test func integersAreEvenlySpread() {
        var stream = RandomStream(seed: 1, purpose: .trainingTimestep)
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<70_000 { counts[stream.nextInteger(below: 7)] += 1 }
        let chiSquare = counts.reduce(0.0) { $0 + pow(Double($1) - 10_000, 2) / 10_000 }
        #expect(chiSquare < 30)
        #expect(stream.nextInteger(below: 1) == 0)
        // Under this bound plain remainders would land below 2⁶¹ three times in eight, not one in three.
        let bound = 3 << 61
        let low = (0..<20_000).count { _ in stream.nextInteger(below: bound) < 1 << 61 }
        #expect(abs(Double(low) / 20_000 - 1.0 / 3) < 0.02)
    }

    @Test func rademacherIsBalanced() {
        var values = [Float](repeating: 0, count: 1 << 16)
        var stream = RandomStream(seed: 9, purpose: .probe)
        values.withUnsafeMutableBufferPointer { stream.fillRademacher($0) }
        #expect(values.allSatisfy { abs($0) == 1 })
        #expect(abs(values.reduce(0, +)) < 5 * 256)
    }

    @Test func permutationsHoldEveryIndexOnce() {
        var stream = RandomStream(seed: 4, purpose: .dataOrder, index: 1)
        let order = stream.permutation(count: 1000)
        #expect(order.sorted() == Array(0..<1000))
        #expect(order != Array(0..<1000))
        #expect(stream.permutation(count: 1000) != order)
        #expect(stream.permutation(count: 0) == [])
        // All six orders of three come up equally often.
        var counts: [[Int]: Int] = [:]
        for _ in 0..<6000 { counts[stream.permutation(count: 3), default: 0] += 1 }
        #expect(counts.count == 6)
        #expect(counts.values.allSatisfy { abs($0 - 1000) < 150 })
    }
}
