import TensorCore

extension Variable {
    /// What a layer made of `inputs`, divided by a constant so that its mean is theirs: in a `SynapticPass` no layer
    /// makes what flows through it larger or smaller.
    ///
    /// Where paths follow on one another that is a common factor of all. Where they meet, at a residual or a
    /// concatenation, the longer one would otherwise be the larger by many powers of ten, since without signs nothing
    /// cancels.
    func carrying(_ inputs: [Variable]) -> Variable {
        let (sum, count) = inputs.reduce((0.0, 0)) { ($0.0 + $1.sumOfValues, $0.1 + $1.value.count) }
        return scaled(from: sumOfValues / Double(max(value.count, 1)), to: sum / Double(max(count, 1)))
    }

    /// Divided by a constant so that its mean is one: what normalisation is in a `SynapticPass`.
    func ofMeanOne() -> Variable { scaled(from: sumOfValues / Double(max(value.count, 1)), to: 1) }

    /// As it is where nothing flows.
    private func scaled(from mean: Double, to wanted: Double) -> Variable {
        mean > 0 && wanted > 0 ? scaled(by: Float(wanted / mean)) : self
    }

    private var sumOfValues: Double {
        Autograd.withoutRecording { Double(detached.summed(over: .all).value.scalar) }
    }

    /// One image's `[1, C]` at every place of a tensor `[1, …, C]`.
    func everywhere(in shape: [Int]) -> Variable {
        precondition(self.shape[0] == 1 && shape[0] == 1, "ones are one sample")
        return reshaped([self.shape[1]]).broadcast(to: shape)
    }
}
