import Foundation

/// What an axis measures and how.
public struct Axis: Sendable {
    public enum Scale: Sendable {
        case linear
        /// Powers of ten at equal distances; values that are not positive are left out.
        case logarithmic
    }

    public var title: String
    /// Written in brackets behind the title.
    public var unit: String?
    public var scale: Scale
    /// The values at the ends; nil chooses them from the data. Ignored where it cannot be drawn (not finite, empty, or
    /// not positive on a logarithmic axis).
    public var range: ClosedRange<Double>?
    /// Whether a linear axis chosen from the data reaches zero.
    public var includesZero: Bool
    /// Whether a linear axis counts, so that there is nothing to mark between whole numbers.
    public var isWhole: Bool

    public init(
        _ title: String, unit: String? = nil, scale: Scale = .linear, range: ClosedRange<Double>? = nil,
        includesZero: Bool = false, isWhole: Bool = false
    ) {
        self.title = title
        self.unit = unit
        self.scale = scale
        self.range = range
        self.includesZero = includesZero
        self.isWhole = isWhole
    }

    var caption: String {
        unit.map { "\(title) [\($0)]" } ?? title
    }

    /// Whether a value has a place on this axis at all.
    func canShow(_ value: Double) -> Bool {
        abs(value) < 1e100 && (scale == .linear || value > 1e-100)
    }
}

/// An axis laid along a stretch of pixels.
struct AxisScale {
    let kind: Axis.Scale
    let low: Double
    let high: Double
    /// Pixel coordinates of `low` and `high`; y axes run downwards, so start > end there.
    let start: Double
    let end: Double
    let ticks: [Tick]

    struct Tick: Equatable {
        let value: Double
        let label: String
    }

    /// - Parameters:
    ///   - values: the data; only those `axis` can show are looked at.
    ///   - tickSpacing: the minimum distance between two tick marks, in pixels.
    ///   - expand: whether the ends move outwards to tick marks.
    init(
        axis: Axis, values: some Sequence<Double>, from start: Double, to end: Double, tickSpacing: Double, expand: Bool
    ) {
        var low = Double.infinity
        var high = -Double.infinity
        for value in values where axis.canShow(value) {
            low = min(low, value)
            high = max(high, value)
        }
        var isFixed = false
        if let range = axis.range, axis.canShow(range.lowerBound), axis.canShow(range.upperBound),
            range.lowerBound < range.upperBound
        {
            (low, high) = (range.lowerBound, range.upperBound)
            isFixed = true
        } else if low > high {
            (low, high) = axis.scale == .linear ? (0, 1) : (1, 10)
        } else if axis.scale == .linear {
            if axis.includesZero { (low, high) = (min(low, 0), max(high, 0)) }
            // Below this the axis could not even label its two ends differently.
            if high - low <= 1e-12 * max(abs(low), abs(high)) {
                let margin = low == 0 ? 1 : abs(low) * 0.1
                (low, high) = (low - margin, high + margin)
            }
        } else if high / low < 1.000_001 {
            (low, high) = (low / 2, high * 2)
        }

        kind = axis.scale
        let count = max(2, Int(abs(end - start) / max(1, tickSpacing)))
        if kind == .linear {
            var step = Ticks.niceStep(span: high - low, count: count)
            if expand, !isFixed {
                low = (low / step + 1e-9).rounded(.down) * step
                high = (high / step - 1e-9).rounded(.up) * step
            }
            var marks = Ticks.linear(low: low, high: high, step: step)
            if marks.count < 2 {
                // One number tells no scale.
                step = Ticks.niceStep(span: high - low, count: 2 * count)
                marks = Ticks.linear(low: low, high: high, step: step)
            }
            if axis.isWhole, step < 1 { marks = Ticks.linear(low: low, high: high, step: 1) }
            ticks = marks
        } else {
            if expand, !isFixed {
                (low, high) = Ticks.niceLogarithmicEnds(low: low, high: high)
            }
            ticks = Ticks.logarithmic(low: low, high: high, count: count)
        }
        self.low = low
        self.high = high
        self.start = start
        self.end = end
    }

    /// The pixel coordinate of a value; nil where it has none. Values beyond the ends get coordinates beyond them.
    func position(_ value: Double) -> Double? {
        guard abs(value) < 1e100 else { return nil }
        let fraction: Double
        switch kind {
        case .linear:
            fraction = (value - low) / (high - low)
        case .logarithmic:
            guard value > 1e-100 else { return nil }
            fraction = log10(value / low) / log10(high / low)
        }
        return start + min(max(fraction, -1000), 1000) * (end - start)
    }
}
