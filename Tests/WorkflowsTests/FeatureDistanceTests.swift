import Evaluation
import Imagery
import ModelFolders
import Models
import Testing
import Workflows

/// Whether the bundled feature space orders sets of pictures as eyes do.
@Suite struct FeatureDistanceTests {
    private let classifier: FeatureClassifier
    private let images: [Image]
    private let labels: [Int]

    init() throws {
        classifier = try FeatureClassifierFolder(FeatureFixtures.model).load().model
        let dataset = try FeatureFixtures.images(.train)
        images = (0..<dataset.count).map(dataset.image)
        labels = (0..<dataset.count).map { dataset.label($0) ?? -1 }
    }

    private var evenHalf: [Image] { stride(from: 0, to: images.count, by: 2).map { images[$0] } }
    private var oddHalf: [Image] { stride(from: 1, to: images.count, by: 2).map { images[$0] } }

    private func distance(_ first: [Image], _ second: [Image]) throws -> Double {
        try FrechetDistance.value(try classifier.statistics(of: first), try classifier.statistics(of: second))
    }

    @Test func halvesOfOneSetAreFarCloserThanOtherSets() throws {
        let halves = try distance(evenHalf, oddHalf)
        let blank = Image(width: 32, height: 32, channels: 1, pixels: [UInt8](repeating: 127, count: 1024))
        let noise = (0..<1000).map { blank.noisy(deviation: 80, index: $0) }
        let toNoise = try distance(evenHalf, noise)
        #expect(toNoise > 30 * halves, "halves \(halves), noise \(toNoise)")

        func only(_ classes: ClosedRange<Int>) -> [Image] {
            images.indices.filter { classes.contains(labels[$0]) }.map { images[$0] }
        }
        let toShoes = try distance(only(0...4), only(5...9))
        #expect(toShoes > 10 * halves, "halves \(halves), two sets of classes \(toShoes)")
        #expect(try distance(evenHalf, evenHalf) < 1e-6 * halves)
    }

    @Test func distanceGrowsWithNoise() throws {
        let clean = try classifier.statistics(of: evenHalf)
        func distances(of images: [Image], deviations: [Float]) throws -> [Double] {
            try deviations.map { deviation in
                let noised = images.enumerated().map { $0.element.noisy(deviation: deviation, index: $0.offset) }
                return try FrechetDistance.value(clean, try classifier.statistics(of: noised))
            }
        }
        let same = try distances(of: evenHalf, deviations: [0, 2, 5, 10, 20, 40, 80])
        for (less, more) in zip(same, same.dropFirst()) {
            #expect(more > 2 * less, "to the same pictures: \(same)")
        }
        // Between other pictures, noise below about 10 grey levels drowns in the difference of the samples.
        let other = try distances(of: oddHalf, deviations: [0, 10, 20, 40, 80])
        for (less, more) in zip(other, other.dropFirst()) {
            #expect(more > 1.2 * less, "to other pictures: \(other)")
        }
    }
}
