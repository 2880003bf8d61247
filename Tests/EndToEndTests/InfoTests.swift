import Files
import Foundation
import TestSupport
import Testing

/// `info` counts models of every family.
@Suite struct InfoTests {
    private static let classifier = Repository.url("Samples/models/fashion-features").path

    /// 32×32 pixels of one channel; 3×3 convolutions 1 → 16 → 32 → 64 → 64, halved twice; 64 features, 10 classes.
    @Test func aClassifierIsCounted() throws {
        let result = try Tool.run("info", "--model", Self.classifier, "--json")
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        let json = try JSONValue(parsing: Array(result.output.utf8))
        let convolutions = [(1, 16, 32), (16, 32, 16), (32, 64, 8), (64, 64, 8)]
        let weights = convolutions.reduce(64 * 10) { $0 + 9 * $1.0 * $1.1 }
        let biases = 16 + 32 + 64 + 64 + 10
        let normalizations = 2 * (32 + 64 + 64)
        #expect(json["parameters"]?.intValue == weights + biases + normalizations)
        let macs = convolutions.reduce(64 * 10) { $0 + 9 * $1.0 * $1.1 * $1.2 * $1.2 }
        #expect(json["macs"]?.doubleValue == Double(macs))
        #expect(json["maskable_weights"]?.intValue == weights && json["channels"]?.intValue == 16 + 32 + 64 + 64)
        #expect(json["class"] == "feature-classifier" && json["classes"] == 10 && json["features"] == 64)

        let text = try Tool.run("info", "--model", Self.classifier)
        #expect(text.status == 0 && text.output.contains("feature-classifier") && text.output.contains("61,194"))
    }
}
