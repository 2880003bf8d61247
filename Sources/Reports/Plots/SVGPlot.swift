import Foundation

/// A plot that draws itself as SVG in a given width.
///
/// Plots never fail: points that are NaN, infinite, or not positive on a logarithmic axis are left out with a gap, and
/// a plot without a single drawable point says "no data".
public protocol SVGPlot: Sendable {
    /// What the plot shows; read aloud by screen readers, and drawn above the plot only in a file of its own.
    var title: String { get }

    /// The plot as an `<svg>` element, coloured by `PlotStyle.css`.
    func svg(layout: PlotLayout) -> String
}

extension SVGPlot {
    /// The plot as a whole SVG file, with colours for light and dark.
    public func svgDocument(layout: PlotLayout = .wide) -> String {
        let heading = layout.fontSize * 2.4
        let plot = svg(layout: layout)
        let height = heading + PlotLayout.height(ofSVG: plot)
        let size = "\(NumberText.coordinate(layout.width)) \(NumberText.coordinate(height))"
        var canvas = SVGCanvas()
        canvas.rectangle(PlotRect(x: 0, y: 0, width: layout.width, height: height), class: "bg")
        canvas.text(
            TextMetrics.fit(title, width: layout.width - 24, size: layout.fontSize * 1.15), x: layout.width / 2,
            y: heading * 0.7, class: "ti", anchor: .middle)
        return """
            <svg xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 0 \(size)" \
            font-size="\(NumberText.coordinate(layout.fontSize))">
            <style>\(PlotStyle.css)</style>
            \(canvas.body)<svg y="\(NumberText.coordinate(heading))" \(plot.dropFirst("<svg ".count))
            </svg>

            """
    }

    /// Writes the plot as an SVG file in one step.
    /// - Throws: `ReportError.cannotWrite`.
    public func write(to url: URL, layout: PlotLayout = .wide) throws(ReportError) {
        try ReportFile.write(Data(svgDocument(layout: layout).utf8), to: url)
    }
}

/// How much room a plot has. Text keeps its size, so a phone gets a plot of its own and not a shrunken one.
public struct PlotLayout: Sendable, Equatable {
    /// Width in CSS pixels; the plots choose their height.
    public let width: Double
    /// Size of tick labels and legends in CSS pixels.
    public let fontSize: Double

    /// For a page beside text on a desktop.
    public static let wide = PlotLayout(width: 720, fontSize: 13)
    /// For a phone held upright.
    public static let narrow = PlotLayout(width: 350, fontSize: 12)

    /// - Parameters:
    ///   - width: at least 200; smaller is a programming error.
    ///   - fontSize: at least 6; smaller is a programming error.
    public init(width: Double, fontSize: Double) {
        precondition(
            width >= 200 && fontSize >= 6, "a plot needs a width of at least 200 and a font size of at least 6")
        self.width = width
        self.fontSize = fontSize
    }

    var isNarrow: Bool { width < 500 }

    /// Height of the box that line plots draw into, title and legend not counted.
    var plotHeight: Double { isNarrow ? width * 0.66 : width * 0.42 }

    static func height(ofSVG svg: String) -> Double {
        guard let start = svg.range(of: "height=\"")?.upperBound else { return 0 }
        return Double(svg[start...].prefix { $0 != "\"" }) ?? 0
    }
}

/// An upright rectangle in SVG coordinates, y downwards.
struct PlotRect {
    var x: Double
    var y: Double
    var width: Double
    var height: Double

    var right: Double { x + width }
    var bottom: Double { y + height }
}
