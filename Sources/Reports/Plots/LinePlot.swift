import Foundation

/// Curves over a common x axis, such as a loss over steps.
public struct LinePlot: SVGPlot {
    public struct Point: Sendable, Equatable {
        public let x: Double
        /// A value that cannot be drawn interrupts the curve.
        public let y: Double
        /// The confidence band around `y`, drawn where it is given at two neighbouring points.
        public let band: ClosedRange<Double>?

        public init(x: Double, y: Double, band: ClosedRange<Double>? = nil) {
            self.x = x
            self.y = y
            self.band = band
        }
    }

    public struct Series: Sendable {
        public let name: String
        public let points: [Point]
        /// For a curve of reference rather than of interest.
        public let isDashed: Bool
        /// For what was measured at single places: dots without a line through them.
        public let isScattered: Bool

        /// - Parameters:
        ///   - name: in the legend.
        ///   - points: in the order of the line through them.
        ///   - isDashed: for a curve of reference rather than of interest.
        ///   - isScattered: for dots without a line through them.
        public init(_ name: String, points: [Point], isDashed: Bool = false, isScattered: Bool = false) {
            self.name = name
            self.points = points
            self.isDashed = isDashed
            self.isScattered = isScattered
        }

        /// A series of pairs of x and y; what one list is longer than the other is left out.
        public init(_ name: String, x: [Double], y: [Double], isDashed: Bool = false) {
            self.init(name, points: zip(x, y).map { Point(x: $0, y: $1) }, isDashed: isDashed)
        }
    }

    public let title: String
    public let xAxis: Axis
    public let yAxis: Axis
    public let series: [Series]
    /// Curves with at most this many points also show the points.
    private static let maximumMarkers = 40

    public init(title: String, xAxis: Axis, yAxis: Axis, series: [Series]) {
        self.title = title
        self.xAxis = xAxis
        self.yAxis = yAxis
        self.series = series
    }

    public func svg(layout: PlotLayout) -> String {
        let drawable = series.flatMap(\.points).filter { xAxis.canShow($0.x) && yAxis.canShow($0.y) }
        guard !drawable.isEmpty else { return SVGCanvas.noData(layout: layout, title: title) }
        let bands = drawable.compactMap(\.band).flatMap { [$0.lowerBound, $0.upperBound] }
        // A lone series is named by the axis; a legend would only take room.
        let entries = series.enumerated().map {
            Legend.Entry(
                name: $0.element.name, index: $0.offset,
                mark: $0.element.isScattered ? .dot : .line(dashed: $0.element.isDashed))
        }
        let frame = CartesianFrame(
            layout: layout, xAxis: xAxis, yAxis: yAxis, xValues: drawable.map(\.x),
            yValues: drawable.map(\.y) + bands, legend: entries.count > 1 ? entries : [])

        var canvas = SVGCanvas()
        frame.drawGround(on: &canvas)
        // Two pixels more than the box, so that a line along its edge keeps its width.
        var window = frame.plot
        window.x -= 4
        window.width += 8
        window.y -= 4
        window.height += 8
        canvas.clipped(to: window) { canvas in
            for (index, one) in series.enumerated() {
                drawBand(of: one, index: index, in: frame, on: &canvas)
            }
            for (index, one) in series.enumerated() {
                drawCurve(of: one, index: index, in: frame, on: &canvas)
            }
        }
        return frame.document(canvas, title: title)
    }

    private func drawCurve(
        of series: Series, index: Int, in frame: CartesianFrame, on canvas: inout SVGCanvas
    ) {
        let runs = CurveRuns.split(series.points.map { pixel(of: $0, in: frame) })
        var data = ""
        for run in runs {
            let points = CurveRuns.thinned(run)
            for (position, point) in points.enumerated() {
                data += (position == 0 ? "M" : "L") + coordinates(point)
            }
            // A point between two gaps: a line of no length has round ends, so it shows as a dot.
            if points.count == 1 { data += "h0" }
        }
        guard !data.isEmpty else { return }
        let color = PlotStyle.series(index)
        let look = series.points.count > 200 ? "ln fi" : "ln"
        if !series.isScattered {
            canvas.path(data, class: "\(look) \(color)", dash: series.isDashed ? "6 4" : PlotStyle.dash(index))
        }
        guard series.isScattered || !series.isDashed && series.points.count <= Self.maximumMarkers else { return }
        for point in series.points {
            guard let pixel = pixel(of: point, in: frame) else { continue }
            let band = point.band.map { " (\(NumberText.short($0.lowerBound)) – \(NumberText.short($0.upperBound)))" }
            let value = "\(NumberText.short(point.y))\(band ?? "")"
            let tip = "\(series.name): \(value) at \(xAxis.title) \(NumberText.short(point.x))"
            canvas.path(
                PlotStyle.dot(x: pixel.x, y: pixel.y, radius: 3.2), class: "mk \(color)", tip: tip)
        }
    }

    private func drawBand(
        of series: Series, index: Int, in frame: CartesianFrame, on canvas: inout SVGCanvas
    ) {
        let edges = series.points.map { point -> (upper: PlotPoint, lower: PlotPoint)? in
            guard let band = point.band, let x = frame.x.position(point.x), yAxis.canShow(point.y),
                let upper = frame.y.position(band.upperBound)
            else { return nil }
            // A band that reaches zero on a logarithmic axis goes on to the bottom.
            guard let lower = frame.y.position(band.lowerBound) ?? (yAxis.scale == .logarithmic ? frame.y.start : nil)
            else { return nil }
            return (PlotPoint(x: x, y: upper), PlotPoint(x: x, y: lower))
        }
        for run in CurveRuns.split(edges) where run.count > 1 {
            let upper = CurveRuns.thinned(run.map(\.upper))
            let lower = CurveRuns.thinned(run.map(\.lower)).reversed()
            let outline = upper + lower
            canvas.path(
                "M" + outline.map(coordinates).joined(separator: "L") + "Z", class: "bd \(PlotStyle.series(index))")
        }
    }

    private func pixel(of point: Point, in frame: CartesianFrame) -> PlotPoint? {
        guard let x = frame.x.position(point.x), let y = frame.y.position(point.y) else { return nil }
        return PlotPoint(x: x, y: y)
    }

    private func coordinates(_ point: PlotPoint) -> String {
        "\(NumberText.coordinate(point.x)) \(NumberText.coordinate(point.y))"
    }
}

/// A place in SVG coordinates.
struct PlotPoint: Equatable {
    let x: Double
    let y: Double
}

/// Cuts curves into what can be drawn in one stroke.
enum CurveRuns {
    /// The stretches between the gaps.
    static func split<Element>(_ points: [Element?]) -> [[Element]] {
        var runs: [[Element]] = []
        var run: [Element] = []
        for point in points {
            if let point {
                run.append(point)
            } else if !run.isEmpty {
                runs.append(run)
                run = []
            }
        }
        return run.isEmpty ? runs : runs + [run]
    }

    /// Of all points in one pixel column the first, lowest, highest and last: looks the same, a hundredth of the size.
    static func thinned(_ points: [PlotPoint]) -> [PlotPoint] {
        guard points.count > 400 else { return points }
        var result: [PlotPoint] = []
        var start = 0
        while start < points.count {
            let column = points[start].x.rounded(.down)
            var end = start + 1
            while end < points.count, points[end].x.rounded(.down) == column { end += 1 }
            let range = start..<end
            let top = range.min { points[$0].y < points[$1].y } ?? start
            let bottom = range.max { points[$0].y < points[$1].y } ?? start
            var last = -1
            for index in [start, min(top, bottom), max(top, bottom), end - 1] where index > last {
                result.append(points[index])
                last = index
            }
            start = end
        }
        return result
    }
}
