import ArgumentParser
import Files
import ModelFolders
import Runs

/// For commands that write a model.
struct DTypeOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What the result's weights are stored as: \(WeightTypes.allNames.joined(separator: ", ")) "
                + "(default: as those they came from); computing is in float32.", valueName: "type"))
    var dtype: String?

    /// nil where nothing was said.
    /// - Throws: `RequestError.invalid`.
    var types: WeightTypes? {
        get throws {
            try dtype.map { name in
                if let types = WeightTypes(named: name) { return types }
                let nearest = Spelling.nearest(to: name, among: WeightTypes.allNames)
                throw RequestError.invalid(
                    option: "--dtype", got: "\(Quoted(name))",
                    expected: "one of \(WeightTypes.allNames.joined(separator: ", "))"
                        + (nearest.map { "; the nearest is \($0)" } ?? ""))
            }
        }
    }
}
