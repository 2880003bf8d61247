import Foundation

/// A data set, a configuration and a model small enough for runs of a second.
struct TinyRun {
    let scratch: Scratch
    let configuration: String
    let images: String

    /// - Parameter side: of the images, in pixels; a multiple of 4.
    init(side: Int = 8) throws {
        scratch = try Scratch()
        images = scratch.path("images-idx3-ubyte")
        var bytes: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 32, 0, 0, 0, UInt8(side), 0, 0, 0, UInt8(side)]
        for image in 0..<32 {
            for place in 0..<side * side { bytes.append(UInt8((image * 37 + place * (image % 5 + 3) * 2) % 256)) }
        }
        try Data(bytes).write(to: URL(fileURLWithPath: images))
        configuration = try scratch.write(
            """
            model:
              sample_size: \(side)
              in_channels: 1
              out_channels: 1
              block_out_channels: [8, 12]
              down_block_types: [DownBlock2D, AttnDownBlock2D]
              up_block_types: [AttnUpBlock2D, UpBlock2D]
              layers_per_block: 1
              norm_num_groups: 4
              attention_head_dim: 6
              dropout: 0.1
            data: {path: "\(images)"}
            training:
              {steps: 300, batch_size: 4, ema: 0.99, log_every: 5, checkpoint_every: 15, learning_rate: 1e-3}
            """, to: "tiny.yaml")
    }

    func train(to name: String, _ more: String...) -> [String] {
        ["train", "--config", configuration, "--output", scratch.path(name), "--quiet", "--threads", "1"] + more
    }

    func prune(_ model: String, to name: String, _ more: String...) -> [String] {
        [
            "prune", "--model", scratch.path(model), "--output", scratch.path(name), "--method", "gradient-flow",
            "--target",
            "macs=0.5", "--data", images, "--finetune-steps", "60", "--quiet", "--threads", "1", "--seed", "3", "--set",
            "finetuning.batch_size=4", "finetuning.checkpoint_every=10", "pruning.calibration_batch_size=8",
            "pruning.calibration_batches=2", "method.rounds=6",
        ] + more
    }
}
