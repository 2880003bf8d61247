import ArgumentParser
import Runs

/// The model that a run starts from.
struct RunModelOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Model folder, as diffusers or this tool saves it; a resumed run knows its own.", valueName: "dir"))
    var model: String?

    @OptionGroup var variant: VariantOption

    /// - Throws: `RequestError` where none is named and `options` lead to no run that knows one.
    func path(_ options: RunOptions) throws -> String {
        guard let path = try options.path(of: "model", given: model) else {
            throw RequestError.conflict(
                "--model is missing: expected a model folder, or --resume with a run in --output")
        }
        return path
    }
}
