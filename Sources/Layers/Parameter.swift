import TensorCore

/// How a parameter is laid out in the engine and in files (PyTorch's order).
public enum ParameterLayout: Sendable {
    /// `[kh, kw, in, out]` here, `[out, in, kh, kw]` in files.
    case convolution
    /// `[in, out]` here, `[out, in]` in files.
    case linear
    /// The same in both: vectors and embedding tables.
    case plain
}

/// What a parameter holds before training; PyTorch's defaults.
public enum ParameterInitialization: Sendable {
    /// Uniform in ±1/√fanIn: convolutions and linear layers with their biases.
    case uniform(fanIn: Int)
    case zeros, ones
    case normal(standardDeviation: Float)
}

/// A trainable tensor with its name in files and the channel axes its dimensions run over.
public final class Parameter {
    public let name: String
    public let variable: Variable
    public let layout: ParameterLayout
    /// One entry a dimension of the engine's layout; nil where the dimension is not a channel axis.
    public let axes: [ChannelAxis?]
    /// The removable axis with whose last channel the tensor leaves though it does not run over it; nil where there is
    /// none.
    public let branch: ChannelAxis?
    /// False for tensors that are saved with the model but never trained (random Fourier frequencies, statistics).
    public let isTrainable: Bool
    /// Whether training estimates it on its way, by no gradient: the running moments of a batch normalisation. It is
    /// none of the weights that a model is counted by.
    public let isStatistic: Bool
    let initialization: ParameterInitialization
    /// What stands between the stored values and those that layers compute with; nil where nothing does.
    public var reparameterization: (any Reparameterization)?

    /// - Parameters:
    ///   - name: in files.
    ///   - layout: here and in files.
    ///   - axes: one entry a dimension; nil where it is no channel axis.
    ///   - shape: of the engine's layout.
    ///   - initialization: what it holds before training.
    ///   - branch: of what a block computes before its inner axis, which is not needed without the block.
    ///   - isTrainable: false for tensors that are saved with the model but never trained.
    ///   - isStatistic: true for those that training estimates on its way; they are not trainable.
    public init(
        _ name: String, layout: ParameterLayout, axes: [ChannelAxis?], shape: [Int],
        initialization: ParameterInitialization, branch: ChannelAxis? = nil, isTrainable: Bool = true,
        isStatistic: Bool = false
    ) {
        self.name = name
        self.initialization = initialization
        self.layout = layout
        self.axes = axes
        self.branch = branch
        self.isTrainable = isTrainable && !isStatistic
        self.isStatistic = isStatistic
        let value = Self.areUnset ? Tensor(uninitialized: shape) : Tensor(zeros: shape)
        self.variable = Variable(value, requiresGradient: self.isTrainable)
    }

    @TaskLocal private static var areUnset = false

    /// Runs `body`, in which parameters are made without values: whoever makes them so gives them all theirs. Memory
    /// is taken as it is written to, so that a network of any size can be made to see whether what a file holds fits
    /// it.
    package static func unset<Result>(_ body: () throws -> Result) rethrows -> Result {
        try $areUnset.withValue(true, operation: body)
    }

    public var count: Int { variable.value.count }

    /// What layers compute with; the absolute value of that in a `SynapticPass`.
    public var effective: Variable { SynapticPass.isOn ? signed.applying(.absoluteValue) : signed }

    /// Of a parameter that layers add: what they compute with; nil in a `SynapticPass`, in which they add nothing.
    public var addend: Variable? { SynapticPass.isOn ? nil : signed }

    private var signed: Variable {
        guard let reparameterization else { return variable }
        return PreparedWeights.effective(variable) { reparameterization.materialize(variable) }
    }

    /// Whether single elements may be masked: the weights of convolutions and linear layers, not vectors and tables.
    public var isMaskable: Bool { isTrainable && layout != .plain }

    /// The shape in files.
    public var fileShape: [Int] {
        let shape = variable.shape
        return switch layout {
        case .convolution: [shape[3], shape[2], shape[0], shape[1]]
        case .linear: [shape[1], shape[0]]
        case .plain: shape
        }
    }

    /// The axes that the dimensions of the shape in files run over.
    public var fileAxes: [ChannelAxis?] {
        switch layout {
        case .convolution: [axes[3], axes[2], axes[0], axes[1]]
        case .linear: [axes[1], axes[0]]
        case .plain: axes
        }
    }

    /// `tensor`, of this parameter's shape, in the order of files.
    public func fileValues(of tensor: Tensor) -> [Float] {
        let shape = variable.shape
        return switch layout {
        case .convolution:
            Self.transposed(
                tensor, rows: shape[0] * shape[1] * shape[2], columns: shape[3], taps: shape[0] * shape[1])
        case .linear: Self.transposed(tensor, rows: shape[0], columns: shape[1], taps: 1)
        case .plain: tensor.array
        }
    }

    /// [taps][in][out] → [out][in][taps]
    private static func transposed(_ tensor: Tensor, rows: Int, columns: Int, taps: Int) -> [Float] {
        let inputs = rows / taps
        return [Float](unsafeUninitializedCapacity: tensor.count) { target, count in
            for output in 0..<columns {
                for input in 0..<inputs {
                    for tap in 0..<taps {
                        target[(output * inputs + input) * taps + tap] =
                            tensor.pointer[(tap * inputs + input) * columns + output]
                    }
                }
            }
            count = tensor.count
        }
    }

    /// Overwrites the values with `values`, given in the order of files.
    public func load(fileValues values: [Float]) {
        precondition(values.count == count, "\(values.count) values for \(name)")
        let target = variable.value.pointer
        let shape = variable.shape
        let (taps, inputs, outputs): (Int, Int, Int)
        switch layout {
        case .convolution: (taps, inputs, outputs) = (shape[0] * shape[1], shape[2], shape[3])
        case .linear: (taps, inputs, outputs) = (1, shape[0], shape[1])
        case .plain:
            values.withUnsafeBufferPointer { target.update(from: $0.baseAddress!, count: values.count) }
            return
        }
        values.withUnsafeBufferPointer { source in
            for output in 0..<outputs {
                for input in 0..<inputs {
                    for tap in 0..<taps {
                        target[(tap * inputs + input) * outputs + output] =
                            source[(output * inputs + input) * taps + tap]
                    }
                }
            }
        }
    }

    /// Fills in the initial values; `index` makes each parameter's random stream its own.
    public func initialize(seed: UInt64, index: UInt64) {
        var stream = RandomStream(seed: seed, purpose: .weightInitialization, index: index)
        let target = variable.value.unsafeBuffer
        switch initialization {
        case .zeros: variable.value.fill(0)
        case .ones: variable.value.fill(1)
        case .uniform(let fanIn):
            let bound = 1 / Float(max(fanIn, 1)).squareRoot()
            for i in target.indices { target[i] = (2 * Float(stream.uniform()) - 1) * bound }
        case .normal(let standardDeviation):
            stream.fillNormal(target)
            for i in target.indices { target[i] *= standardDeviation }
        }
    }
}
