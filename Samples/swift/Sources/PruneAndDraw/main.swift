// Prunes a model without images, and draws the same noise with the dense model and with the pruned one:
//
//     swift run -c release PruneAndDraw MODEL OUTPUT
//
// MODEL is a model folder; OUTPUT, a new folder, gets the run and `grid.png`.
import Diffusion
import Foundation
import Imagery
import ModelFolders
import Runs
import Workflows

let arguments = CommandLine.arguments
guard arguments.count == 3 else {
    print("usage: PruneAndDraw MODEL OUTPUT")
    exit(64)
}
let source = URL(fileURLWithPath: arguments[1])
let output = URL(fileURLWithPath: arguments[2])

// Without images the smallest weights leave and nothing is fine-tuned, so only a little may go.
let configuration = try PruningRunConfiguration(
    file: nil, overrides: ["pruning.granularity=aligned", "pruning.multiple=8"], target: "macs=0.85")
let run = PruningWorkflow(
    configuration, pipeline: try PipelineFolder(source).load(),
    in: RunContext(output: output.appendingPathComponent("run")))
let outcome = try run.run()

// Pictures follow from their number and the seed, whatever the model.
func draw(_ folder: URL) throws -> [Image] {
    let pipeline = try PipelineFolder(folder).load()
    let sampler = try SamplerName.ddim.makeSampler(pipeline.scheduler, steps: 25, eta: 0)
    return try ImageSampler(model: pipeline.model, sampler: sampler, seed: 0).images(0..<8).images()
}

let grid = ImageGrid(columns: 8, scale: 3, textScale: 2, rowTitles: ["dense", "pruned"])
let sheet = output.appendingPathComponent("grid.png")
try PNG.write(grid.layOut(draw(source) + draw(outcome.modelURL)), to: sheet)
print("\(sheet.path): pruned to \(outcome.record.achieved.macs.ratio) of the multiply-accumulates")
