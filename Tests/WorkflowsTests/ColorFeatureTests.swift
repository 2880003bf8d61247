import Configuration
import Evaluation
import Foundation
import Imagery
import ModelFolders
import Models
import TestSupport
import Testing
import Workflows

private struct Expected: Decodable {
    let features: [[Double]]
    let classes: [Int]
    let distances: [String: Double]
}

/// The bundled feature net for colour: its numbers are PyTorch's, and it orders sets of pictures as eyes do.
@Suite struct ColorFeatureTests {
    private let classifier: FeatureClassifier
    private let images: [Image]
    private let expected: Expected

    init() throws {
        classifier = try FeatureClassifierFolder(ColorFeatureFixtures.model).load().model
        images = try ColorFeatureFixtures.images()
        let file = Repository.url("Tests/Fixtures/features/emoji.json")
        expected = try JSONDecoder().decode(Expected.self, from: Data(contentsOf: file))
    }

    private func distance(_ first: [Image], _ second: [Image]) throws -> Double {
        try FrechetDistance.value(try classifier.statistics(of: first), try classifier.statistics(of: second))
    }

    /// Every other picture, from the first or the second on.
    private func half(_ start: Int) -> [Image] { stride(from: start, to: images.count, by: 2).map { images[$0] } }

    private func of(_ name: String) throws -> [Image] {
        let row = try #require(classifier.configuration.classNames.firstIndex(of: name))
        return Array(images[row * ColorFeatureFixtures.perClass..<(row + 1) * ColorFeatureFixtures.perClass])
    }

    @Test func featuresAgreeWithPyTorch() throws {
        let features = try classifier.features(of: Array(images.prefix(expected.features.count)))
        for (got, wanted) in zip(features, expected.features) {
            #expect(got.count == 64 && wanted.count == 64)
            let scale = wanted.reduce(0) { max($0, abs($1)) }
            let worst = zip(got, wanted).reduce(0) { max($0, abs(Double($1.0) - $1.1)) } / scale
            #expect(worst < 5e-6, "off by \(worst) of the largest feature")
        }
        #expect(try classifier.classes(of: Array(images.prefix(expected.classes.count))) == expected.classes)
    }

    /// The oracle takes the trace of the covariances' root from singular values of features in float64.
    @Test func distancesAgreeWithNumPy() throws {
        let got = try [
            "halves": distance(half(0), half(1)), "swapped": distance(images, images.map(\.redAndBlueSwapped)),
            "hands to people": distance(of("hands"), of("people")),
        ]
        #expect(Set(got.keys) == Set(expected.distances.keys))
        for (name, wanted) in expected.distances {
            let value = try #require(got[name])
            #expect(abs(value / wanted - 1) < 1e-4, "\(name): \(value), expected \(wanted)")
        }
    }

    @Test func theNetTellsEmojiItHasNotSeen() throws {
        let classes = try classifier.classes(of: images)
        let hits = classes.enumerated().filter { $0.offset / ColorFeatureFixtures.perClass == $0.element }.count
        let stated = try #require(classifier.configuration.testAccuracy)
        // 108 of the 480 pictures that the stated accuracy is of, as many of each class: a ninth would be chance.
        let measured = Double(hits) / Double(images.count)
        #expect(abs(measured - stated) < 0.15, "\(measured), stated \(stated)")
    }

    @Test func distanceGrowsWithNoise() throws {
        let (reference, others) = (try classifier.statistics(of: half(0)), half(1))
        let distances = try ([0, 20, 40, 80] as [Float]).map { deviation in
            let noisy = others.enumerated().map { $0.element.noisy(deviation: deviation, index: $0.offset) }
            return try FrechetDistance.value(reference, classifier.statistics(of: noisy))
        }
        for (less, more) in zip(distances, distances.dropFirst()) { #expect(more > 1.1 * less, "\(distances)") }
        #expect(distances[3] > 5 * distances[0], "\(distances)")
    }

    @Test func distanceGrowsWithBlur() throws {
        let (reference, others) = (try classifier.statistics(of: half(0)), half(1))
        let distances = try (0...3).map { radius in
            let blurred = others.map { $0.blurred(radius: radius) }
            return try FrechetDistance.value(reference, classifier.statistics(of: blurred))
        }
        for (less, more) in zip(distances, distances.dropFirst()) { #expect(more > 1.1 * less, "\(distances)") }
        #expect(distances[3] > 2 * distances[0], "\(distances)")
    }

    @Test func coloursAndClassesCount() throws {
        let halves = try distance(half(0), half(1))
        let swapped = try distance(half(0), half(1).map(\.redAndBlueSwapped))
        let inverted = try distance(half(0), half(1).map { $0.mapping { 255 - $0 } })
        let grey = try distance(half(0), half(1).map { $0.converted(toChannels: 1).converted(toChannels: 3) })
        let found = [halves, swapped, grey, inverted]
        #expect(swapped > 1.5 * halves && grey > 2 * halves && inverted > 5 * halves, "\(found)")
        let kinds = try distance(of("faces"), of("flags"))
        let hands = try of("hands")
        let same = try distance(Array(hands.prefix(6)), Array(hands.suffix(6)))
        #expect(kinds > 2 * same, "\(kinds), hands among themselves \(same)")
    }

    @Test func bundledNetIsWhatTheShippedConfigurationDescribes() throws {
        let file = Repository.url("configs/emoji-features.yaml")
        let document = try ConfigurationDocument(file: file, sections: ["data", "features"])
        let settings: FeatureTrainingSettings = try document.section("features")
        let built = classifier.configuration
        #expect(built.name == settings.name && classifier.name == "emoji-classifier-64")
        #expect(built.widths == settings.widths && classifier.dimension == 64)
        #expect(built.inputSize == settings.inputSize && built.channels == settings.channels)
        #expect(built.normalizationGroups == settings.normalizationGroups)
        #expect(built.trainedOn == settings.trainedOn)
    }
}
