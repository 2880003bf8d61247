import CKernels
import Layers
import TensorCore

/// All trainable parameters of a model in one flat run of memory, with their gradients in another: the optimiser, the
/// gradient norm, the moving average and the file of a checkpoint each become one pass.
///
/// Behind them lie the model's statistics, so that averages, checkpoints and whatever goes back or on with a state have
/// them too; their gradients are zero, and no optimiser touches them.
public final class ParameterArena {
    /// The trainable ones in the order of the model, then its statistics.
    public let parameters: [Parameter]
    /// Where each parameter lies.
    public let ranges: [Range<Int>]
    public let values: Tensor
    public let gradients: Tensor
    public var count: Int { values.count }
    /// Where the statistics begin; `count` where there are none.
    public let trainedCount: Int
    private let indices: [ObjectIdentifier: Int]

    public init(_ all: [Parameter]) {
        let trained = all.filter(\.isTrainable)
        parameters = trained + all.filter(\.isStatistic)
        indices = Dictionary(uniqueKeysWithValues: parameters.enumerated().map { (ObjectIdentifier($1), $0) })
        var offset = 0
        // Each parameter starts on a cache line, so that kernels load it aligned; the gaps stay zero.
        ranges = parameters.map { parameter in
            defer { offset = (offset + parameter.count + 15) / 16 * 16 }
            return offset..<(offset + parameter.count)
        }
        trainedCount = trained.count < parameters.count ? ranges[trained.count].lowerBound : offset
        values = Tensor(zeros: [offset])
        gradients = Tensor(zeros: [offset])
        for (parameter, range) in zip(parameters, ranges) {
            parameter.variable.relocate(to: view(of: values, range), gradient: view(of: gradients, range))
        }
        // Where the parameters were before, nothing as large may come again.
        BufferPool.shared.trim()
    }

    private func view(of flat: Tensor, _ range: Range<Int>) -> Tensor {
        Tensor(
            buffer: Buffer(windowOf: flat.buffer, offset: range.lowerBound, count: range.count), shape: [range.count])
    }

    /// The part of a flat tensor that belongs to parameter `index`, in the parameter's shape.
    public func slice(_ flat: Tensor, _ index: Int) -> Tensor {
        view(of: flat, ranges[index]).reshaped(parameters[index].variable.shape)
    }

    /// The number of `parameter` among `parameters`; nil where it is not one of them.
    public func index(of parameter: Parameter) -> Int? { indices[ObjectIdentifier(parameter)] }

    /// The statistics as they are, to be put back.
    public var statistics: [Float] {
        get { Array(values.unsafeBuffer[trainedCount...]) }
        set {
            precondition(newValue.count == count - trainedCount, "statistics of another model")
            for (index, value) in newValue.enumerated() { values.pointer[trainedCount + index] = value }
        }
    }

    public func clearGradients() {
        for parameter in parameters { parameter.variable.clearGradients() }
    }

    /// Sets to zero the gradients that the last backward pass did not reach.
    public func completeGradients() {
        for (parameter, range) in zip(parameters, ranges) where parameter.variable.gradient == nil {
            view(of: gradients, range).fill(0)
        }
    }

    /// ‖∇‖₂ over all parameters.
    public var gradientNorm: Double { squaredNorm(gradients).squareRoot() }

    /// ‖x‖² of a flat tensor, summed in double.
    public func squaredNorm(_ flat: Tensor) -> Double { dot(flat, flat) }

    /// ⟨a, b⟩ of two flat tensors, summed in double.
    public func dot(_ a: Tensor, _ b: Tensor) -> Double { dk_dot(a.pointer, b.pointer, count) }

    /// sum += scale·gradient², elementwise.
    public func addSquaredGradients(to sum: Tensor, scale: Float) {
        dk_multiply(scale, gradients.pointer, gradients.pointer, count, sum.pointer, 1)
    }

    /// Differentiates what follows along `direction` (flat, of `count`): gradients of gradients are then written to
    /// `products`, which thereby becomes the Hessian–vector product.
    public func setTangents(_ direction: Tensor, products: Tensor) {
        for (index, parameter) in parameters.enumerated() {
            parameter.variable.tangent = slice(direction, index)
            parameter.variable.setGradientTangentSlot(slice(products, index))
        }
    }

    public func clearTangents() {
        for parameter in parameters {
            parameter.variable.tangent = nil
            parameter.variable.setGradientTangentSlot(nil)
        }
    }
}
