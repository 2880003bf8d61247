import ArgumentParser
import Files
import Reports
import Workflows

struct MethodsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "methods", abstract: "Lists the pruning methods.",
        discussion: "Example: diffprune methods --json")

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var general: GeneralOptions

    mutating func run() throws {
        general.apply()
        let methods = MethodInformation.all
        guard !json else { return try StandardStreams.write(JSONValue(encoding: methods).text() + "\n") }
        var table = TextTable(columns: [
            .init("method"), .init("family"), .init("granularity"), .init("needs"), .init("what it does"),
            .init("paper"),
        ])
        for method in methods {
            try table.append([
                method.name, method.family, method.granularity, method.needs.joined(separator: ", "), method.summary,
                method.paper.isEmpty ? "—" : method.paper,
            ])
        }
        try StandardStreams.write(table.text)
    }
}
