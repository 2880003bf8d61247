import CKernels

/// Functions of one number, as learned masks and regularisers are made of.
/// Where a function has a corner its derivative is PyTorch's.
public enum Pointwise: Sendable, Hashable {
    /// σ(x) = 1/(1 + e⁻ˣ)
    case sigmoid
    /// eˣ
    case exponential
    /// ln x: −∞ at 0, NaN below
    case logarithm
    /// |x|, of derivative 0 at 0
    case absoluteValue
    /// √x: NaN below 0, of infinite derivative at 0
    case squareRoot
    /// 1/x
    case reciprocal
    /// −1, 0 or 1; its derivative is 0 everywhere
    case sign
    /// ln(1 + eˣ)
    case softplus
    /// min(max(x, low), high), of derivative 1 from low to high, both included, and 0 beyond
    case clamp(low: Float, high: Float)

    var kernel: dk_function {
        switch self {
        case .sigmoid: dk_function(kind: DK_SIGMOID, low: 0, high: 0)
        case .exponential: dk_function(kind: DK_EXP, low: 0, high: 0)
        case .logarithm: dk_function(kind: DK_LOG, low: 0, high: 0)
        case .absoluteValue: dk_function(kind: DK_ABS, low: 0, high: 0)
        case .squareRoot: dk_function(kind: DK_SQRT, low: 0, high: 0)
        case .reciprocal: dk_function(kind: DK_RECIPROCAL, low: 0, high: 0)
        case .sign: dk_function(kind: DK_SIGN, low: 0, high: 0)
        case .softplus: dk_function(kind: DK_SOFTPLUS, low: 0, high: 0)
        case .clamp(let low, let high): dk_function(kind: DK_CLAMP, low: low, high: high)
        }
    }
}
