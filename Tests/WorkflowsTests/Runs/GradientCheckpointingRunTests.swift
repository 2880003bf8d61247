import Diffusion
import Models
import Testing

@testable import Workflows

@Suite struct GradientCheckpointingRunTests {
    /// `gradient_checkpointing` changes how a step is computed and none of its bits.
    @Test func aRunEndsWithTheSameWeights() throws {
        let runs = try RunFixtures()
        try runs.train("kept", "steps=4")
        try runs.train("checkpointed", "steps=4", "gradient_checkpointing=true")
        let weights = "model/unet/diffusion_pytorch_model.safetensors"
        #expect(try runs.data("kept/\(weights)") == runs.data("checkpointed/\(weights)"))
        #expect(try runs.text("kept/metrics.jsonl") == runs.text("checkpointed/metrics.jsonl"))
        #expect(try runs.text("checkpointed/config.yaml").contains("gradient_checkpointing: true"))
    }

    @Test(arguments: [false, true]) func theTrainerSetsItUpInTheModel(isOn: Bool) throws {
        var net = UNetConfiguration()
        net.sampleSize = [4, 4]
        net.blockOutChannels = [8]
        net.normNumGroups = 4
        net.downBlockTypes = ["DownBlock2D"]
        net.upBlockTypes = ["UpBlock2D"]
        var configuration = TrainingConfiguration()
        configuration.gradientCheckpointing = isOn
        let trainer = DenoisingTrainer(
            model: try UNet(net), objective: try DenoisingObjective(SchedulerConfiguration()), batches: NoBatches(),
            configuration: configuration)
        #expect(trainer.model.usesGradientCheckpointing == isOn)
    }
}

private struct NoBatches: TrainingBatches {
    func batch(step: Int) -> DenoisingBatch { preconditionFailure("no step is made") }
}
