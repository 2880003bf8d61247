import ArgumentParser

/// For commands that fine-tune a model by another one.
struct GeneratedOption: ParsableArguments {
    @Option(
        name: .customLong("generated"),
        help: ArgumentHelp(
            "Fine-tune on what the dense model draws, without a data set or beside one: pictures, or the "
                + "trajectories to them.",
            valueName: "images|trajectories"))
    var kind: String?

    func set(in keys: inout FlaggedKeys) { keys.set("recovery.generated", flag: "--generated", to: kind) }
}
