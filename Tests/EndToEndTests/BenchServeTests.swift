import Foundation
import Testing

/// `bench --serve` as another program uses it: a line in, a line out.
@Suite struct BenchServeTests {
    private struct Answer {
        let lines: [String]
        let errors: String
        let status: Int32
    }

    private func serve(_ requests: String, _ more: String...) throws -> Answer {
        let process = Process()
        process.executableURL = Tool.url
        process.arguments = ["bench", "--serve", "--model", Tool.fixture("unet/plain")] + more
        let (input, output, errors) = (Pipe(), Pipe(), Pipe())
        (process.standardInput, process.standardOutput, process.standardError) = (input, output, errors)
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(requests.utf8))
        try input.fileHandleForWriting.close()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        let complaints = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        return Answer(
            lines: text.split(separator: "\n").map(String.init), errors: complaints, status: process.terminationStatus)
    }

    @Test func requestsAreAnsweredInTurn() throws {
        let answer = try serve(
            """
            {"work": "forward", "batch": 2, "repeats": 3}
            {"work": "training", "batch": 1}
            {"work": "training", "batch": 1, "repeats": 2}

            """)
        #expect(answer.status == 0 && answer.errors.isEmpty)
        let objects = try answer.lines.map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(objects.map { $0["work"] as? String } == ["forward", "training", "training"])
        #expect(objects.map { ($0["milliseconds"] as? [Double])?.count } == [3, 1, 2])
        for object in objects {
            #expect(try #require(object["milliseconds"] as? [Double]).allSatisfy { $0 > 0 })
            #expect(try #require(object["peak_bytes"] as? Int) > 4 * 7247)
        }
    }

    @Test func nothingIsAskedNothingIsDone() throws {
        let answer = try serve("")
        #expect(answer.status == 0 && answer.errors.isEmpty && answer.lines.isEmpty)
    }

    @Test(arguments: [
        ("hello", "one line such as"), (#"{"work": "forward"}"#, "one line such as"),
        (#"{"work": "forwards", "batch": 1}"#, "'forward'"), (#"{"work": "hvp", "batch": 0}"#, "1...4096"),
        (#"{"work": "hvp", "batch": 1, "repeats": 0.5}"#, "1...1000"),
        (#"{"work": "hvp", "batch": 1, "repeat": 2}"#, "'repeats'"),
    ])
    func badRequestsEndIt(request: String, words: String) throws {
        let answer = try serve(request + "\n" + #"{"work": "forward", "batch": 1}"# + "\n")
        #expect(answer.status == 64 && answer.lines.isEmpty)
        #expect(answer.errors.hasPrefix("error: ") && answer.errors.contains(words), "\(answer.errors)")
    }

    @Test func optionsOfRequestsAreRefused() throws {
        let answer = try serve("", "--batch", "3")
        #expect(answer.status == 64 && answer.errors.contains("--batch has no effect with --serve"))
    }
}
