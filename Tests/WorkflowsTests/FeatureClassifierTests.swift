import TestSupport
import Configuration
import Evaluation
import Foundation
import Testing
import Workflows

private struct Expected: Decodable {
    let features: [[Double]]
    let classes: [Int]
}

@Suite struct FeatureClassifierTests {
    private let classifier: FeatureClassifier

    init() throws { classifier = try FeatureClassifierFolder(FeatureFixtures.model).load() }

    @Test func featuresAgreeWithPyTorch() throws {
        let file = Repository.url("Tests/Fixtures/features/expected.json")
        let expected = try JSONDecoder().decode(Expected.self, from: Data(contentsOf: file))
        let dataset = try FeatureFixtures.images(.test)
        let images = expected.features.indices.map(dataset.image)
        let features = try classifier.features(of: images)
        for (got, wanted) in zip(features, expected.features) {
            #expect(got.count == 64 && wanted.count == 64)
            let scale = wanted.reduce(0) { max($0, abs($1)) }
            let worst = zip(got, wanted).reduce(0) { max($0, abs(Double($1.0) - $1.1)) } / scale
            #expect(worst < 5e-6, "off by \(worst) of the largest feature")
        }
        #expect(try classifier.classes(of: images) == expected.classes)
    }

    @Test func bundledNetTellsTheBundledTestImages() throws {
        let measured = try accuracy(of: classifier, on: try FeatureFixtures.images(.test))
        let stated = try #require(classifier.configuration.testAccuracy)
        #expect(stated >= 0.9)
        // 500 of the 10,000 images that the stated accuracy is of: four standard errors.
        #expect(abs(measured - stated) < 0.055, "\(measured) of the bundled images, \(stated) of all")
    }

    @Test func anImageHasTheSameFeaturesInAnyCompany() throws {
        let dataset = try FeatureFixtures.images(.test)
        let images = (0..<70).map(dataset.image)
        let together = try classifier.features(of: images)
        for index in [0, 1, 63, 64, 69] {
            let alone = try classifier.features(of: [images[index]])
            #expect(alone[0].map(\.bitPattern) == together[index].map(\.bitPattern), "image \(index)")
        }
    }

    @Test func bundledNetIsWhatTheShippedConfigurationDescribes() throws {
        let file = Repository.url("configs/fashion-features.yaml")
        let document = try ConfigurationDocument(file: file, sections: ["data", "features"])
        let settings: FeatureTrainingSettings = try document.section("features")
        let built = classifier.configuration
        #expect(built.name == settings.name && classifier.name == "fashion-classifier-64")
        #expect(built.widths == settings.widths && classifier.dimension == 64)
        #expect(built.inputSize == settings.inputSize && built.channels == settings.channels)
        #expect(built.normalizationGroups == settings.normalizationGroups)
        #expect(built.classNames == settings.classNames && built.trainedOn == settings.trainedOn)
    }

    /// It is a network like any other: over named axes, with its multiply–accumulates counted.
    @Test func theNetCanBeRebuiltWithoutSomeChannels() throws {
        #expect(classifier.channelGroups.map(\.name) == ["level.0", "level.1", "level.2", "features"])
        let halves = Dictionary(
            uniqueKeysWithValues: classifier.channelGroups.map { group in
                (group.name, (0..<group.width).filter { $0 % 2 == 0 })
            })
        let smaller = try classifier.rebuilt(keeping: halves)
        #expect(smaller.dimension == 32 && smaller.keptChannels == halves)
        // Of each layer: kernel, pixels of the output, inputs and outputs.
        func macs(_ widths: [Int]) -> Double {
            let (side, channels) = (classifier.configuration.inputSize, classifier.configuration.channels)
            let convolutions = [
                side * side * channels * widths[0], side * side / 4 * widths[0] * widths[1],
                side * side / 16 * widths[1] * widths[2], side * side / 16 * widths[2] * widths[3],
            ]
            return Double(9 * convolutions.reduce(0, +) + widths[3] * 10)
        }
        #expect(classifier.macs == macs([16, 32, 64, 64]) && smaller.macs == macs([8, 16, 32, 32]))
        #expect(throws: (any Error).self) { try classifier.rebuilt(keeping: ["nowhere": [0]]) }
    }
}
