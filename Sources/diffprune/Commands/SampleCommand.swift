import ArgumentParser
import Diffusion
import Files
import Foundation
import Runs
import Workflows

struct SampleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample", abstract: "Draws images with a model.",
        discussion: """
            Writes images/000000.png… and grid.png (the first \(SamplingWorkflow.gridLimit) at most). Image i depends \
            on the model, the seed, i, its class, the sampler, its eta and the steps alone. With --noise all noise \
            comes from a safetensors file: initial [N,C,H,W] and, for a sampler that draws noise, step_noise \
            [steps,N,C,H,W] in sampling order; the images before rounding then also go to samples.safetensors.

            Example: diffprune sample --model runs/fashion/model --output samples --count 16 --steps 50
            """)

    @OptionGroup var model: ModelOption

    @Option(help: ArgumentHelp("Folder to write; must be new or empty.", valueName: "dir"))
    var output: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many images (default: 64, or as many as --noise holds).", valueName: "n"))
    var count: Int?

    @Option(help: ArgumentHelp("ddim or ddpm (default: the model's own scheduler).", valueName: "name"))
    var sampler: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Sampling steps (default: as in diffusers, ddpm 1000 and ddim 50).", valueName: "n"))
    var steps: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Noise that ddim adds, 0 (none) to 1 (as much as ddpm); default: 0.", valueName: "eta"))
    var eta: Double?

    @Option(
        name: .customLong("class"), parsing: .unconditional,
        help: ArgumentHelp(
            "Class of every image, for a class-conditional model, or all: image i has class i mod the number of "
                + "classes (default: all).", valueName: "k|all"))
    var classes: String?

    @Option(help: ArgumentHelp("Safetensors file to take all noise from.", valueName: "file"))
    var noise: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Images that go through the model together; changes speed and memory only.", valueName: "n"))
    var batchSize = 16

    @OptionGroup var seed: SeedOption
    @OptionGroup var general: GeneralOptions

    mutating func run() throws {
        general.apply()
        guard noise == nil || seed.seed == nil else {
            throw RequestError.conflict(
                "--seed has no effect with --noise, which holds all noise: expected one of the two")
        }
        var request = SamplingRequest()
        request.sampler = try sampler.map { try SamplerName(named: $0, kind: "sampler") }
        request.count = count
        request.seed = seed.seed ?? 0
        request.steps = steps
        request.eta = eta ?? 0
        request.classes = try classes.map { try ClassChoice(option: $0) }
        request.batchSize = batchSize
        let url = URL(fileURLWithPath: output)
        let drawn = try OccupiedFolder.explained {
            try SamplingWorkflow(
                model.load(for: "sampling"), request, noise: noise.map { URL(fileURLWithPath: $0) },
                in: RunContext(output: url, progress: general.progress)
            ).run()
        }
        try StandardStreams.write("\(drawn) \(drawn == 1 ? "image" : "images"): \(url.path)\n")
    }
}
