import Evaluation
import TestSupport
import Testing

private struct FeaturePair: Decodable {
    let name: String
    let dimension: Int
    let first: [Float]
    let second: [Float]
    let firstMean: [Double]
    let firstCovariance: [Double]
    let distanceSVD: Double
    let distanceSqrtm: Double

    enum CodingKeys: String, CodingKey {
        case name, dimension, first, second
        case firstMean = "first_mean"
        case firstCovariance = "first_covariance"
        case distanceSVD = "distance_svd"
        case distanceSqrtm = "distance_sqrtm"
    }
}

private func statistics(_ features: [Float], dimension: Int) throws -> FeatureStatistics {
    var result = try FeatureStatistics(dimension: dimension)
    try result.add(features)
    return result
}

@Suite struct FrechetDistanceTests {
    private let pairs: [FeaturePair]

    init() throws {
        pairs = try Fixtures.json("evaluation/frechet.json", as: [FeaturePair].self)
    }

    @Test func meanAndCovarianceAgreeWithNumPy() throws {
        for pair in pairs {
            let first = try statistics(pair.first, dimension: pair.dimension)
            #expect(zip(first.mean, pair.firstMean).allSatisfy { close($0, $1, 1e-13) }, "\(pair.name)")
            let covariance = try first.covariance()
            #expect(covariance.count == pair.firstCovariance.count)
            #expect(zip(covariance, pair.firstCovariance).allSatisfy { close($0, $1, 1e-11) }, "\(pair.name)")
        }
    }

    @Test func distanceAgreesWithSciPy() throws {
        for pair in pairs {
            let first = try statistics(pair.first, dimension: pair.dimension)
            let second = try statistics(pair.second, dimension: pair.dimension)
            let forward = try FrechetDistance.value(first, second)
            let backward = try FrechetDistance.value(second, first)
            // Square roots of rounding errors cost a singular pair half the digits, sqrtm more than us.
            let singular = first.warning != nil
            #expect(close(forward, pair.distanceSVD, singular ? 3e-7 : 1e-12), "\(pair.name): \(forward)")
            #expect(close(forward, pair.distanceSqrtm, singular ? 1e-6 : 1e-10), "\(pair.name): \(forward)")
            #expect(close(forward, backward, singular ? 3e-7 : 1e-12), "\(pair.name): \(backward)")
        }
    }

    /// Either set may be the one that is too small; both are counted.
    @Test func everySetThatIsTooSmallIsWarnedOf() {
        func warning(_ drawn: Int, _ real: Int) -> String? {
            FeatureStatistics.warning(dimension: 64, samples: [("pictures", drawn), ("reference images", real)])
        }
        #expect(warning(65, 65) == nil)
        #expect(warning(65, 26)?.hasPrefix("only 26 reference images for 64-dimensional") == true)
        #expect(warning(64, 1000)?.contains("only 64 pictures for 64-dimensional") == true)
        #expect(warning(64, 26)?.contains("only 64 pictures and 26 reference images for") == true)
    }

    @Test func batchSizeAndOrderDoNotMatter() throws {
        for pair in pairs {
            let whole = try statistics(pair.first, dimension: pair.dimension)
            let rows = pair.first.count / pair.dimension
            var oneByOneBackwards = try FeatureStatistics(dimension: pair.dimension)
            for row in (0..<rows).reversed() {
                try oneByOneBackwards.add(Array(pair.first[(row * pair.dimension)..<((row + 1) * pair.dimension)]))
            }
            let cut = 3 * pair.dimension
            var inTwoBatches = try statistics(Array(pair.first[..<cut]), dimension: pair.dimension)
            try inTwoBatches.add(Array(pair.first[cut...]))
            for other in [oneByOneBackwards, inTwoBatches] {
                #expect(other.count == rows)
                #expect(zip(other.mean, whole.mean).allSatisfy { close($0, $1, 1e-13) })
                #expect(zip(try other.covariance(), try whole.covariance()).allSatisfy { close($0, $1, 1e-11) })
            }
        }
    }

    @Test func manyRowsAgreeWithTheirBlocks() throws {
        // More rows than one internal block holds; mean of 0…n−1 is (n−1)/2 and its variance n(n+1)/12.
        let n = 1000
        let ramp = try statistics((0..<n).flatMap { [Float($0), Float(-$0)] }, dimension: 2)
        #expect(close(ramp.mean[0], 499.5, 1e-14))
        let variance = Double(n * (n + 1)) / 12
        let covariance = try ramp.covariance()
        let expected = [variance, -variance, -variance, variance]
        #expect(zip(covariance, expected).allSatisfy { close($0, $1, 1e-13) })
    }

    @Test func distanceOfKnownGaussians() throws {
        // Commuting covariances: Σ (√a − √b)² plus the squared offset.
        let first = try FeatureStatistics(mean: [0, 0], covariance: [4, 0, 0, 9], count: 100)
        let second = try FeatureStatistics(mean: [3, 4], covariance: [1, 0, 0, 25], count: 50)
        #expect(close(try FrechetDistance.value(first, second), 25 + 1 + 4, 1e-13))
        #expect(try FrechetDistance.value(first, first) < 1e-13)
        let constant = try statistics([1, 2, 1, 2, 1, 2], dimension: 2)
        #expect(try FrechetDistance.value(constant, constant) == 0)
        #expect(close(try FrechetDistance.value(constant, first), 5 + 13, 1e-13))
    }

    @Test func singularCovariancesStayNearZeroForEqualSets() throws {
        // 6 samples in 48 dimensions: a general matrix square root is at its worst here.
        let features = (0..<(6 * 48)).map { Float(($0 * 7919) % 101) / 10 }
        let same = try statistics(features, dimension: 48)
        let trace = try same.covariance().enumerated().reduce(0) { $0 + ($1.offset % 49 == 0 ? $1.element : 0) }
        #expect(try FrechetDistance.value(same, same) < 1e-9 * trace)
        #expect(same.warning?.contains("only 6 samples for 48-dimensional") == true)
    }

    @Test func badInputIsRefusedAndLeavesTheStatisticsAlone() throws {
        var statistics = try FeatureStatistics(dimension: 2)
        #expect(throws: MetricError.notFinite(what: "a batch of feature vectors", index: 3)) {
            try statistics.add([1, 2, 3, .nan])
        }
        #expect(throws: MetricError.self) { try statistics.add([1, 2, 3]) }
        #expect(statistics.count == 0)
        try statistics.add([])
        try statistics.add([1, 2])
        #expect(throws: MetricError.tooFewSamples(what: "a covariance", got: 1, needed: 2)) {
            try FrechetDistance.value(statistics, statistics)
        }
        #expect(throws: MetricError.impossibleDimension(0)) { try FeatureStatistics(dimension: 0) }
        #expect(throws: MetricError.impossibleDimension(.max)) { try FeatureStatistics(dimension: .max) }
        let wider = try FeatureStatistics(dimension: 3)
        #expect(throws: MetricError.self) { try FrechetDistance.value(statistics, wider) }
        #expect(throws: MetricError.self) { try FeatureStatistics(mean: [0, 0], covariance: [1, 0, 0], count: 5) }
        #expect(throws: MetricError.notSymmetric(row: 1, column: 0)) {
            try FeatureStatistics(mean: [0, 0], covariance: [1, 0.5, 0.4, 1], count: 5)
        }
        let huge = try FeatureStatistics(mean: [0, 0], covariance: [1e300, 0, 0, 1e300], count: 3)
        #expect(throws: MetricError.tooLarge(what: "the feature statistics")) {
            try FrechetDistance.value(huge, huge)
        }
        #expect(throws: MetricError.self) { try FeatureStatistics(mean: [0], covariance: [.infinity], count: 5) }
    }
}
