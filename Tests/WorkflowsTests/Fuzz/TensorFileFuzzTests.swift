import TestSupport
import Foundation
import ModelFolders
import Runs
import Testing
import WeightFiles

@testable import Workflows

/// Tensor files of the right names with anything in them.
@Suite struct TensorFileFuzzTests {
    private static let shapes: [[Int]] = [
        [], [0], [1], [2], [1, 1], [1, 1, 8, 8], [2, 1, 8, 8], [1, 1, 8], [1, 1, 8, 7], [1, 1, 0, 8], [0, 1, 8, 8],
        [1, 8, 8, 1],
        [1, 3, 8, 8], [1, 1, 16, 16], [1, 1, 2, 512], [3, 1, 1, 8, 8], [2, 2, 1, 8, 8], [2, 1, 1, 8, 8],
        [1, 1, 1, 1, 1, 1, 1, 1],
    ]
    private static let numbers: [Float] = [
        0, 1, -1, 0.5, 999, 1000, 1e30, .nan, .infinity, -.infinity, .leastNonzeroMagnitude,
    ]
    private static let integers: [Int64] = [0, 3, -1, 999, 1000, 1 << 33, .max, .min]

    private func tensors(_ name: String) -> [NamedTensor] {
        Self.shapes.flatMap { shape -> [NamedTensor] in
            let count = shape.reduce(1, *)
            return Self.numbers.map { NamedTensor(name, shape: shape, floats: Array(repeating: $0, count: count)) }
                + Self.integers.map { NamedTensor(name, shape: shape, integers: Array(repeating: $0, count: count)) }
        }
    }

    /// Runs `body` with each file in which one of `good` is another tensor.
    private func fuzz(_ good: [NamedTensor], extra: [String] = [], _ body: (_ file: URL, _ out: URL) throws -> Void)
        throws
    {
        try withTemporaryFolder(inMemory: true) { folder in
            let (file, out) = (folder.appendingPathComponent("in"), folder.appendingPathComponent("out"))
            var (taken, refused) = (0, 0)
            for name in good.map(\.name) + extra {
                for bad in tensors(name) {
                    try SafetensorsWriter.write(good.filter { $0.name != name } + [bad], to: file)
                    if Hostile.survives("\(name) \(bad.shape)", { try body(file, out) }) {
                        taken += 1
                    } else {
                        refused += 1
                    }
                    try? FileManager.default.removeItem(at: out)
                }
            }
            print("FUZZ tensors \(good.map(\.name)) taken \(taken) refused \(refused)")
            #expect(taken > 5 && refused > 300)
        }
    }

    private static func model(_ name: String) throws -> Pipeline {
        try PipelineFolder(Fixtures.url("unet/\(name)")).load()
    }

    private let images = NamedTensor("sample", shape: [1, 1, 8, 8], floats: Array(repeating: 0.5, count: 64))
    private let timestep = NamedTensor("timestep", shape: [1], integers: [3])

    @Test(arguments: ["plain", "class-embedding", "class-timestep", "class-identity"])
    func predictions(model name: String) throws {
        let model = try Self.model(name)
        let label =
            name == "class-identity"
            ? NamedTensor("class_labels", shape: [1, 16], floats: Array(repeating: 0, count: 16))
            : NamedTensor("class_labels", shape: [1], integers: [1])
        try fuzz([images, timestep] + (name == "plain" ? [] : [label]), extra: name == "plain" ? ["class_labels"] : [])
        {
            try PredictionWorkflow(model, input: $0, output: $1).run()
        }
    }

    @Test func noise() throws {
        let model = try Self.model("plain")
        var request = SamplingRequest()
        (request.sampler, request.steps) = (.ddpm, 2)
        let good = [
            NamedTensor("initial", shape: [1, 1, 8, 8], floats: images.floats),
            NamedTensor("step_noise", shape: [2, 1, 1, 8, 8], floats: images.floats + images.floats),
        ]
        try fuzz(good) { try SamplingWorkflow(model, request, noise: $0, in: RunContext(output: $1)).run() }
    }

    @Test func batches() throws {
        let model = try Self.model("plain")
        let noise = NamedTensor("noise", shape: [1, 1, 8, 8], floats: images.floats)
        try fuzz([images, noise, timestep]) {
            let request = ScoringRequest(try ScoreCriterion(named: "taylor"), images: .batch($0))
            _ = try ScoringWorkflow(model, request, output: $1).run()
        }
    }
}

extension NamedTensor {
    fileprivate var floats: [Float] {
        if case .floats(let values) = elements { return values }
        return []
    }
}
