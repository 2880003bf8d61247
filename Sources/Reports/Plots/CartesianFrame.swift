/// The box of a plot with two axes: margins, grid, tick labels, axis titles and legend.
struct CartesianFrame {
    let layout: PlotLayout
    let x: AxisScale
    let y: AxisScale
    /// Where the data goes.
    let plot: PlotRect
    let height: Double
    private let xTitle: String
    private let yTitle: String
    private let legend: Legend
    private let legendTop: Double
    private let yTitleBaseline: Double

    /// - Parameters:
    ///   - xValues: all x that the axis reaches.
    ///   - yValues: all y that the axis reaches; it ends at tick marks.
    init(
        layout: PlotLayout, xAxis: Axis, yAxis: Axis, xValues: [Double], yValues: [Double],
        legend entries: [Legend.Entry]
    ) {
        self.layout = layout
        let size = layout.fontSize
        legend = Legend(entries, width: layout.width - 8, fontSize: size)
        legendTop = 2
        yTitleBaseline = legendTop + legend.height + size * 1.3
        let top = yTitleBaseline + size * 0.9
        let bottom = top + layout.plotHeight

        let y = AxisScale(
            axis: yAxis, values: yValues, from: bottom, to: top, tickSpacing: size * 2.8, expand: true)
        let labelWidth = y.ticks.map { TextMetrics.width($0.label, size: size) }.max() ?? 0
        let left = labelWidth + 12
        // Half of the last tick label sticks out on the right.
        let right = layout.width - size * 1.6
        x = AxisScale(
            axis: xAxis, values: xValues, from: left, to: right, tickSpacing: size * 5, expand: false)
        self.y = y
        plot = PlotRect(x: left, y: top, width: right - left, height: bottom - top)
        xTitle = TextMetrics.fit(xAxis.caption, width: layout.width - 8, size: size)
        yTitle = TextMetrics.fit(yAxis.caption, width: layout.width - 8, size: size)
        height = bottom + size * (xTitle.isEmpty ? 2 : 3.5)
    }

    /// Everything below the data.
    func drawGround(on canvas: inout SVGCanvas) {
        let size = layout.fontSize
        legend.draw(on: &canvas, x: 4, y: legendTop)
        canvas.text(yTitle, x: 4, y: yTitleBaseline, class: "mu")
        for tick in y.ticks {
            guard let at = y.position(tick.value) else { continue }
            canvas.line(plot.x, at, plot.right, at, class: "gr")
            canvas.text(tick.label, x: plot.x - 7, y: at + size * 0.35, class: "mu", anchor: .end)
        }
        var lastRight = -Double.infinity
        for tick in x.ticks {
            guard let at = x.position(tick.value) else { continue }
            canvas.line(at, plot.bottom, at, plot.bottom + 5, class: "ax")
            let half = TextMetrics.width(tick.label, size: size) / 2
            guard at - half > lastRight + 4 else { continue }
            lastRight = at + half
            canvas.text(tick.label, x: at, y: plot.bottom + size * 1.45, class: "mu", anchor: .middle)
        }
        canvas.line(plot.x, plot.bottom, plot.right, plot.bottom, class: "ax")
        if !xTitle.isEmpty {
            canvas.text(
                xTitle, x: plot.x + plot.width / 2, y: plot.bottom + size * 3, class: "mu", anchor: .middle)
        }
    }

    func document(_ canvas: SVGCanvas, title: String) -> String {
        canvas.document(width: layout.width, height: height, fontSize: layout.fontSize, title: title)
    }
}
