import TensorCore

/// One operation of a network: what profiles time and observers see.
///
/// Layers and models run their operations through `run`. While nobody looks that costs one look at a task-local value
/// for observers and one for profiles.
public struct LayerOperation: Sendable {
    /// What a convolution's kernel reads.
    public struct Window: Sendable, Equatable {
        public let kernel: Int
        public let stride: Int
        public let padding: ConvolutionPadding

        public init(kernel: Int, stride: Int, padding: ConvolutionPadding) {
            self.kernel = kernel
            self.stride = stride
            self.padding = padding
        }
    }

    public let name: String
    public let kind: OperationKind
    /// Of convolutions; nil of everything else.
    public let window: Window?

    private struct Observers: @unchecked Sendable {
        /// Called on the thread that installed them alone: the engine's threads do not inherit task-local values.
        let list: [any OperationObserver]
    }
    @TaskLocal private static var observers: Observers?

    /// Whether somebody looks at operations. A prediction then takes the whole batch through every layer by itself,
    /// instead of dividing it over threads and joining layers that read the same input. The results have the same bits.
    public static var isObserved: Bool { observers != nil }

    /// Runs `body`, which must not run other operations, and shows observers what it ran on.
    ///
    /// - Parameters:
    ///   - name: what profiles call it.
    ///   - kind: what profiles count it as.
    ///   - inputs: what is read, in the layer's order; several where the layer reads the concatenation of them.
    ///   - inputShape: where there are no inputs, as for a table that is looked up.
    ///   - parameters: those it computes with.
    ///   - window: of a convolution.
    ///   - products: multiply–accumulates for each element of the result.
    ///   - body: computes the output.
    public static func run(
        _ name: @autoclosure () -> String, _ kind: OperationKind, of inputs: @autoclosure () -> [Variable],
        inputShape: @autoclosure () -> [Int]? = nil, parameters: @autoclosure () -> [Parameter] = [],
        window: @autoclosure () -> Window? = nil, products: @autoclosure () -> Int = 0, _ body: () -> Variable
    ) -> Variable {
        let output = OperationProfile.timed(
            name(), kind, inputShape: inputShape() ?? inputs().joinedShape, products: products(), body)
        guard let observers else { return output }
        let operation = LayerOperation(name: name(), kind: kind, window: window())
        let (inputs, parameters) = (inputs(), parameters())
        for observer in observers.list {
            observer.ran(operation, inputs: inputs, parameters: parameters, output: output)
        }
        return output
    }

    /// Runs `body` unseen: what computes again what was seen before.
    public static func unobserved<Result>(_ body: () throws -> Result) rethrows -> Result {
        guard isObserved else { return try body() }
        return try $observers.withValue(nil, operation: body)
    }

    fileprivate static func observed<Result>(
        by observer: any OperationObserver, _ body: () throws -> Result
    ) rethrows -> Result {
        try $observers.withValue(Observers(list: (observers?.list ?? []) + [observer]), operation: body)
    }
}

/// Sees what the operations of a network run on: statistics of inputs or activations, a trace.
public protocol OperationObserver: AnyObject {
    /// Called after each operation, in the order in which they run, once in a pass: what gradient checkpointing runs
    /// again for the backward pass is not shown again.
    ///
    /// - Parameters:
    ///   - operation: what ran.
    ///   - inputs: what a layer reads, channels last (`[B, H, W, C]`, `[…, C]`): several where it reads the
    ///     concatenation of them along the channels. Biases of images, residuals and modulations are not among them.
    ///   - parameters: weight and bias of convolutions and linear layers, γ and β of normalisations; what is computed
    ///     with is their `effective` variable.
    ///   - output: what the layer hands on: after biases, the gates of its output axis, a residual added to a
    ///     convolution, and the activation of a normalisation.
    func ran(_ operation: LayerOperation, inputs: [Variable], parameters: [Parameter], output: Variable)
}

extension OperationObserver {
    /// Shows this observer the operations that `body` runs on the calling thread, beside those that look already.
    public func observing<Result>(_ body: () throws -> Result) rethrows -> Result {
        try LayerOperation.observed(by: self, body)
    }
}
