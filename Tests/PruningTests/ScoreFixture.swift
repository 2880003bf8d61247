import TestSupport
import Diffusion
import Foundation
import Models
import Pruning
import TensorCore
import Testing
import Training
import WeightFiles

/// The golden scores' model and batch, as a calibration source, with the scores that PyTorch computed in float64.
final class ScoreFixture: PerSampleCalibration {
    let model: UNet
    let space: PruningSpace
    let arena: ParameterArena
    let objective: DenoisingObjective
    private let clean: Tensor, noise: Tensor
    private let timesteps: [Int]
    private let expected: SafetensorsFile

    init() throws {
        let root = Fixtures.url("scores")
        let decoder = JSONDecoder()
        let unet = root.appendingPathComponent("model/unet")
        model = try UNet(
            decoder.decode(
                UNetConfiguration.self, from: Data(contentsOf: unet.appendingPathComponent("config.json"))))
        let weights = try SafetensorsFile(
            contentsOf: unet.appendingPathComponent("diffusion_pytorch_model.safetensors"))
        for parameter in model.parameters { parameter.load(fileValues: try weights.floats(parameter.name)) }
        arena = ParameterArena(model.parameters)
        space = .channels(of: model)
        objective = try DenoisingObjective(
            decoder.decode(
                SchedulerConfiguration.self,
                from: Data(contentsOf: root.appendingPathComponent("model/scheduler/scheduler_config.json"))))
        let batch = try SafetensorsFile(contentsOf: root.appendingPathComponent("batch.safetensors"))
        // One channel: channels first and channels last are the same.
        clean = Tensor(try batch.floats("sample"), shape: [6, 8, 8, 1])
        noise = Tensor(try batch.floats("noise"), shape: [6, 8, 8, 1])
        timesteps = try batch.integers("timestep").map { Int($0) }
        expected = try SafetensorsFile(contentsOf: root.appendingPathComponent("expected.safetensors"))
    }

    /// Nothing is remembered from one use to the next.
    var evidence: EvidenceSource { EvidenceSource(network: model, arena: arena, calibration: self) }

    var whole: Masks { Masks(space) }

    /// The batch in one, two or three parts of equal size.
    var batchCount = 1
    var sampleCount: Int { 6 }

    func loss(batch: Int) throws -> Variable {
        let size = 6 / batchCount
        return loss(batch * size..<(batch + 1) * size)
    }
    func loss(sample: Int) throws -> Variable { loss(sample..<sample + 1) }

    /// All of it, with directions to take derivatives along.
    func batch(directions: [Float]) -> DenoisingBatch {
        DenoisingBatch(
            clean: clean, noise: noise, timesteps: timesteps, directions: Tensor(directions, shape: clean.shape))
    }

    private func loss(_ images: Range<Int>) -> Variable {
        objective.loss(
            of: model,
            DenoisingBatch(clean: clean.rows(images), noise: noise.rows(images), timesteps: Array(timesteps[images])))
    }

    var expectedLoss: Double { get throws { Double(try expected.floats("loss")[0]) } }

    /// Our scores (flat, laid out as the arena) beside the golden ones, over all tensors.
    func compare(_ flat: Tensor, with criterion: String) throws -> (cosine: Double, norms: Double, worst: Double) {
        try compare(flat, of: arena, with: criterion, in: expected)
    }

    /// The same of another network's arena and another file.
    func compare(
        _ flat: Tensor, of arena: ParameterArena, with criterion: String, in expected: SafetensorsFile
    ) throws -> (cosine: Double, norms: Double, worst: Double) {
        var (dot, ours, theirs, difference, largest) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for (index, parameter) in arena.parameters.enumerated() {
            let golden = try expected.floats("\(criterion)/\(parameter.name)")
            let values = parameter.fileValues(of: arena.slice(flat, index))
            try #require(golden.count == values.count)
            for (a, b) in zip(values, golden) {
                dot += Double(a) * Double(b)
                ours += Double(a) * Double(a)
                theirs += Double(b) * Double(b)
                difference = max(difference, abs(Double(a) - Double(b)))
                largest = max(largest, abs(Double(b)))
            }
        }
        return (dot / (ours * theirs).squareRoot(), (ours / theirs).squareRoot(), difference / largest)
    }

    /// f(index) for every element of the arena.
    func flat(_ element: (Int) -> Float) -> Tensor {
        Tensor((0..<arena.count).map(element), shape: [arena.count])
    }
}
