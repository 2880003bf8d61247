/// What can be wrong with a sampler's settings, or with the buffers of one step.
public enum SamplerError: Error, Equatable, CustomStringConvertible {
    /// η outside 0 … 1.
    case eta(got: Double)
    /// η given to a sampler that has none.
    case etaWithoutUse(got: Double)
    /// The timestep holds no signal (ᾱ = 0), so the step from it, or to it, divides by zero.
    case noSignal(timestep: Int, reason: String)
    /// A step beyond the end of the list.
    case stepIndex(got: Int, count: Int)
    /// A buffer that this step cannot do without.
    case missing(buffer: String, stepIndex: Int)
    /// The model's prediction has values that are not finite.
    case notFinite(timestep: Int)
    /// Images of no elements, or buffers of different lengths.
    case elementCount(buffer: String, got: Int, expected: String)

    public var description: String {
        switch self {
        case .eta(let got):
            "eta is \(got), expected 0 (deterministic) to 1"
        case .etaWithoutUse(let got):
            "eta is \(got), expected none with the ddpm sampler (ddim has one)"
        case .noSignal(let timestep, let reason):
            "timestep \(timestep) holds no signal (the cumulative alpha is 0), and \(reason)"
        case .stepIndex(let got, let count):
            "sampling step \(got), expected 0 to \(count - 1)"
        case .missing(let buffer, let stepIndex):
            "sampling step \(stepIndex) needs \(buffer), got none"
        case .notFinite(let timestep):
            "the model's prediction at timestep \(timestep) is not finite: the weights are broken, "
                + "or the model is undefined there"
        case .elementCount(let buffer, let got, let expected):
            "\(buffer) has \(got) elements, expected \(expected)"
        }
    }
}
