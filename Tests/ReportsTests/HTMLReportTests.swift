import TestSupport
import Foundation
import Testing

@testable import Reports

@Suite struct HTMLReportTests {
    @Test func pageIsWellFormedAndLoadsNothing() throws {
        let html = try SampleReport.report().html
        let elements = try #require(parsedHTML(html))
        for element in elements {
            #expect(!["script", "link", "iframe", "object", "base"].contains(element.name))
            for attribute in ["src", "href", "xlink:href", "action", "srcset"] {
                guard let target = element.attributes[attribute] else { continue }
                #expect(target.hasPrefix("data:image/png;base64,") || target.hasPrefix("#"), "\(target)")
            }
            #expect(!element.attributes.keys.contains { $0.hasPrefix("on") })
        }
        #expect(!html.contains("url(") && !html.contains("@import") && !html.contains("http"))
    }

    @Test func everyLinkHasItsTargetAndTargetsAreUnique() throws {
        var report = try SampleReport.report()
        report.sections.append(.init("Training"))
        report.sections.append(.init("???"))
        let elements = try #require(parsedHTML(report.html))
        let ids = elements.compactMap { $0.attributes["id"] }
        #expect(ids == ["pictures", "comparison", "where-the-channels-went", "training", "training-2", "section"])
        #expect(elements.compactMap { $0.attributes["href"] } == ids.map { "#" + $0 })
    }

    @Test func hostileTextStaysText() throws {
        let hostile = "</style></pre><script>alert('1')</script>\"&\u{1}`<b>`"
        var report = HTMLReport(title: hostile, summary: hostile)
        report.cards = [.init(title: hostile, value: hostile, detail: hostile)]
        var table = ReportTable(columns: [.name(hostile)], caption: hostile)
        try table.append([hostile])
        let axis = Axis(hostile, unit: hostile)
        let image = try ReportImage(png: SampleReport.grid, caption: hostile, description: hostile)
        report.sections = [
            .init(
                hostile,
                [
                    .heading(hostile), .paragraph(hostile), .list([hostile]), .note(hostile, kind: .warning),
                    .table(table), .images([image]), .preformatted(hostile, caption: hostile),
                    .details(hostile, [.paragraph(hostile)]),
                    .plot(
                        LinePlot(
                            title: hostile, xAxis: axis, yAxis: axis,
                            series: [.init(hostile, x: [1, 2], y: [1, 2]), .init(hostile, x: [1], y: [1])]),
                        caption: hostile),
                    .plot(
                        BarChart(
                            title: hostile, categories: [hostile], series: [.init(hostile, values: [1])], axis: axis),
                        caption: hostile),
                    .plot(
                        HeatMap(
                            title: hostile, rows: [hostile], columns: [hostile], values: [[1]], columnTitle: hostile,
                            valueAxis: axis), caption: hostile),
                ])
        ]
        report.provenance = [(hostile, hostile)]
        let elements = try #require(parsedHTML(report.html))
        #expect(!elements.contains { $0.name == "script" || $0.name == "b" })
        #expect(elements.contains { $0.name == "code" && $0.text == "<b>" })
        #expect(
            elements.first { $0.name == "title" }?.text == hostile.replacingOccurrences(of: "\u{1}", with: "\u{FFFD}"))
    }

    /// On a phone the rows of a table of many columns are blocks of lines, each with its column's title.
    @Test func cellsOfWideTablesKnowTheirColumns() throws {
        func cells(_ columns: [String]) throws -> [String?] {
            var table = ReportTable(columns: columns.map { .number($0) })
            try table.append(columns.map { _ in "1" })
            var report = HTMLReport(title: "t")
            report.sections = [.init("s", [.table(table)])]
            return try #require(parsedHTML(report.html)).filter { $0.name == "td" }.map { $0.attributes["data-label"] }
        }
        #expect(try cells(["a", "b", "c", "d", "<e>"]) == ["a", "b", "c", "d", "<e>"])
        #expect(try cells(["a", "b", "c", "d"]) == [nil, nil, nil, nil])
    }

    @Test func numbersStandRightAndTheMarkedRowIsMarked() throws {
        var table = ReportTable(columns: [.name("method"), .number("SSIM")])
        try table.append(["a", "0.5"])
        try table.append(["b", "0.9"], isEmphasized: true)
        var report = HTMLReport(title: "t")
        report.sections = [.init("s", [.table(table)])]
        let elements = try #require(parsedHTML(report.html))
        let cells = elements.filter { $0.name == "td" }
        #expect(cells.map(\.text) == ["a", "0.5", "b", "0.9"])
        #expect(cells.map { $0.attributes["class"] } == [nil, "number", nil, "number"])
        #expect(elements.filter { $0.name == "tr" }.map { $0.attributes["class"] } == [nil, nil, "strong"])
        #expect(throws: ReportError.wrongCellCount(row: 2, got: 1, expected: 2)) { try table.append(["c"]) }
    }

    @Test func picturesTravelWholeAndEnlargedByWholeNumbers() throws {
        let png = tinyPNG(width: 32, height: 16) { x, _ in (UInt8(x), 0, 0) }
        var report = HTMLReport(title: "t")
        report.sections = [.init("s", [.images([try ReportImage(png: png, caption: "c")])])]
        let elements = try #require(parsedHTML(report.html))
        let image = try #require(elements.first { $0.name == "img" })
        #expect(image.attributes["width"] == "256" && image.attributes["height"] == "128")
        #expect(image.attributes["class"] == "pixels" && image.attributes["alt"] == "c")
        let source = try #require(image.attributes["src"]?.split(separator: ",").last)
        #expect(Data(base64Encoded: String(source)) == png)
        #expect(try ReportImage(png: SampleReport.grid, caption: "").scale == 2)

        for bad in [Data(), Data("GIF89a".utf8), png.prefix(20), Data(count: 64)] {
            #expect(throws: ReportError.notPNG(context: "the image \"c\"")) { try ReportImage(png: bad, caption: "c") }
        }
    }

    @Test func codeKeepsItsLines() throws {
        var report = HTMLReport(title: "t")
        report.sections = [.init("s", [.preformatted("\n  a: 1\n", caption: "")])]
        #expect(report.html.contains("<pre tabindex=\"0\">\n\n  a: 1\n</pre>"))
    }

    @Test func writingReplacesInOneStep() throws {
        try withTemporaryFolder { folder in
            let report = try SampleReport.report()
            let url = folder.appendingPathComponent("report.html")
            try Data("old".utf8).write(to: url)
            try report.write(to: url)
            #expect(try Data(contentsOf: url) == Data(report.html.utf8))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["report.html"])
            #expect(throws: ReportError.self) {
                try report.write(to: folder.appendingPathComponent("missing/report.html"))
            }
        }
    }

    /// Writes the sample page and a run for TensorBoard where `REPORT_GALLERY` points, for looking at them.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["REPORT_GALLERY"] != nil))
    func gallery() throws {
        let folder = URL(fileURLWithPath: ProcessInfo.processInfo.environment["REPORT_GALLERY"] ?? ".")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try SampleReport.report().write(to: folder.appendingPathComponent("report.html"))
        try SampleReport.similarity.write(to: folder.appendingPathComponent("similarity.svg"))
        let run = folder.appendingPathComponent("run")
        for (first, last) in [(0, 60), (40, 100)] {
            let events = try EventFileWriter(directory: run, resumingAtStep: first > 0 ? first : nil)
            for step in first..<last {
                try events.scalar("loss", exp(-Double(step) / 30), step: step)
            }
            try events.image("samples", png: SampleReport.grid, step: last)
        }
        #expect(FileManager.default.fileExists(atPath: folder.appendingPathComponent("report.html").path))
    }
}
