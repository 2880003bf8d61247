import TestSupport
import Configuration
import Diffusion
import Files
import Foundation
import Models
import PruningMethods
import Testing

@testable import Workflows

/// Run configurations that say what they like.
@Suite struct ConfigurationFuzzTests {
    private func withFile(_ body: (URL) throws -> Void) throws {
        try withTemporaryFolder(inMemory: true) { try body($0.appendingPathComponent("config.yaml")) }
    }

    private func fuzz(_ good: JSONValue, _ name: String, _ read: (URL) throws -> Void) throws {
        var (read_, refused) = (0, 0)
        try withFile { url in
            for variant in Hostile.variants(of: good) {
                let text = try variant.text(.compact)  // JSON is YAML
                try Data(text.utf8).write(to: url)
                if Hostile.survives("\(name): \(text.prefix(2000))", { try read(url) }) {
                    read_ += 1
                } else {
                    refused += 1
                }
            }
        }
        print("FUZZ \(name) read \(read_) refused \(refused)")
        #expect(read_ > 20 && refused > 100)
    }

    @Test func trainingConfigurations() throws {
        let runs = try RunFixtures()
        let good = try TrainingRunConfiguration(file: runs.configuration)
        try fuzz(good.values, "train") { url in
            let configuration = try TrainingRunConfiguration(file: url)
            let model = try UNet(configuration.model)
            _ = try configuration.data.open(for: model)
            _ = try DenoisingObjective(configuration.scheduler)
            // What a run stores reads back as itself.
            let stored = url.appendingPathExtension("stored")
            defer { try? FileManager.default.removeItem(at: stored) }
            try Data(configuration.yaml.utf8).write(to: stored)
            if try TrainingRunConfiguration(file: stored).yaml != configuration.yaml {
                Issue.record("\(configuration)")
            }
        }
    }

    @Test(arguments: MethodCatalog.all.map(\.card.name)) func pruningConfigurations(method: String) throws {
        let good = try PruningRunConfiguration(file: nil, overrides: [], method: method, data: "x")
        let runs = try RunFixtures()
        let model = try withExtendedLifetime(runs) {
            try UNet(TrainingRunConfiguration(file: runs.configuration).model)
        }
        try fuzz(good.values, method) { url in
            let configuration = try PruningRunConfiguration(file: url)
            let plan = try PlannedPruning(configuration, of: model, storedAs: .float32).plan
            if !(1...1_000_000).contains(plan.updates) { Issue.record("\(method): \(plan.updates) updates") }
        }
    }

    @Test func yamlOfAnyKind() throws {
        let runs = try RunFixtures()
        let good = try TrainingRunConfiguration(file: runs.configuration).yaml
        let marks = [
            "&a ", "*a", "&a *a", "<<: *a", "[", "]", "{", "}", "? ", ": ", "- ", "!!binary ", "!<x> ", "!!int ", "|\n",
            ">-\n",
            "%YAML 1.1\n", "---\n", "...\n", "\t", "#", "'", "\"", "\\", "\0", "\u{feff}", "\u{85}", "1:2:3", "0x",
            "0b", "1_0",
            ".inf", "-.nan", "~", "yes", String(repeating: "[", count: 3000), String(repeating: "- ", count: 900),
            String(repeating: "a: ", count: 50), "\n  ", "\n", "9999999999999999999:59:59", "1e400",
        ]
        var read = 0
        try withFile { url in
            for text in Hostile.texts(of: good, marks: marks, count: 1500) {
                try Data(text.utf8).write(to: url)
                if Hostile.survives(text, { _ = try TrainingRunConfiguration(file: url) }) { read += 1 }
            }
            // Not UTF-8, and UTF-16, which the parser would guess.
            for bytes: [UInt8] in [[0xff, 0xfe, 0x61, 0x00], [0xc3, 0x28], [0xfe, 0xff, 0x00, 0x61], [0x00], []] {
                try Data(bytes).write(to: url)
                _ = Hostile.survives("\(bytes)") { _ = try TrainingRunConfiguration(file: url) }
            }
        }
        print("FUZZ yaml read \(read)")
        #expect(read > 20)
    }

    /// Nine lists of nine of the list before: 9⁹ values in 400 bytes.
    @Test func aliasesAreRefusedBeforeTheyAreExpanded() throws {
        var lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
        for (name, former) in zip("bcdefghi", "abcdefgh") {
            lines.append("\(name): &\(name) [\(Array(repeating: "*\(former)", count: 9).joined(separator: ", "))]")
        }
        try withFile { url in
            for text in [lines.joined(separator: "\n"), lines.joined(separator: "\n") + "\n? *i\n: 1\n"] {
                try Data(text.utf8).write(to: url)
                #expect {
                    try TrainingRunConfiguration(file: url)
                } throws: {
                    "\($0)".contains("aliases")
                }
            }
            // Marks within text are text, also where another has an anchor, and an anchor alone is no alias.
            for name in ["a & b*c", "*a", "b *a &a", "&a *nothing"] {
                try Data("training: &a {steps: 3} # *a\ndata: {path: \"\(name)\"}\n".utf8).write(to: url)
                #expect(try TrainingRunConfiguration(file: url).data.path == name)
            }
            try Data("training: &a {steps: 3}\ndata: *a\n".utf8).write(to: url)
            #expect {
                try TrainingRunConfiguration(file: url)
            } throws: {
                "\($0)".hasSuffix("YAML aliases are not read (line 2)")
            }
        }
    }

    /// The parser takes such numbers for base 60 and traps on the larger ones.
    @Test func numbersWithColonsAreText() throws {
        let runs = try RunFixtures()
        for text in ["1:30", "9999999999999999999:59:59:59:59:59", "-1:2"] {
            #expect {
                try TrainingRunConfiguration(file: runs.configuration, overrides: ["training.steps=\(text)"])
            } throws: {
                "\($0)".contains("'\(text)'") && "\($0)".contains("whole number")
            }
        }
    }
}
