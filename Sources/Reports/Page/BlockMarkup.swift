import Foundation

/// The HTML of the blocks of a report.
enum BlockMarkup {
    static func html(of block: ReportBlock) -> String {
        switch block {
        case .heading(let text):
            return "<h3>\(Markup.prose(text))</h3>\n"
        case .paragraph(let text):
            return "<p>\(Markup.prose(text))</p>\n"
        case .list(let items):
            return "<ul>\n" + items.map { "<li>\(Markup.prose($0))</li>\n" }.joined() + "</ul>\n"
        case .note(let text, let kind):
            return "<p class=\"note \(kind.rawValue)\" role=\"note\">\(Markup.prose(text))</p>\n"
        case .table(let table):
            return html(of: table)
        case .images(let images):
            return "<div class=\"images\">\n" + images.map(html(of:)).joined() + "</div>\n"
        case .plot(let plot, let caption):
            // Two drawings of one plot: a style rule shows the one made for the width at hand.
            return """
                <figure class="chart">
                <p class="charttitle">\(Markup.prose(plot.title))</p>
                <div class="wide">\(plot.svg(layout: .wide))</div>
                <div class="narrow">\(plot.svg(layout: .narrow))</div>
                \(figureCaption(caption))</figure>

                """
        case .preformatted(let text, let caption):
            let title = caption.isEmpty ? "" : "<p class=\"codetitle\">\(Markup.prose(caption))</p>\n"
            // The parser drops one line feed right behind <pre>, so that the first line of the text stays its first.
            return "<div class=\"code\">\n\(title)<pre tabindex=\"0\">\n\(Markup.escape(text))</pre>\n</div>\n"
        case .details(let summary, let blocks):
            let inner = blocks.map(html(of:)).joined()
            return "<details>\n<summary>\(Markup.prose(summary))</summary>\n\(inner)</details>\n"
        }
    }

    private static func html(of table: ReportTable) -> String {
        func cell(_ tag: String, _ index: Int, _ text: String, _ attributes: String = "") -> String {
            let look = table.columns[index].isNumeric ? " class=\"number\"" : ""
            return "<\(tag)\(attributes)\(look)>\(Markup.prose(text))</\(tag)>"
        }
        // More columns than a phone is wide: its rows become blocks of lines there, each with its column's title.
        let isStacked = table.columns.count > 4
        let look = isStacked ? " class=\"stack\"" : ""
        var result = "<figure class=\"table\">\n<div class=\"scroll\" tabindex=\"0\"><table\(look)>\n<thead><tr>"
        for (index, column) in table.columns.enumerated() {
            result += cell("th", index, column.title, " scope=\"col\"")
        }
        result += "</tr></thead>\n<tbody>\n"
        for row in table.rows {
            result += row.isEmphasized ? "<tr class=\"strong\">" : "<tr>"
            for (index, text) in row.cells.enumerated() {
                let label = isStacked ? " data-label=\"\(Markup.escape(table.columns[index].title))\"" : ""
                result += cell("td", index, text, label)
            }
            result += "</tr>\n"
        }
        return result + "</tbody>\n</table></div>\n\(figureCaption(table.caption))</figure>\n"
    }

    private static func html(of image: ReportImage) -> String {
        let width = image.header.width.multipliedReportingOverflow(by: image.scale).partialValue
        let height = image.header.height.multipliedReportingOverflow(by: image.scale).partialValue
        let look = image.scale > 1 ? " class=\"pixels\"" : ""
        return """
            <figure class="image">
            <img\(look) width="\(width)" height="\(height)" alt="\(Markup.escape(image.description))" \
            src="data:image/png;base64,\(image.png.base64EncodedString())">
            \(figureCaption(image.caption))</figure>

            """
    }

    private static func figureCaption(_ text: String) -> String {
        text.isEmpty ? "" : "<figcaption>\(Markup.prose(text))</figcaption>\n"
    }
}
