import ArgumentParser

/// For commands in which chance plays a part.
struct SeedOption: ParsableArguments {
    @Option(
        parsing: .unconditional, help: ArgumentHelp("What all randomness follows from, at least 0.", valueName: "s"))
    var seed: Int?

    mutating func validate() throws {
        if let seed, seed < 0 { throw ValidationError("--seed is \(seed), expected at least 0") }
    }
}
