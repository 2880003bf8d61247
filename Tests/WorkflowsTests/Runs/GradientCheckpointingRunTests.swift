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
}
