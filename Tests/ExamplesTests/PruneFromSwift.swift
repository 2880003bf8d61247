import Foundation
import ModelFolders
import Runs
import Workflows

func pruneFromSwift() throws {
    // excerpt
    let configuration = try PruningRunConfiguration(
        file: URL(fileURLWithPath: "configs/methods/gradient-flow.yaml"), target: "params=0.4", data: "my-images")
    let model = try PipelineFolder(URL(fileURLWithPath: "my-model")).load()
    let context = RunContext(output: URL(fileURLWithPath: "runs/pruned")) { update in
        print(update.phase, update.completed, "of", update.total, update.detail)
    }
    let outcome = try PruningWorkflow(configuration, pipeline: model, in: context).run()
    print(outcome.modelURL.path, outcome.record.achieved.parameters.ratio)
    // end
}
