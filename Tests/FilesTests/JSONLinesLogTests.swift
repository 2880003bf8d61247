import Files
import Foundation
import TestSupport
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
            let log = JSONLinesLog(url)
            #expect(try log.entries() == [])
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
                for step in steps {
                    try JSONLinesLog(url).append(["step": .int(step), "loss": .double(1 / Double(step))])
                }
            }
            try run(1...12)
            let mark = try JSONLinesLog(url).mark()
            #expect(mark.lines == 12)
            try run(13...20)
            let uninterrupted = try text(url)
            try Data((uninterrupted + "{\"step\": 21, \"lo").utf8).write(to: url)
            try JSONLinesLog(url).cut(to: mark)
            try run(13...20)
            #expect(try text(url) == uninterrupted)
        }
    }

    /// A log may be read while a run writes it, or after one was killed.
    @Test func aTornEndIsLeftOutAndLeftAlone() throws {
        let whole = "{\"step\": 1, \"loss\": 0.25}\n"
        let line = "{\"loss\": 0.5, \"step\": 2}"
        let entry: JSONValue = ["step": 1, "loss": 0.25]
        for length in 0...line.utf8.count {
            let content = whole + String(line.prefix(length))
            try withLog(content) { url in
                let entries = try JSONLinesLog(url).entries()
                #expect(entries == [entry])
                #expect(try text(url) == content)
            }
        }
    }

    @Test(arguments: ["{\"step\": 2", "[1]", "garbage"])
    func aBadLineIsNamed(_ line: String) throws {
        try withLog("{\"step\": 1}\n\n\(line)\n{\"step\": 3}\n") { url in
            let got = error(StorageError.self) { _ = try JSONLinesLog(url).entries() }
            #expect(got.map(String.init(describing:))?.contains("metrics.jsonl, entry in line 3: ") == true)
        }
    }

    @Test func aLogThatIsNotTheOneMarkedIsLeftAlone() throws {
        try withLog { url in
            let log = JSONLinesLog(url)
            #expect(try log.mark() == .empty)
            try log.cut(to: .empty)
            for step in 1...5 { try log.append(["step": .int(step)]) }
            let mark = try log.mark()
            let lines = try text(url).split(separator: "\n").map { $0 + "\n" }
            let longer = "{\"step\": 6}\n"

            func expect(_ expected: LogMarkError, _ content: String?, sourceLocation: SourceLocation = #_sourceLocation)
                throws
            {
                unlink(url.path)
                if let content { try Data(content.utf8).write(to: url) }
                #expect(throws: expected, sourceLocation: sourceLocation) { try log.cut(to: mark) }
                #expect(content == (try? text(url)), sourceLocation: sourceLocation)
            }
            try expect(.shortened(path: url.path, lines: nil, expected: 5), nil)
            try expect(.shortened(path: url.path, lines: 0, expected: 5), "")
            try expect(.shortened(path: url.path, lines: 4, expected: 5), lines.dropLast().joined())
            try expect(.shortened(path: url.path, lines: 4, expected: 5), String(lines.joined().dropLast()))
            try expect(.shortened(path: url.path, lines: 4, expected: 5), lines.dropFirst().joined())
            // As long as it was, or longer.
            try expect(.altered(path: url.path, lines: 5), lines.joined().replacingOccurrences(of: "3", with: "4"))
            try expect(.altered(path: url.path, lines: 5), lines.dropFirst().joined() + longer)
            try expect(
                .altered(path: url.path, lines: 5), lines.joined().replacingOccurrences(of: "}", with: "") + longer)
            try expect(.altered(path: url.path, lines: 5), lines.reversed().joined())

            try Data((lines.joined() + longer).utf8).write(to: url)
            try log.cut(to: mark)
            #expect(try text(url) == lines.joined())
        }
    }

    @Test func aLogThatCannotBeWritten() throws {
        try withTemporaryFolder { folder in
            let log = JSONLinesLog(folder.appendingPathComponent("no/metrics.jsonl"))
            #expect(throws: StorageError.self) { try log.append(["step": 1]) }
            #expect(throws: StorageError.self) { try JSONLinesLog(folder).append(["step": 1]) }
            #expect(throws: StorageError.self) { try JSONLinesLog(folder).entries() }
        }
    }
}
