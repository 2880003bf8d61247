import Foundation

extension BetaSchedule {
    /// One β a training timestep, in `Float` where diffusers works in float32.
    ///
    /// Agrees with diffusers within 1e-7 (its vectorised `linspace` may round the last bit the other way).
    func betas(from start: Double, to end: Double, count: Int) -> [Float] {
        switch self {
        case .linear:
            return Self.evenly(from: Float(start), to: Float(end), count: count)
        case .scaledLinear:
            let roots = Self.evenly(from: Float(start.squareRoot()), to: Float(end.squareRoot()), count: count)
            return roots.map { $0 * $0 }
        case .sigmoid:
            return Self.evenly(from: -6, to: 6, count: count).map { logit in
                Float(1 / (1 + exp(-Double(logit)))) * Float(end - start) + Float(start)
            }
        case .squaredCosine:
            return Self.betas(count: count) { time in
                let cosine = cos((time + 0.008) / 1.008 * .pi / 2)
                return cosine * cosine
            }
        case .laplace:
            return Self.betas(count: count) { time in
                let side = time <= 0.5 ? 1.0 : -1.0
                let ratio = exp(-0.5 * side * log(1 - 2 * abs(0.5 - time) + 1e-6))
                return (ratio / (1 + ratio)).squareRoot()
            }
        }
    }

    /// β_i = min(1 − ᾱ((i+1)/T)/ᾱ(i/T), .999) of a function ᾱ over 0 … 1.
    private static func betas(count: Int, alphaBar: (Double) -> Double) -> [Float] {
        (0..<count).map { step in
            let now = alphaBar(Double(step) / Double(count))
            let next = alphaBar(Double(step + 1) / Double(count))
            return Float(min(1 - next / now, 0.999))
        }
    }

    /// torch.linspace: counted from the nearer end.
    private static func evenly(from start: Float, to end: Float, count: Int) -> [Float] {
        guard count > 1 else { return [start] }
        let step = (end - start) / Float(count - 1)
        return (0..<count).map { index in
            index < count / 2 ? start + step * Float(index) : end - step * Float(count - 1 - index)
        }
    }
}

extension NoiseSchedule {
    /// ᾱ_t = Π(1 − β), accumulated in double and rounded to `Float` at each entry, as torch.cumprod does.
    static func cumulativeAlphas(_ betas: [Float]) -> [Float] {
        var product = 1.0
        return betas.map { beta in
            product *= Double(1 - beta)
            return Float(product)
        }
    }

    /// Shifts and scales √ᾱ so that the last timestep has no signal and the first keeps what it had.
    ///
    /// Based on: Lin et al., "Common diffusion noise schedules and sample steps are flawed", 2023, algorithm 1.
    static func rescaledToZeroTerminalSNR(_ betas: [Float]) -> [Float] {
        let roots = cumulativeAlphas(betas).map { $0.squareRoot() }
        guard let first = roots.first, let last = roots.last else { return betas }
        let alphaBars = roots.map { root in
            let moved = (root - last) * (first / (first - last))
            return moved * moved
        }
        return alphaBars.indices.map { step in
            1 - (step == 0 ? alphaBars[0] : alphaBars[step] / alphaBars[step - 1])
        }
    }
}
