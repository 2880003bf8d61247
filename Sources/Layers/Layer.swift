/// Multiply–accumulates of one layer for one image: coefficient × the product of the widths of `axes`.
public struct ComputeTerm {
    public let layer: String
    /// Multiply–accumulates for each pair of channels: k²·H'·W' for a convolution, T² a product for attention.
    public let coefficient: Double
    public let axes: [ChannelAxis]

    public init(layer: String, coefficient: Double, axes: [ChannelAxis]) {
        self.layer = layer
        self.coefficient = coefficient
        self.axes = axes
    }

    public var macs: Double { axes.reduce(coefficient) { $0 * Double($1.width) } }
}

/// Anything with named parameters.
public protocol Layer {
    var parameters: [Parameter] { get }
}
