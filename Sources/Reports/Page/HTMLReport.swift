import Foundation

/// A report in one HTML file: no script, nothing loaded from elsewhere, readable on a phone, in the dark and on paper.
public struct HTMLReport: Sendable {
    /// A headline figure.
    public struct Card: Sendable {
        public enum Tone: String, Sendable {
            case neutral, good, bad
        }

        public let title: String
        public let value: String
        /// What the value is compared with, or its uncertainty; may be empty.
        public let detail: String
        public let tone: Tone

        public init(title: String, value: String, detail: String = "", tone: Tone = .neutral) {
            self.title = title
            self.value = value
            self.detail = detail
            self.tone = tone
        }
    }

    public struct Section: Sendable {
        public let title: String
        public var blocks: [ReportBlock]

        public init(_ title: String, _ blocks: [ReportBlock] = []) {
            self.title = title
            self.blocks = blocks
        }
    }

    public var title: String
    /// One or two sentences that say what was found.
    public var summary: String
    public var cards: [Card] = []
    public var sections: [Section] = []
    /// How the report was made, as name and value: version, command, seed, date.
    public var provenance: [(name: String, value: String)] = []

    public init(title: String, summary: String = "") {
        self.title = title
        self.summary = summary
    }

    /// The whole page.
    public var html: String {
        let identifiers = sectionIdentifiers
        var page = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(Markup.escape(title))</title>
            <style>
            \(PageStyle.css)\(PlotStyle.css)</style>
            </head>
            <body>
            <header>
            <h1>\(Markup.prose(title))</h1>

            """
        if !summary.isEmpty {
            page += "<p class=\"summary\">\(Markup.prose(summary))</p>\n"
        }
        page += navigation(identifiers) + "</header>\n<main>\n" + cardList
        for (section, identifier) in zip(sections, identifiers) {
            page += "<section id=\"\(identifier)\">\n<h2>\(Markup.prose(section.title))</h2>\n"
            for block in section.blocks {
                page += BlockMarkup.html(of: block)
            }
            page += "</section>\n"
        }
        return page + "</main>\n" + footer + "</body>\n</html>\n"
    }

    /// Writes the page in one step.
    /// - Throws: `ReportError.cannotWrite`.
    public func write(to url: URL) throws(ReportError) {
        try ReportFile.write(Data(html.utf8), to: url)
    }

    /// One identifier a section, made unique by a number where titles repeat.
    private var sectionIdentifiers: [String] {
        var seen: Set<String> = []
        return sections.map { section in
            let base = Markup.identifier(section.title)
            var candidate = base
            var number = 2
            while !seen.insert(candidate).inserted {
                candidate = "\(base)-\(number)"
                number += 1
            }
            return candidate
        }
    }

    private func navigation(_ identifiers: [String]) -> String {
        guard sections.count > 2 else { return "" }
        let links = zip(sections, identifiers).map { section, identifier in
            "<a href=\"#\(identifier)\">\(Markup.prose(section.title))</a>"
        }
        return "<nav aria-label=\"Sections\">\(links.joined(separator: "\n"))</nav>\n"
    }

    private var cardList: String {
        guard !cards.isEmpty else { return "" }
        let items = cards.map { card in
            let detail = card.detail.isEmpty ? "" : "<span class=\"detail\">\(Markup.prose(card.detail))</span>"
            return """
                <div class="card \(card.tone.rawValue)"><span class="name">\(Markup.prose(card.title))</span>\
                <span class="value">\(Markup.escape(card.value))</span>\(detail)</div>
                """
        }
        // Full rows: five in one, six as two times three, seven as four and three.
        let columns = cards.count <= 5 ? cards.count : (cards.count + 1) / 2 <= 4 ? (cards.count + 1) / 2 : 4
        return "<div class=\"cards\" style=\"--columns:\(columns)\">\n\(items.joined(separator: "\n"))\n</div>\n"
    }

    private var footer: String {
        guard !provenance.isEmpty else { return "" }
        let rows = provenance.map { "<dt>\(Markup.escape($0.name))</dt><dd>\(Markup.prose($0.value))</dd>\n" }
        return "<footer>\n<h2>How this was made</h2>\n<dl>\n\(rows.joined())</dl>\n</footer>\n"
    }
}
