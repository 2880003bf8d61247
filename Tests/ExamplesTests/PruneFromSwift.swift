import Foundation
import Workflows

func pruneFromSwift() throws {
    // excerpt
    let configuration = try PruningRunConfiguration(
        file: URL(fileURLWithPath: "configs/gradient-flow.yaml"), target: "params=0.4", data: "my-images")
    let workflow = PruningWorkflow(
        configuration, model: URL(fileURLWithPath: "my-model"), output: URL(fileURLWithPath: "runs/pruned"),
        resuming: false
    ) { update in
        print(update.phase, update.completed, "of", update.total, update.detail)
    }
    let outcome = try workflow.run()
    print(outcome.modelURL.path, outcome.record.achieved.parameters.ratio)
    // end
}
