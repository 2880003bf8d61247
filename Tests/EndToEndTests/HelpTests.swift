import Foundation
import TestSupport
import Testing

@Suite struct HelpTests {
    static let commands = [
        "quickstart", "train", "sample", "prune", "finetune", "evaluate", "compare", "train-features", "predict",
        "score", "sensitivity",
        "export", "info", "bench", "methods",
    ]

    @Test(arguments: commands) func everyCommandHasHelpWithAnExample(command: String) throws {
        for arguments in [[command, "--help"], ["help", command]] {
            let result = try Tool.run(arguments)
            #expect(result.status == 0 && result.errors.isEmpty)
            let text = result.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(text.contains("Example: diffprune \(command)"))
            #expect(text.contains("--quiet") && text.contains("--threads"))
        }
    }

    @Test func helpListsWhatThereIs() throws {
        let result = try Tool.run("--help")
        #expect(result.status == 0)
        for command in Self.commands { #expect(result.output.contains("  \(command) "), "\(command)") }
    }

    @Test func methodsAreListedForPeopleAndPrograms() throws {
        let json = try Tool.run("methods", "--json")
        let list = try #require(try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]])
        let names = list.compactMap { $0["name"] as? String }
        #expect(names.contains("gradient-flow") && names.contains("random") && names.count == list.count)
        for key in ["family", "needs", "summary", "paper", "settings"] {
            #expect(list.allSatisfy { $0[key] != nil }, "\(key)")
        }
        let table = try Tool.run("methods").output
        let markdown = try Tool.run("methods", "--markdown").output
        for name in names {
            #expect(table.contains("\n\(name) ") && markdown.contains("\n## \(name)\n"), "\(name)")
        }
        #expect(table.split(separator: "\n").allSatisfy { $0.count <= 100 }, "fits a terminal")
        #expect(try Tool.run("methods", "--json", "--markdown").status == 64)
    }

    @Test func documentsAreBroughtUpToDate() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("methods.md")
            try Data("above\n<!-- generated: card random -->\nold\n<!-- end -->\nbelow\n".utf8).write(to: url)
            #expect(try Tool.run("methods", "--update", url.path).status == 0)
            let lines = try text(url).split(separator: "\n")
            #expect(lines.count == 5 && lines.first == "above" && lines.last == "below" && lines[2].contains("random"))
            try Data("<!-- generated: card random -->\n".utf8).write(to: url)
            let refused = try Tool.run("methods", "--update", url.path)
            #expect(refused.status == 65 && refused.errors.contains("card random"))
        }
    }

    @Test func aModelIsCounted() throws {
        let result = try Tool.run("info", "--model", Tool.fixture("unet/plain"), "--json")
        let json = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        #expect(json["parameters"] as? Int == 7247)
        #expect(json["pruning"] == nil || json["pruning"] is NSNull)
        let file = Tool.fixture("unet/plain/unet/diffusion_pytorch_model.safetensors")
        #expect(json["bytes"] as? Int == (try Data(contentsOf: URL(fileURLWithPath: file)).count))
        let text = try Tool.run("info", "--model", Tool.fixture("unet/plain"))
        #expect(text.status == 0 && text.output.contains("7247"))
    }

    /// A reader that leaves, a full device and closed streams neither crash nor hang the tool.
    @Test func outputThatCannotBeWritten() throws {
        func shell(_ command: String) throws -> Int32 {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", command, Tool.url.path]
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            return process.terminationReason == .exit ? process.terminationStatus : -1
        }
        #expect(try shell(#"{ "$0" methods; echo $? >&3; } 3>&1 >/dev/full | grep -qx 65"#) == 0)
        #expect(try shell(#""$0" methods >&- 2>&-"#) == 0)
        #expect(try shell(#"{ sleep 0.2; "$0" methods; test $? = 0 || kill -9 $$; } | true"#) == 0)
    }
}
