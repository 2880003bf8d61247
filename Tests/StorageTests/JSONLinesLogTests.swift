import Foundation
import Storage
import Testing

@Suite struct JSONLinesLogTests {
    private func withLog(_ content: String? = nil, _ body: (URL) throws -> Void) throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("metrics.jsonl")
            if let content { try Data(content.utf8).write(to: url) }
            try body(url)
        }
    }

    @Test func linesAreAppended() throws {
        try withLog { url in
            let log = try JSONLinesLog(url)
            #expect(try log.entries() == [])
            try log.truncate(afterStep: 0)
            try log.append(["step": 1, "loss": 0.5])
            try log.append(["step": 2, "loss": .double(.nan), "note": "a\nb"])
            #expect(
                try text(url) == """
                    {"loss": 0.5, "step": 1}
                    {"loss": null, "note": "a\\nb", "step": 2}

                    """)
            #expect(try log.entries().count == 2)
        }
    }

    @Test func aResumedLogIsTheUninterruptedOne() throws {
        try withLog { url in
            func run(_ steps: ClosedRange<Int>) throws {
                let log = try JSONLinesLog(url)
                for step in steps { try log.append(["step": .int(step), "loss": .double(1 / Double(step))]) }
            }
            try run(1...20)
            let uninterrupted = try text(url)
            try Data((uninterrupted + "{\"step\": 21, \"lo").utf8).write(to: url)
            try JSONLinesLog(url).truncate(afterStep: 12)
            try run(13...20)
            #expect(try text(url) == uninterrupted)
        }
    }

    @Test func everyTornEndIsMended() throws {
        let whole = "{\"step\": 1, \"loss\": 0.25}\n"
        let line = "{\"loss\": 0.5, \"step\": 2}"
        for length in 0...line.utf8.count {
            try withLog(whole + String(line.prefix(length))) { url in
                try JSONLinesLog(url).append(["step": 3])
                let second = length == line.utf8.count ? line + "\n" : ""
                #expect(try text(url) == whole + second + "{\"step\": 3}\n")
            }
        }
        try withLog(whole + "\0\0\0\0") { url in
            _ = try JSONLinesLog(url)
            #expect(try text(url) == whole)
        }
    }

    @Test func linesWithoutAStepStay() throws {
        try withLog("{\"event\": \"start\"}\n{\"step\": 5}\n\n{\"step\": 6}\n{\"event\": \"end\"}\n") { url in
            try JSONLinesLog(url).truncate(afterStep: 5)
            #expect(try text(url) == "{\"event\": \"start\"}\n{\"step\": 5}\n{\"event\": \"end\"}\n")
        }
    }

    @Test(arguments: ["{\"step\": 2", "[1]", "{\"step\": \"3\"}", "{\"step\": 1.5}", "garbage"])
    func aBadLineIsNamed(_ line: String) throws {
        let content = "{\"step\": 1}\n\(line)\n{\"step\": 3}\n"
        try withLog(content) { url in
            let log = try JSONLinesLog(url)
            let got = error(StorageError.self) { try log.truncate(afterStep: 1) }
            #expect(got.map(String.init(describing:))?.contains("metrics.jsonl, entry in line 2: ") == true)
            #expect(try text(url) == content)
        }
    }

    @Test func aLogThatCannotBeWritten() throws {
        try withTemporaryFolder { folder in
            let log = try JSONLinesLog(folder.appendingPathComponent("no/metrics.jsonl"))
            #expect(throws: StorageError.self) { try log.append(["step": 1]) }
            #expect(throws: StorageError.self) { try JSONLinesLog(folder) }
        }
    }
}
