import ArgumentParser
import Foundation
import ModelFolders

/// For commands that read models whose weights may be there in several variants.
struct VariantOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Variant of the weights to read, as fp16 (default: the ones without such a name, or the only ones).",
            valueName: "name"))
    var variant: String?

    /// Which variant is read of each of several models: the one asked for where a folder has it, which one of them
    /// must.
    static func chosen(_ variant: String?, among paths: [String]) throws -> (String) -> String? {
        guard let variant else { return { _ in nil } }
        let having = try paths.filter {
            try ModelFamilies.folder(at: URL(fileURLWithPath: $0)).variants().contains(variant)
        }
        // Where none has it the first is made to say so.
        let chosen = Set(having.isEmpty ? Array(paths.prefix(1)) : having)
        return { chosen.contains($0) ? variant : nil }
    }
}
