import TensorCore

/// Batch normalisation over a channel axis (PyTorch's `BatchNorm2d`).
///
/// Each channel is normalised by its own moments, so what another channel's gate or removal does changes nothing here.
/// Gates of the axis multiply what comes out, and nothing before it: a channel whose gate is zero is zero whatever its
/// β, its running moments stay those of its own input, and a gate between 0 and 1 scales the channel.
///
/// Moments are the running ones, or within `BatchStatistics.taken` those of the batch.
public struct BatchNorm: ChannelNormalization {
    public let gamma: Parameter
    public let beta: Parameter
    /// Running moments, constants as far as derivatives go; the variance is the unbiased one.
    public let runningMean: Parameter
    public let runningVariance: Parameter
    public let axis: ChannelAxis
    public let epsilon: Float
    public let name: String

    public var groupCount: Int { 1 }

    /// - Parameters:
    ///   - name: in files.
    ///   - axis: what is normalised.
    ///   - epsilon: added to variances.
    public init(_ name: String, axis: ChannelAxis, epsilon: Float = 1e-5) {
        self.name = name
        self.axis = axis
        self.epsilon = epsilon
        func vector(_ suffix: String, _ start: ParameterInitialization, isStatistic: Bool = false) -> Parameter {
            Parameter(
                name + suffix, layout: .plain, axes: [axis], shape: [axis.width], initialization: start,
                isStatistic: isStatistic)
        }
        gamma = vector(".weight", .ones)
        beta = vector(".bias", .zeros)
        runningMean = vector(".running_mean", .zeros, isStatistic: true)
        runningVariance = vector(".running_var", .ones, isStatistic: true)
    }

    public var parameters: [Parameter] { [gamma, beta, runningMean, runningVariance] }

    /// `[B, …, axis]` → the same shape: normalised, then `activation`, then the gates.
    public func callAsFunction(_ x: Variable, activation: Activation = .identity) -> Variable {
        LayerOperation.run(name, .batchNorm, of: [x], parameters: [gamma, beta]) {
            // Gates have been multiplied where the channels were made.
            if SynapticPass.isOn { return x.ofMeanOne().gated(by: gamma.effective) }
            guard let momentum = BatchStatistics.momentum else {
                return x.batchNormalized(
                    gamma: gamma.effective, beta: beta.effective, epsilon: epsilon, activation: activation,
                    gate: axis.gate, moments: (runningMean.variable.value, runningVariance.variable.value))
            }
            let samples = x.value.count / max(axis.width, 1)
            return x.batchNormalized(
                gamma: gamma.effective, beta: beta.effective, epsilon: epsilon, activation: activation,
                gate: axis.gate
            ) { note(mean: $0, variance: $1, of: samples, momentum: momentum) }
        }
    }

    /// What the layer makes of zeros, on top of `residual`, `[B, …, axis]`: of a block that has lost its channels.
    public func ofZeros(onto residual: Variable) -> Variable {
        LayerOperation.run(name, .elementwise, of: [residual], parameters: [gamma, beta]) {
            guard !SynapticPass.isOn else { return residual }
            let zero = Variable(Tensor(zeros: [1, axis.width]))
            var moments = (runningMean.variable.value, runningVariance.variable.value)
            if let momentum = BatchStatistics.momentum {
                moments = (Tensor(zeros: [axis.width]), Tensor(zeros: [axis.width]))
                let samples = residual.value.count / max(axis.width, 1)
                note(mean: moments.0, variance: moments.1, of: samples, momentum: momentum)
            }
            let constant = zero.batchNormalized(
                gamma: gamma.effective, beta: beta.effective, epsilon: epsilon, activation: .identity, gate: axis.gate,
                moments: moments)
            return residual + constant.reshaped([axis.width]).broadcast(to: residual.shape)
        }
    }

    /// Moves the running moments towards those of a batch.
    private func note(mean: Tensor, variance: Tensor, of samples: Int, momentum: Double) {
        let unbiased = samples > 1 ? Double(samples) / Double(samples - 1) : 1
        for (running, batch, factor) in [(runningMean, mean, 1), (runningVariance, variance, unbiased)] {
            let values = running.variable.value.unsafeBuffer
            withExtendedLifetime(batch) {
                for channel in values.indices {
                    let old = Double(values[channel])
                    values[channel] = Float(old + momentum * (factor * Double(batch.pointer[channel]) - old))
                }
            }
        }
    }
}
