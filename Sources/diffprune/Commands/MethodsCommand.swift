import ArgumentParser
import Files
import Foundation
import Reports
import Workflows

struct MethodsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "methods", abstract: "Lists the pruning methods.",
        discussion: "Example: diffprune methods --json")

    @Flag(help: "Print JSON, with every method's settings and their defaults.")
    var json = false

    @Flag(help: "Print Markdown, with every method's settings and their defaults.")
    var markdown = false

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Bring the generated parts of Markdown documents up to date, in place.", valueName: "file"))
    var update: [String] = []

    @OptionGroup var general: GeneralOptions

    mutating func validate() throws {
        if [json, markdown, !update.isEmpty].count(where: { $0 }) > 1 {
            throw ValidationError("give one of --json, --markdown and --update")
        }
    }

    mutating func run() throws {
        general.apply()
        let reference = try MethodReference()
        if json {
            try StandardStreams.write(JSONValue.array(reference.methods.map(\.json)).text() + "\n")
        } else if markdown {
            try StandardStreams.write(try reference.markdown)
        } else if update.isEmpty {
            try StandardStreams.write(Self.table(of: reference.methods))
        } else {
            for path in update { try Self.update(URL(fileURLWithPath: path), from: reference) }
        }
    }

    private static func update(_ url: URL, from reference: MethodReference) throws {
        let document = try TextFile.read(url, limit: 1 << 24)
        let updated = try reference.updated(document)
        if updated != document { try AtomicFile.write(Data(updated.utf8), to: url) }
    }

    /// What fits the terminal, and 100 columns where that is wider or there is none.
    private static func table(of methods: [MethodInformation]) throws -> String {
        let nameWidth = methods.map(\.name.count).max() ?? 0
        let familyWidth = methods.map(\.family.count).max() ?? 0
        let width = min(StandardStreams.outputColumns ?? 100, 100)
        var table = TextTable(columns: [.init("method"), .init("family"), .init("what it does")])
        for method in methods {
            let facts = [
                method.summary, "granularities: " + method.granularityText,
                "needs: " + method.needs.joined(separator: ", "), method.paper,
            ]
            let lines = facts.filter { !$0.isEmpty }
                .flatMap { TextWrap.lines(of: $0, width: max(20, width - nameWidth - familyWidth - 4)) }
            for (index, line) in lines.enumerated() {
                try table.append(index == 0 ? [method.name, method.family, line] : ["", "", line])
            }
        }
        return table.text
    }
}
