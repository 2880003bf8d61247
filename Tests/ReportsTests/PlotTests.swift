import TestSupport
import Foundation
import Testing

@testable import Reports

private typealias Element = (name: String, attributes: [String: String], text: String)

/// Draws a plot as a file of its own and takes it apart; fails where the file is not XML or leaves its own bounds.
private func elements(of plot: some SVGPlot, _ layout: PlotLayout = .wide) throws -> [Element] {
    let svg = plot.svgDocument(layout: layout)
    let elements = try #require(parsedXML(svg), "not well-formed: \(svg.prefix(400))")
    for element in elements {
        for name in ["x", "y", "width", "height"] {
            guard let text = element.attributes[name] else { continue }
            let value = try #require(Double(text), "\(name)=\(text)")
            #expect(value >= 0 && (name == "y" || name == "height" || value <= layout.width), "\(element)")
        }
        #expect(element.attributes["d"]?.contains("n") != true, "\(element)")
    }
    return elements
}

private func paths(_ elements: [Element], _ className: String) -> [String] {
    elements.filter { $0.attributes["class"]?.split(separator: " ").contains(Substring(className)) == true }
        .compactMap { $0.attributes["d"] }
}

private func count(_ character: Character, in text: String) -> Int { text.count { $0 == character } }

@Suite struct PlotTests {
    @Test(arguments: [PlotLayout.wide, .narrow, PlotLayout(width: 200, fontSize: 14)])
    func samplesAreWellFormedInEveryLayout(layout: PlotLayout) throws {
        let plots: [any SVGPlot] = [
            SampleReport.loss, SampleReport.similarity, SampleReport.widths, SampleReport.times,
            SampleReport.sensitivity, SampleReport.change(of: 25), SampleReport.change(of: 200),
        ]
        for plot in plots {
            let elements = try elements(of: plot, layout)
            #expect(elements.count > 20, "\(plot.title)")
        }
    }

    @Test func missingValuesInterruptTheCurve() throws {
        let y: [Double] = [1, 2, .nan, 3, .infinity, 5, 6]
        let plot = LinePlot(
            title: "t", xAxis: Axis("x"), yAxis: Axis("y"),
            series: [.init("s", x: (0..<7).map(Double.init), y: y)])
        let curve = try #require(paths(try elements(of: plot), "ln").first)
        #expect(count("M", in: curve) == 3 && count("L", in: curve) == 2)
        #expect(curve.contains("h0"), "the lone point between two gaps shows as a dot")
        #expect(paths(try elements(of: plot), "mk").count == 5)
    }

    @Test func logarithmicAxisLeavesOutWhatIsNotPositive() throws {
        let plot = LinePlot(
            title: "t", xAxis: Axis("x"), yAxis: Axis("y", scale: .logarithmic),
            series: [.init("s", x: [0, 1, 2, 3], y: [1, 0, -1, 1000])])
        let elements = try elements(of: plot)
        #expect(count("M", in: try #require(paths(elements, "ln").first)) == 2)
        let labels = elements.filter { $0.name == "text" }.map(\.text)
        #expect(labels.contains("1000") && labels.contains("1") && labels.contains("10"))
    }

    @Test func bandIsDrawnWhereNeighboursHaveOne() throws {
        let points = (0..<6).map { index in
            LinePlot.Point(x: Double(index), y: 1, band: index == 2 ? nil : 0.5...1.5)
        }
        let plot = LinePlot(title: "t", xAxis: Axis("x"), yAxis: Axis("y"), series: [.init("s", points: points)])
        let bands = paths(try elements(of: plot), "bd")
        #expect(bands.count == 2)
        #expect(bands.map { count("L", in: $0) } == [3, 5])
    }

    @Test func longCurvesAreThinnedButKeepTheirPeaks() throws {
        let n = 200_000
        var y = (0..<n).map { sin(Double($0)) }
        y[123_456] = 40
        let plot = LinePlot(
            title: "t", xAxis: Axis("x"), yAxis: Axis("y"), series: [.init("s", x: (0..<n).map(Double.init), y: y)])
        let curve = try #require(paths(try elements(of: plot), "ln").first)
        #expect(curve.utf8.count < 60_000)
        let heights = curve.split(whereSeparator: { $0 == "M" || $0 == "L" })
            .compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }
        let top = try #require(heights.min())
        #expect(heights.filter { $0 == top }.count == 1)
        #expect(try #require(heights.sorted().dropFirst().first) - top > 100)
    }

    @Test func plotsOfNothingSaySo() throws {
        let axis = Axis("a")
        let plots: [any SVGPlot] = [
            LinePlot(title: "t", xAxis: axis, yAxis: axis, series: []),
            LinePlot(title: "t", xAxis: axis, yAxis: axis, series: [.init("s", x: [1], y: [.nan])]),
            LinePlot(
                title: "t", xAxis: axis, yAxis: Axis("y", scale: .logarithmic), series: [.init("s", x: [1], y: [-1])]),
            BarChart(title: "t", categories: ["a"], series: [.init("s", values: [nil])], axis: axis),
            BarChart(title: "t", categories: [], series: [.init("s", values: [1])], axis: axis),
            HeatMap(title: "t", rows: ["r"], columns: ["c"], values: [[.nan]], columnTitle: "", valueAxis: axis),
        ]
        for plot in plots {
            #expect(try elements(of: plot).contains { $0.name == "text" && $0.text == "no data" })
        }
    }

    @Test func extremeAndEqualValuesStayDrawable() throws {
        for values in [[5.0, 5], [0, 0], [1e-90, 3e-90], [-1e99, 1e99], [1e15, 1e15 + 1], [.nan, 1e300]] {
            for scale in [Axis.Scale.linear, .logarithmic] {
                let axis = Axis("a", scale: scale)
                _ = try elements(
                    of: LinePlot(title: "t", xAxis: axis, yAxis: axis, series: [.init("s", x: values, y: values)]))
                _ = try elements(
                    of: BarChart(title: "t", categories: ["a", "b"], series: [.init("s", values: values)], axis: axis))
                _ = try elements(
                    of: HeatMap(
                        title: "t", rows: ["r"], columns: ["a", "b"], values: [values], columnTitle: "",
                        valueAxis: axis))
            }
        }
    }

    @Test func nestedBarsShareARowAndALabel() throws {
        let chart = BarChart(
            title: "t", categories: ["layer"], series: [.init("before", values: [128]), .init("after", values: [64])],
            axis: Axis("channels"), arrangement: .nested)
        let elements = try elements(of: chart)
        #expect(elements.contains { $0.name == "text" && $0.text == "64 / 128" })
        let bars = elements.filter { ["pa s0", "ba s0"].contains($0.attributes["class"]) && $0.name == "rect" }
            .filter { Double($0.attributes["width"] ?? "") != 16 }
        let widths = bars.compactMap { Double($0.attributes["width"] ?? "") }
        #expect(widths.count == 2 && abs(widths[0] - 2 * widths[1]) < 0.02)
    }

    @Test func negativeBarsReachLeftOfZero() throws {
        let chart = BarChart(
            title: "t", categories: ["a", "b"], series: [.init("s", values: [-2, 1])], axis: Axis("change"))
        let bars = try elements(of: chart).filter { $0.attributes["class"] == "ba s0" }
        let edges = bars.compactMap { bar -> (Double, Double)? in
            guard let x = Double(bar.attributes["x"] ?? ""), let width = Double(bar.attributes["width"] ?? "") else {
                return nil
            }
            return (x, x + width)
        }
        #expect(edges.count == 2)
        #expect(abs(edges[0].1 - edges[1].0) < 0.02, "both start at zero")
        #expect(abs((edges[0].1 - edges[0].0) - 2 * (edges[1].1 - edges[1].0)) < 0.05)
    }

    @Test func heatMapCellsFollowTheirValues() throws {
        let map = HeatMap(
            title: "t", rows: ["r"], columns: ["a", "b", "c", "d"], values: [[-3, 0, 3, nil]], columnTitle: "c",
            valueAxis: Axis("v"))
        let cells = try elements(of: map).filter { $0.name == "rect" }
        #expect(cells[1...3].map { $0.attributes["fill"] } == ["#00224e", "#7d7c76", "#fee838"])
        #expect(cells[4].attributes["class"] == "tr")
        #expect(ColorMap.color(at: 0).hex == "#00224e" && ColorMap.color(at: 0).isDark)
        #expect(ColorMap.color(at: 1).hex == "#fee838" && !ColorMap.color(at: 1).isDark)
        #expect(ColorMap.color(at: .nan).hex.count == 7)
    }

    @Test func plotFilesAreWrittenWhole() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("plot.svg")
            try SampleReport.loss.write(to: url)
            #expect(try String(contentsOf: url, encoding: .utf8) == SampleReport.loss.svgDocument())
        }
    }
}

@Suite struct AxisTests {
    private func labels(_ axis: Axis, _ values: [Double], pixels: Double = 500, expand: Bool = true) -> [String] {
        AxisScale(axis: axis, values: values, from: 0, to: pixels, tickSpacing: 80, expand: expand).ticks.map(\.label)
    }

    @Test func linearTicksAreRoundNumbers() {
        #expect(labels(Axis("a"), [0, 1]) == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"])
        #expect(labels(Axis("a"), [-0.3, 0.71]) == ["−0.4", "−0.2", "0", "0.2", "0.4", "0.6", "0.8"])
        #expect(labels(Axis("a"), [3, 97], expand: false) == ["20", "40", "60", "80"])
        // On a phone too there is more than one number, without which there is no scale.
        #expect(labels(Axis("a"), [50, 950], pixels: 330, expand: false) == ["200", "400", "600", "800"])
        #expect(labels(Axis("a", isWhole: true), [1, 4], expand: false) == ["1", "2", "3", "4"])
        #expect(labels(Axis("a"), [0, 50_000]) == ["0", "10k", "20k", "30k", "40k", "50k"])
        #expect(labels(Axis("a"), [0, 2.5e6]) == ["0", "0.5M", "1.0M", "1.5M", "2.0M", "2.5M"])
        #expect(labels(Axis("a"), [0, 4e-6], pixels: 200) == ["0", "2e−6", "4e−6"])
        #expect(labels(Axis("a", includesZero: true), [7, 8], pixels: 200) == ["0", "5", "10"])
        #expect(labels(Axis("a", range: 0...1), [0.4, 0.5], pixels: 200) == ["0", "0.5", "1.0"])
    }

    @Test func logarithmicTicksArePowersOfTen() {
        let axis = Axis("a", scale: .logarithmic)
        #expect(labels(axis, [1, 1000]) == ["1", "10", "100", "1000"])
        #expect(labels(axis, [0.02, 0.9]) == ["0.02", "0.05", "0.1", "0.2", "0.5", "1"])
        #expect(labels(axis, [1e-8, 1e-2], pixels: 240) == ["10⁻⁸", "10⁻⁶", "10⁻⁴", "0.01"])
        #expect(labels(axis, [1.1, 1.3], pixels: 300, expand: false) == ["1.1", "1.2", "1.3"])
    }

    @Test func positionsFollowTheScale() throws {
        let linear = AxisScale(
            axis: Axis("a", range: 0...10), values: [], from: 100, to: 300, tickSpacing: 50, expand: true)
        #expect(linear.position(5) == 200 && linear.position(.nan) == nil && linear.position(-.infinity) == nil)
        let log = AxisScale(
            axis: Axis("a", scale: .logarithmic, range: 1...100), values: [], from: 100, to: 300, tickSpacing: 50,
            expand: true)
        #expect(abs(try #require(log.position(10)) - 200) < 1e-9)
        #expect(log.position(0) == nil)
    }

    @Test func rangesThatCannotBeDrawnAreIgnored() {
        for range in [0...(-0.0), 0...Double.infinity, 5...5] {
            #expect(labels(Axis("a", range: range), [0, 1]) == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"])
        }
        #expect(labels(Axis("a", scale: .logarithmic, range: -1...10), [1, 1000]) == ["1", "10", "100", "1000"])
    }
}
