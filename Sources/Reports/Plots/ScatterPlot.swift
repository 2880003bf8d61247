import Foundation

/// Labelled points with error bars, such as speed against likeness of several methods.
public struct ScatterPlot: SVGPlot {
    public struct Point: Sendable {
        /// Written beside the point; may be empty.
        public let label: String
        public let x: Double
        public let y: Double
        public let xError: ClosedRange<Double>?
        public let yError: ClosedRange<Double>?
        /// Index into `groups`; points of one group share colour and shape.
        public let group: Int

        public init(
            _ label: String, x: Double, y: Double, xError: ClosedRange<Double>? = nil,
            yError: ClosedRange<Double>? = nil, group: Int = 0
        ) {
            self.label = label
            self.x = x
            self.y = y
            self.xError = xError
            self.yError = yError
            self.group = max(0, group)
        }
    }

    /// Which way an axis gets better.
    public enum Better: Sendable {
        case lower, higher
    }

    public let title: String
    public let xAxis: Axis
    public let yAxis: Axis
    public let groups: [String]
    public let points: [Point]
    /// Where given, a stepped line joins the points that no other point beats on both axes.
    public let better: (x: Better, y: Better)?

    /// - Parameter groups: names for the legend, which is drawn when there are two or more.
    public init(
        title: String, xAxis: Axis, yAxis: Axis, groups: [String] = [], points: [Point],
        better: (x: Better, y: Better)? = nil
    ) {
        self.title = title
        self.xAxis = xAxis
        self.yAxis = yAxis
        self.groups = groups
        self.points = points
        self.better = better
    }

    public func svg(layout: PlotLayout) -> String {
        let drawable = points.filter { xAxis.canShow($0.x) && yAxis.canShow($0.y) }
        guard !drawable.isEmpty else { return SVGCanvas.noData(layout: layout, title: title) }
        let xErrors = drawable.compactMap(\.xError).flatMap { [$0.lowerBound, $0.upperBound] }
        let yErrors = drawable.compactMap(\.yError).flatMap { [$0.lowerBound, $0.upperBound] }
        let entries = groups.enumerated().map { Legend.Entry(name: $0.element, index: $0.offset, mark: .marker) }
        let frame = CartesianFrame(
            layout: layout, xAxis: xAxis, yAxis: yAxis, xValues: padded(drawable.map(\.x) + xErrors, xAxis),
            yValues: padded(drawable.map(\.y) + yErrors, yAxis), legend: entries.count > 1 ? entries : [],
            xExpands: true)

        var canvas = SVGCanvas()
        frame.drawGround(on: &canvas)
        canvas.clipped(to: frame.plot) { canvas in
            drawFrontier(through: drawable, in: frame, on: &canvas)
            for point in drawable {
                drawErrors(of: point, in: frame, on: &canvas)
            }
        }
        var labels = LabelPlacer(size: layout.fontSize, within: frame.plot)
        let places = drawable.map { place(of: $0, in: frame) }
        for place in places where contains(place, frame.plot) {
            labels.block(PlotRect(x: place.x - 6, y: place.y - 6, width: 12, height: 12))
        }
        for point in drawable {
            errorBoxes(of: point, in: frame).forEach { labels.block($0) }
        }
        for (point, place) in zip(drawable, places) where contains(place, frame.plot) {
            let (x, y) = (NumberText.short(point.x), NumberText.short(point.y))
            let tip = "\(point.label): \(xAxis.title) \(x), \(yAxis.title) \(y)"
            let mark = PlotStyle.marker(point.group, x: place.x, y: place.y, radius: 5.5)
            canvas.path(mark, class: "mk \(PlotStyle.series(point.group))", tip: tip)
            if !point.label.isEmpty {
                labels.draw(point.label, at: place, on: &canvas)
            }
        }
        return frame.document(canvas, title: title)
    }

    /// Adds a little room around the outermost values, so that marks and labels stay clear of the frame.
    private func padded(_ values: [Double], _ axis: Axis) -> [Double] {
        let shown = values.filter(axis.canShow)
        guard let low = shown.min(), let high = shown.max() else { return values }
        switch axis.scale {
        case .linear:
            let margin = (high - low) * 0.04
            let keepsSign = low >= 0 && low - margin < 0
            return shown + [keepsSign ? low : low - margin, high + margin]
        case .logarithmic:
            let factor = pow(high / low, 0.04)
            return shown + [low / factor, high * factor]
        }
    }

    private func place(of point: Point, in frame: CartesianFrame) -> PlotPoint {
        PlotPoint(x: frame.x.position(point.x) ?? 0, y: frame.y.position(point.y) ?? 0)
    }

    private func contains(_ place: PlotPoint, _ rect: PlotRect) -> Bool {
        place.x >= rect.x - 1 && place.x <= rect.right + 1 && place.y >= rect.y - 1 && place.y <= rect.bottom + 1
    }

    private func drawErrors(of point: Point, in frame: CartesianFrame, on canvas: inout SVGCanvas) {
        let at = place(of: point, in: frame)
        let colour = "th \(PlotStyle.series(point.group))"
        if let range = point.xError, let left = frame.x.position(range.lowerBound),
            let right = frame.x.position(range.upperBound)
        {
            canvas.line(left, at.y, right, at.y, class: colour)
            canvas.line(left, at.y - 4, left, at.y + 4, class: colour)
            canvas.line(right, at.y - 4, right, at.y + 4, class: colour)
        }
        if let range = point.yError, let low = frame.y.position(range.lowerBound),
            let high = frame.y.position(range.upperBound)
        {
            canvas.line(at.x, low, at.x, high, class: colour)
            canvas.line(at.x - 4, low, at.x + 4, low, class: colour)
            canvas.line(at.x - 4, high, at.x + 4, high, class: colour)
        }
    }

    /// The room that the error bars take.
    private func errorBoxes(of point: Point, in frame: CartesianFrame) -> [PlotRect] {
        let at = place(of: point, in: frame)
        var boxes: [PlotRect] = []
        if let range = point.xError, let left = frame.x.position(range.lowerBound),
            let right = frame.x.position(range.upperBound)
        {
            boxes.append(PlotRect(x: left, y: at.y - 4, width: right - left, height: 8))
        }
        if let range = point.yError, let low = frame.y.position(range.lowerBound),
            let high = frame.y.position(range.upperBound)
        {
            boxes.append(PlotRect(x: at.x - 4, y: high, width: 8, height: low - high))
        }
        return boxes
    }

    private func drawFrontier(through points: [Point], in frame: CartesianFrame, on canvas: inout SVGCanvas) {
        let best = frontier(of: points).map { place(of: $0, in: frame) }
        guard best.count > 1 else { return }
        var data = "M\(NumberText.coordinate(best[0].x)) \(NumberText.coordinate(best[0].y))"
        for (last, next) in zip(best, best.dropFirst()) {
            // Between two points the worse of both values on each axis is what is certainly reachable.
            let corner = better?.x == .lower ? PlotPoint(x: next.x, y: last.y) : PlotPoint(x: last.x, y: next.y)
            for point in [corner, next] {
                data += "L\(NumberText.coordinate(point.x)) \(NumberText.coordinate(point.y))"
            }
        }
        canvas.path(data, class: "rf")
    }

    /// The points that no other beats on both axes, from left to right.
    func frontier(of points: [Point]) -> [Point] {
        guard let better else { return [] }
        func beats(_ a: Double, _ b: Double, _ way: Better) -> Bool { way == .lower ? a < b : a > b }
        return points.filter { point in
            !points.contains { other in
                let notWorse = !beats(point.x, other.x, better.x) && !beats(point.y, other.y, better.y)
                return notWorse && (beats(other.x, point.x, better.x) || beats(other.y, point.y, better.y))
            }
        }.sorted { ($0.x, $0.y) < ($1.x, $1.y) }
    }
}
