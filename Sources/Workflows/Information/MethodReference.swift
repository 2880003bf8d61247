import Files
import Foundation

/// The catalogue of methods as Markdown, and the parts of documents that are made of it.
///
/// A document marks such a part by `<!-- generated: methods -->` (the table of all methods),
/// `<!-- generated: card NAME -->` (what one method is) or `<!-- generated: settings NAME -->` (its settings), and its
/// end by `<!-- end -->`, each on a line of its own. Names and defaults come from the code. What a setting means is
/// written by hand, in the last column of its row, and stays when the part is made anew; so does the order of the rows.
public struct MethodReference {
    public let methods: [MethodInformation]

    public init() throws { methods = try MethodInformation.all() }

    init(_ methods: [MethodInformation]) { self.methods = methods }

    /// All parts, one after the other, with nothing said about the meaning of settings.
    public var markdown: String {
        get throws {
            let parts = try methods.map {
                try "## \($0.name)\n\n" + card($0) + "\n" + settings($0, meanings: Meanings(in: []))
            }
            return ([table] + parts).joined(separator: "\n")
        }
    }

    /// A document with its parts made anew.
    /// - Throws: `MethodReferenceError`.
    public func updated(_ document: String) throws -> String {
        let lines = document.split(separator: "\n", omittingEmptySubsequences: false)
        let all = Meanings(in: lines)
        var result: [Substring] = []
        var position = 0
        while position < lines.count {
            let line = lines[position]
            result.append(line)
            position += 1
            guard let part = Self.part(line) else { continue }
            guard let end = lines[position...].firstIndex(of: "<!-- end -->") else {
                throw MethodReferenceError.unfinished(part)
            }
            let meanings = Meanings(in: lines[position..<end]).filled(from: all)
            result += try text(of: part, meanings: meanings).split(separator: "\n", omittingEmptySubsequences: false)
                .dropLast()
            position = end
        }
        return result.joined(separator: "\n")
    }

    /// The parts about single methods that a document has not.
    public func missing(in document: String) -> [String] {
        let parts = Set(document.split(separator: "\n").compactMap(Self.part))
        return methods.flatMap { ["card \($0.name)", "settings \($0.name)"] }.filter { !parts.contains($0) }
    }

    /// What a line begins: "methods", "card NAME" or "settings NAME".
    private static func part(_ line: Substring) -> String? {
        guard line.hasPrefix("<!-- generated: "), line.hasSuffix(" -->") else { return nil }
        return String(line.dropFirst(16).dropLast(4))
    }

    private func text(of part: String, meanings: Meanings) throws -> String {
        if part == "methods" { return table }
        for method in methods {
            if part == "card \(method.name)" { return card(method) }
            if part == "settings \(method.name)" { return try settings(method, meanings: meanings) }
        }
        throw MethodReferenceError.unknown(part, methods: methods.map(\.name))
    }

    /// One row a method.
    private var table: String {
        Self.table(
            ["name", "family", "what it does", "granularities", "needs", "paper"],
            methods.map {
                [
                    "`\($0.name)`", $0.family, Self.escaped($0.summary), $0.granularityText,
                    $0.needs.joined(separator: ", "), $0.paper.isEmpty ? "—" : $0.paper,
                ]
            })
    }

    private func card(_ method: MethodInformation) -> String {
        let facts = [
            method.summary.prefix(1).uppercased() + method.summary.dropFirst(), "Family: \(method.family)",
            "Granularities: \(method.granularityText)", "Allocation: \(method.allocation)",
            "Needs: \(method.needs.joined(separator: ", "))",
            method.paper.isEmpty ? "" : "Paper: \(method.paper)",
        ]
        return facts.filter { !$0.isEmpty }.map { Self.escaped($0) + "." }.joined(separator: " ") + "\n"
    }

    private func settings(_ method: MethodInformation, meanings: Meanings) throws -> String {
        guard !method.settings.isEmpty else { return "No settings.\n" }
        let rows = try meanings.sorted(method.settings).map { setting in
            try ["`\(setting.key)`", Self.text(setting.default), meanings[setting.key] ?? ""]
        }
        return Self.table(["setting", "default", "meaning"], rows)
    }

    private static func table(_ titles: [String], _ rows: [[String]]) -> String {
        func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |\n" }
        return line(titles) + "|" + String(repeating: "---|", count: titles.count) + "\n" + rows.map(line).joined()
    }

    private static func text(_ value: JSONValue) throws -> String {
        if case .string(let text) = value { "`\(text)`" } else { try value.text(.compact) }
    }

    private static func escaped(_ text: String) -> String { text.replacing("|", with: "\\|") }
}

/// What settings mean, by key, from the tables of a document.
private struct Meanings {
    private var keys: [String] = []
    private var texts: [String: String] = [:]

    init(in lines: some Sequence<Substring>) {
        for line in lines {
            // A bar inside a cell is written \|.
            let cells = line.replacing("\\|", with: "\u{1}").split(separator: "|", omittingEmptySubsequences: false)
                .map { $0.replacing("\u{1}", with: "\\|").trimmingCharacters(in: .whitespaces) }
            guard cells.count == 5, cells[1].hasPrefix("`"), cells[1].hasSuffix("`"), !cells[3].isEmpty else {
                continue
            }
            let key = String(cells[1].dropFirst().dropLast())
            if texts[key] == nil {
                keys.append(key)
                texts[key] = cells[3]
            }
        }
    }

    subscript(key: String) -> String? { texts[key] }

    /// With what `other` says of the keys that these say nothing of.
    func filled(from other: Meanings) -> Meanings {
        var result = self
        result.texts.merge(other.texts) { own, _ in own }
        return result
    }

    /// In the order of the table that was read; what is not in it comes last.
    func sorted(_ settings: [MethodInformation.Setting]) -> [MethodInformation.Setting] {
        let known = keys.compactMap { key in settings.first { $0.key == key } }
        return known + settings.filter { !keys.contains($0.key) }
    }
}

/// What is wrong with a generated part of a document.
public enum MethodReferenceError: Error, Equatable, CustomStringConvertible {
    case unknown(String, methods: [String])
    case unfinished(String)

    public var description: String {
        switch self {
        case .unknown(let part, let methods):
            "the part 'generated: \(part)' is not known, expected 'methods', or 'card' or 'settings' and one of "
                + methods.joined(separator: ", ")
        case .unfinished(let part): "the part 'generated: \(part)' has no end, expected a line '<!-- end -->'"
        }
    }
}
