import Foundation
import Testing

/// Class-conditional models from the shell: all classes in turn, and one.
@Suite struct ClassConditionalTests {
    let scratch: Scratch
    /// Ten classes, grey 8×8.
    let model = Tool.fixture("unet/class-embedding")

    init() throws { scratch = try Scratch() }

    private func sample(to name: String, _ more: String...) throws {
        let result = try Tool.run(
            [
                "sample", "--model", model, "--output", scratch.path(name), "--steps", "2", "--seed", "4", "--quiet",
                "--threads", "1",
            ] + more)
        #expect(result.status == 0, "\(result.errors)")
    }

    private func image(_ name: String, _ number: Int) throws -> Data {
        try scratch.data("\(name)/images/0000\(number < 10 ? "0" : "")\(number).png")
    }

    @Test func picturesTakeTheClassesInTurn() throws {
        try sample(to: "all", "--count", "23")
        try sample(to: "named", "--count", "23", "--class", "all", "--batch-size", "7")
        try sample(to: "three", "--count", "14", "--class", "3")
        for number in 0..<23 { #expect(try image("all", number) == image("named", number), "\(number)") }
        #expect(try scratch.data("all/grid.png") == scratch.data("named/grid.png"))
        // Pictures 3 and 13 are of class 3 whatever the others are; 4 is not.
        #expect(try image("all", 3) == image("three", 3))
        #expect(try image("all", 13) == image("three", 13))
        #expect(try image("all", 4) != image("three", 4))
    }

    @Test func evaluationHasATableByClass() throws {
        let result = try Tool.run(
            "evaluate", "--dense", model, "--pruned", model, "--output", scratch.path("out"), "--count", "12",
            "--steps",
            "2", "--threads", "1", "--quiet")
        #expect(result.status == 0, "\(result.errors)")
        let metrics = try #require(
            try JSONSerialization.jsonObject(with: scratch.data("out/metrics.json")) as? [String: Any])
        #expect(metrics["class"] as? String == "all")
        let classes = try #require(
            (metrics["consistency"] as? [String: Any])?["by_class"] as? [[String: Any]])
        #expect(classes.compactMap { $0["class"] as? Int } == Array(0..<10))
        #expect(classes.compactMap { $0["count"] as? Int } == [2, 2, 1, 1, 1, 1, 1, 1, 1, 1])
        for entry in classes {
            #expect((entry["epsilon_mse"] as? [String: Any])?["mean"] as? Double == 0)
            #expect((entry["psnr"] as? [String: Any])?["mean"] as? Double == 100)
        }
        let report = try scratch.text("out/report.html")
        #expect(report.contains("all 10: picture i has class i mod 10") && report.contains(">Classes<"))

        let few = try Tool.run(
            "evaluate", "--dense", model, "--pruned", model, "--output", scratch.path("few"), "--count", "4", "--steps",
            "2", "--threads", "1", "--quiet")
        #expect(few.errors.contains("only 4 of the 10 classes are drawn"), "\(few.errors)")
        let one = try Tool.run(
            "evaluate", "--dense", model, "--pruned", model, "--output", scratch.path("one"), "--count", "2", "--steps",
            "2", "--class", "7", "--json", "--threads", "1", "--quiet")
        let seven = try #require(try JSONSerialization.jsonObject(with: Data(one.output.utf8)) as? [String: Any])
        #expect(seven["class"] as? Int == 7)
        #expect((seven["consistency"] as? [String: Any])?["by_class"] == nil)
    }

    @Test(arguments: [
        ("class-embedding", "10", "--class is 10, expected all, or a whole number in 0..<10"),
        ("class-embedding", "-1", "--class is -1"), ("class-embedding", "1.5", "--class is 1.5"),
        ("class-embedding", "nan", "--class is nan"), ("class-embedding", "every", "--class is 'every', expected all"),
        ("plain", "all", "--class is all, expected none, as the model is unconditional"),
        ("class-timestep", "all", "--class is all, expected a number"),
        ("class-identity", "1", "takes a vector for each image"),
    ])
    func classesThatAModelDoesNotHaveAreRefused(fixture: String, label: String, reason: String) throws {
        let folder = Tool.fixture("unet/\(fixture)")
        let commands = [["sample", "--model", folder], ["evaluate", "--dense", folder, "--pruned", folder]]
        for command in commands {
            let result = try Tool.run(command + ["--output", scratch.path("out"), "--class", label, "--quiet"])
            #expect(result.status == 64 && result.complaints.count == 1, "\(command): \(result.errors)")
            #expect(result.errors.contains(reason), "\(command): \(result.errors)")
            #expect(!scratch.exists("out"))
        }
    }

    @Test func aModelOfAnyNumberNeedsOne() throws {
        let result = try Tool.run(
            "sample", "--model", Tool.fixture("unet/class-timestep"), "--output", scratch.path("out"), "--quiet")
        #expect(
            result.status == 64 && result.errors.contains("--class is missing, expected a number"), "\(result.errors)")
    }
}
