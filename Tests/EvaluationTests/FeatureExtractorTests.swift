import Evaluation
import Files
import Imagery
import TestSupport
import Testing

/// Mean and first pixel, in twos.
private struct TwoNumbers: FeatureExtractor {
    let name = "two-numbers"
    let dimension = 2

    func accepts(height: Int, width: Int, channels: Int) -> Bool { channels == 1 }

    func features(of images: [Image]) throws -> [[Float]] {
        images.map { image in
            [image.pixels.reduce(0) { $0 + Float($1) } / Float(image.pixels.count), Float(image.pixels[0])]
        }
    }
}

@Suite struct FeatureExtractorTests {
    private let valid = FeatureClassifierConfiguration(
        name: "small", inputSize: 8, channels: 1, widths: [4, 8], normalizationGroups: 4, classNames: ["a", "b"],
        trainedOn: "nothing")

    @Test func statisticsTakeInEveryImageOnce() throws {
        // 600 pictures: two whole parts and a rest.
        let images = (0..<600).map { index in
            Image(width: 2, height: 1, channels: 1, pixels: [UInt8(index % 7), UInt8(index % 11)])
        }
        let statistics = try TwoNumbers().statistics(of: images)
        var expected = try FeatureStatistics(dimension: 2)
        for image in images { try expected.add(try TwoNumbers().features(of: [image])[0]) }
        #expect(statistics.count == 600)
        #expect(zip(statistics.mean, expected.mean).allSatisfy { close($0, $1, 1e-13) })
        #expect(zip(try statistics.covariance(), try expected.covariance()).allSatisfy { close($0, $1, 1e-12) })
        #expect(try TwoNumbers().statistics(of: []).count == 0)
    }

    @Test func configurationsThatNoNetCanBeBuiltFromNameTheirKey() throws {
        func key(_ change: (inout FeatureClassifierConfiguration) -> Void) -> String? {
            var configuration = valid
            change(&configuration)
            do {
                _ = try FeatureClassifier(configuration)
                return nil
            } catch let error as SettingError {
                return error.key
            } catch {
                return "\(error)"
            }
        }
        #expect(key { _ in } == nil)
        #expect(key { $0.name = "" } == "name")
        #expect(key { $0.widths = [4] } == "widths")
        #expect(key { $0.widths = [4, .max] } == "widths")
        #expect(key { $0.widths = [4, 0] } == "widths")
        #expect(key { $0.inputSize = 9 } == "input_size")
        #expect(key { $0.inputSize = .min } == "input_size")
        #expect(key { $0.channels = 2 } == "channels")
        #expect(key { $0.normalizationGroups = 3 } == "normalization_groups")
        #expect(key { $0.normalizationGroups = 0 } == "normalization_groups")
        #expect(key { $0.classNames = ["a"] } == "class_names")
        #expect(key { $0.testAccuracy = 1.5 } == "test_accuracy")
        #expect(key { $0.testAccuracy = .nan } == "test_accuracy")
    }

    @Test func imagesOfAnotherShapeAreRefusedByPlace() throws {
        let classifier = try FeatureClassifier(valid)
        let fits = Image(width: 8, height: 8, channels: 1, filledWith: .black)
        let misfits = [
            Image(width: 9, height: 8, channels: 1, filledWith: .black),
            Image(width: 8, height: 8, channels: 3, filledWith: .black),
        ]
        #expect(classifier.accepts(height: 8, width: 8, channels: 1))
        for misfit in misfits {
            #expect(!classifier.accepts(height: misfit.height, width: misfit.width, channels: misfit.channels))
            let error = #expect(throws: FeatureError.self) { try classifier.features(of: [fits, misfit]) }
            #expect(error?.description.contains("image 1 is 8×\(misfit.width)×\(misfit.channels)") == true)
        }
        #expect(try classifier.features(of: []).isEmpty)
        #expect(try classifier.features(of: [fits]) == [[Float](repeating: 0, count: 8)])
    }
}
