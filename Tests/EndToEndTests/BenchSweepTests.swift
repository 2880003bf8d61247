import Foundation
import Testing

/// `bench --sweep`: how time grows as the work does.
@Suite struct BenchSweepTests {
    private func bench(_ arguments: [String]) throws -> Tool.Result {
        try Tool.run(["bench", "--model", Tool.fixture("unet/plain"), "--quiet", "--runs", "2", "--sweep"] + arguments)
    }

    private func points(_ arguments: String...) throws -> [[String: Any]] {
        let result = try bench(arguments + ["--json"])
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        let json = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        let sweeps = try #require(json["sweeps"] as? [[String: Any]])
        #expect(sweeps.map { $0["axis"] as? String } == [arguments[0]])
        let points = try #require(sweeps[0]["points"] as? [[String: Any]])
        for point in points {
            let time = try #require(point["relative_time"] as? [String: Any])
            #expect(try #require(time["median"] as? Double) > 0)
            #expect((point["milliseconds"] as? [String: Any])?["count"] as? Int == 2)
        }
        return points
    }

    private func column<Value>(_ points: [[String: Any]], _ key: String, as _: Value.Type) -> [Value] {
        points.compactMap { $0[key] as? Value }
    }

    @Test func batchesAreOnesOwnOrTheDefault() throws {
        let some = try points("batch", "--batch", "6", "2", "--work", "forward", "hvp")
        #expect(column(some, "work", as: String.self) == ["forward", "forward", "hvp", "hvp"])
        #expect(column(some, "batch", as: Int.self) == [2, 6, 2, 6])
        #expect(column(some, "relative_work", as: Double.self) == [1, 3, 1, 3])
        let all = try points("batch")
        #expect(column(all, "value", as: Int.self) == [1, 2, 4, 8, 16, 32, 1, 2, 4, 8, 16, 32])
        #expect(column(all, "work", as: String.self).suffix(6) == Array(repeating: "training", count: 6))
    }

    @Test func widthsKeepWholeGroupsAndHeads() throws {
        // Widths 4 and 6 in groups of 2, heads of the whole width.
        let widths = try points("width", "--batch", "1", "--work", "forward")
        #expect(column(widths, "value", as: Int.self) == [2, 4, 6, 8])
        let macs = column(widths, "macs", as: Double.self)
        #expect(macs == macs.sorted() && macs[0] < macs[3] / 8)
        let work = column(widths, "relative_work", as: Double.self)
        #expect(zip(work, macs).allSatisfy { abs($0 * macs[0] / $1 - 1) < 1e-12 })
    }

    @Test func resolutionsAreMultiplesOfTheDivisor() throws {
        let sizes = try points("resolution", "--work", "forward")
        #expect(column(sizes, "value", as: Int.self) == [4, 8, 12, 16])
        #expect(column(sizes, "batch", as: Int.self) == [4, 4, 4, 4])
        let work = column(sizes, "relative_work", as: Double.self)
        // Attention grows faster than the pixels do, the time embedding not at all.
        #expect(abs(work[3] / 16 - 1) < 0.1)
    }

    @Test func threadsShareTheWork() throws {
        let counts = try points("threads", "--threads", "3", "--work", "forward")
        #expect(column(counts, "threads", as: Int.self) == [1, 2, 3])
        #expect(column(counts, "relative_work", as: Double.self) == [1, 0.5, 1.0 / 3])
        #expect(try points("threads", "--threads", "1", "--work", "forward").count == 1)
    }

    @Test func filesAreWritten() throws {
        let scratch = try Scratch()
        let out = scratch.path("out")
        let result = try bench(["batch", "threads", "--work", "forward", "--threads", "2", "--output", out])
        #expect(result.status == 0 && result.errors.isEmpty && result.output.contains("time/work"))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: out).sorted() == [
                "sweep-batch.csv", "sweep-batch.svg", "sweep-threads.csv", "sweep-threads.svg", "sweep.json",
            ])
        let lines = try scratch.text("out/sweep-batch.csv").split(separator: "\n")
        #expect(lines.count == 7 && lines[0].hasPrefix("axis,work,value,batch,threads,macs,median_ms"))
        #expect(lines[1].hasPrefix("batch,forward,1,1,2,"))
        let plot = try scratch.text("out/sweep-threads.svg")
        #expect(plot.hasPrefix("<svg") && plot.contains("Time against threads") && plot.contains("as the work"))

        let again = try bench(["threads", "--output", out])
        #expect(again.status == 64 && again.errors.contains("already holds"))
    }

    @Test(arguments: [
        (["widths"], "'width'"), (["width", "--batch", "1", "2"], "one number"),
        (["batch", "width", "--batch", "2"], "one sweep at a time"), (["batch", "--layers"], "--layers has no effect"),
        (["batch", "--pruned", "x"], "--pruned has no effect"), (["batch", "--serve"], "no effect with --serve"),
        (["batch", "--steps", "3"], "sampling is not timed"), (["batch", "--batch", "0"], "1...4096"),
    ])
    func badSweepsAreRefused(arguments: [String], words: String) throws {
        let result = try bench(arguments)
        #expect(result.status == 64 && result.output.isEmpty, "\(result.errors)")
        #expect(result.errors.hasPrefix("error: ") && result.errors.contains(words), "\(result.errors)")
    }
}
