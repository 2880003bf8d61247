import TestSupport
import Foundation
import Testing
import WeightFiles

/// `predict` and `sample` as another framework's user meets them: files in, files out.
@Suite struct PredictTests {
    @Test(arguments: ["plain", "rgb", "class-embedding", "class-identity", "time-float", "learned-variance"])
    func predictionsAgreeWithDiffusers(name: String) throws {
        let scratch = try Scratch()
        let io = Tool.fixture("unet/\(name)/io.safetensors")
        let result = try Tool.run(
            "predict", "--model", Tool.fixture("unet/\(name)"), "--input", io, "--output",
            scratch.path("out.safetensors"),
            "--quiet")
        #expect(result.status == 0 && result.complaints.isEmpty, "\(result.errors)")
        let expected = try SafetensorsFile(contentsOf: URL(fileURLWithPath: io))
        let got = try SafetensorsFile(contentsOf: scratch.url.appendingPathComponent("out.safetensors"))
        #expect(try got.shape(of: "prediction") == expected.shape(of: "prediction"))
        let pairs = zip(try got.floats("prediction"), try expected.floats("prediction"))
        #expect(pairs.reduce(0) { max($0, abs($1.0 - $1.1)) } < 1e-4)
    }

    /// Winograd's method rounds otherwise than direct products do, and can be left out.
    @Test func theEnvironmentChoosesDirectConvolutions() throws {
        let scratch = try Scratch()
        func prediction(_ choice: String) throws -> [Float] {
            let output = scratch.url.appendingPathComponent("\(choice).safetensors")
            let result = try Tool.run(
                [
                    "predict", "--model", Repository.url("Samples/models/fashion-unet").path,
                    "--input", Tool.fixture("unet/plain/io.safetensors"), "--output", output.path, "--quiet",
                ], environment: ["DIFFPRUNE_WINOGRAD": choice])
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.complaints.isEmpty == ["0", "1"].contains(choice), "\(result.errors)")
            return try SafetensorsFile(contentsOf: output).floats("prediction")
        }
        let (direct, winograd) = (try prediction("0"), try prediction("1"))
        #expect(direct != winograd)
        #expect(zip(direct, winograd).allSatisfy { abs($0 - $1) < 1e-3 })
        #expect(try prediction("both") == winograd)
    }

    private func files(_ scratch: Scratch, _ name: String) throws -> [String: Data] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: scratch.path(name)).filter {
            $0.hasSuffix(".png")
        }
        return Dictionary(uniqueKeysWithValues: try names.map { ($0, try scratch.data("\(name)/\($0)")) })
    }

    @Test(arguments: ["ddim", "ddpm"]) func imagesDependOnTheirNumberAlone(sampler: String) throws {
        let scratch = try Scratch()
        func sample(_ name: String, count: Int, _ more: String...) throws -> [String: Data] {
            let result = try Tool.run(
                [
                    "sample", "--model", Tool.fixture("unet/rgb"), "--output", scratch.path(name), "--count",
                    "\(count)",
                    "--sampler", sampler, "--steps", "5", "--quiet",
                ] + more)
            #expect(result.status == 0, "\(result.errors)")
            return try files(scratch, name)
        }
        let whole = try sample("a", count: 7, "--seed", "5", "--batch-size", "7", "--threads", "1")
        #expect(Set(whole.keys) == Set(["grid.png"] + (0..<7).map { "images/00000\($0).png" }))
        #expect(try sample("b", count: 7, "--seed", "5", "--batch-size", "2", "--threads", "3") == whole)
        let fewer = try sample("c", count: 3, "--seed", "5", "--batch-size", "1")
        for number in 0..<3 { #expect(fewer["images/00000\(number).png"] == whole["images/00000\(number).png"]) }
        #expect(try sample("d", count: 3, "--seed", "6")["images/000000.png"] != whole["images/000000.png"])
        #expect(Set(whole.values).count == 8)
    }

    @Test func classesAndClassConditionalModels() throws {
        let scratch = try Scratch()
        func sample(_ name: String, _ more: String...) throws -> Tool.Result {
            try Tool.run(
                [
                    "sample", "--model", Tool.fixture("unet/class-embedding"), "--output", scratch.path(name),
                    "--count", "2",
                    "--steps", "3", "--quiet",
                ] + more)
        }
        #expect(try sample("zero", "--class", "0").status == 0)
        #expect(try sample("one", "--class", "1").status == 0)
        #expect(try scratch.data("zero/images/000000.png") != scratch.data("one/images/000000.png"))
        // All in turn, unless one is named.
        #expect(try sample("all").status == 0)
        #expect(try scratch.data("all/images/000000.png") == scratch.data("zero/images/000000.png"))
        #expect(try scratch.data("all/images/000001.png") == scratch.data("one/images/000001.png"))
        #expect(try sample("half", "--class", "0.5").status == 64)
        #expect(try sample("beyond", "--class", "1000").status == 64)
        #expect(!scratch.exists("half") && !scratch.exists("beyond"))
    }
}
