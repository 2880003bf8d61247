import Diffusion
import Models

/// A model with its scheduler, and what is known of its pruning.
public struct Pipeline {
    public let model: UNet
    public var scheduler: SchedulerConfiguration
    /// nil for a model that was never pruned.
    public var pruning: PruningRecord?
    /// One sentence for each oddity that was overlooked on loading.
    public var warnings: [String] = []

    public init(model: UNet, scheduler: SchedulerConfiguration, pruning: PruningRecord? = nil) {
        self.model = model
        self.scheduler = scheduler
        self.pruning = pruning
    }
}
