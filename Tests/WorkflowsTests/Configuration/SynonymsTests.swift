import Configuration
import Testing

@Suite struct SynonymsTests {
    private let keys = [
        "batch_size", "learning_rate", "learning_rate_schedule", "learning_rate_schedule.shape",
        "learning_rate_schedule.warm_up_steps", "optimizer", "optimizer.weight_decay", "ema", "gradient_clip", "steps",
    ]

    @Test(arguments: [
        ("lr", "learning_rate"), ("LR", "learning_rate"), ("learningRate", "learning_rate"),
        ("max-grad-norm", "gradient_clip"), ("ema_decay", "ema"), ("wd", "optimizer.weight_decay"),
        ("lr_warmup_steps", "learning_rate_schedule.warm_up_steps"),
        ("warmupsteps", "learning_rate_schedule.warm_up_steps"),
        ("train_batch_size", "batch_size"), ("epochs", "steps"), ("stpes", "steps"),
    ])
    func whatOthersCallAKeyIsKnown(typed: String, meant: String) {
        #expect(Synonyms.nearest(to: typed, among: keys) == meant)
    }

    /// A synonym counts only where what it stands for can be said.
    @Test func synonymsStandForWhatIsThere() {
        #expect(Synonyms.nearest(to: "lr", among: ["data", "method"]) == nil)
        #expect(Synonyms.nearest(to: "depth", among: ["channel", "depth"]) == "depth")
    }
}
