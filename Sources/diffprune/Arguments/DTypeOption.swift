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

    /// What variants of weights are called after.
    private static let shortNames = ["fp16": "float16", "half": "float16", "bf16": "bfloat16", "fp32": "float32"]

    /// The types of this name.
    /// - Throws: `RequestError.invalid`.
    static func types(named name: String) throws -> WeightTypes {
        if let types = WeightTypes(named: name) { return types }
        let nearest = shortNames[name] ?? Spelling.nearest(to: name, among: WeightTypes.allNames)
        throw RequestError.invalid(
            option: "--dtype", got: "\(Quoted(name))",
            expected: "one of \(WeightTypes.allNames.joined(separator: ", "))"
                + (nearest.map { "; the nearest is \($0)" } ?? ""))
    }
}
