import Foundation
import Layers
import TensorCore

/// Turns timesteps into the vectors that the time embedding's first linear layer reads: diffusers' `time_proj`.
package struct TimeProjection {
    package enum Kind {
        case positional(width: Int, shift: Float, flip: Bool)
        case fourier(Parameter)
        case learned(Embedding)
    }
    package let kind: Kind
    let axis: ChannelAxis

    init(_ configuration: UNetConfiguration) {
        let width = configuration.blockOutChannels[0]
        switch configuration.timeEmbeddingType {
        case .positional:
            axis = .fixed("time_proj", width: width)
            kind = .positional(width: width, shift: Float(configuration.freqShift), flip: configuration.flipSinToCos)
        case .fourier:
            axis = .fixed("time_proj", width: 2 * width)
            kind = .fourier(
                Parameter(
                    "time_proj.weight", layout: .plain, axes: [nil], shape: [width],
                    initialization: .normal(standardDeviation: 16), isTrainable: false))
        case .learned:
            axis = .fixed("time_proj", width: width)
            kind = .learned(Embedding("time_proj", count: configuration.numTrainTimesteps ?? 1, to: axis))
        }
    }

    var parameters: [Parameter] {
        switch kind {
        case .positional: []
        case .fourier(let frequencies): [frequencies]
        case .learned(let table): table.parameters
        }
    }

    /// What can be projected.
    var domain: TimeDomain {
        switch kind {
        case .positional: .finite
        case .fourier: .positive
        case .learned(let table): .wholeNumbers(below: table.count)
        }
    }

    /// `[timesteps.count, axis]`, in float32 like diffusers: f_i = exp(−ln 10000·i/(half − shift)), [sin, cos] or,
    /// flipped, [cos, sin]; Fourier: [sin, cos] of 2π·w·ln t. Ones in a `SynapticPass`.
    func callAsFunction(_ timesteps: [Float]) -> Variable {
        if case .learned(let table) = kind { return table(timesteps.map { Int($0) }) }
        return LayerOperation.run("time_proj", .embedding, of: [], inputShape: [timesteps.count]) {
            SynapticPass.isOn ? Variable(Tensor(ones: [timesteps.count, axis.width])) : computed(timesteps)
        }
    }

    /// Of a positional embedding; empty otherwise.
    package var frequencies: [Float] {
        guard case .positional(let width, let shift, _) = kind else { return [] }
        let half = width / 2
        return (0..<half).map { exp(-Float(log(10000.0)) * Float($0) / (Float(half) - shift)) }
    }

    private func computed(_ timesteps: [Float]) -> Variable {
        let frequencies = frequencies
        var values: [Float] = []
        values.reserveCapacity(timesteps.count * axis.width)
        for timestep in timesteps {
            switch kind {
            case .positional(let width, _, let flip):
                let angles = frequencies.map { timestep * $0 }
                let (sines, cosines) = (angles.map { sin($0) }, angles.map { cos($0) })
                values += flip ? cosines + sines : sines + cosines
                if width % 2 == 1 { values.append(0) }
            case .fourier(let weights):
                let angles = weights.variable.value.array.map { log(timestep) * $0 * 2 * Float.pi }
                values += angles.map { sin($0) } + angles.map { cos($0) }
            case .learned:
                break
            }
        }
        return Variable(Tensor(values, shape: [timesteps.count, axis.width]))
    }
}

/// Two linear layers with SiLU between (diffusers' `TimestepEmbedding`).
package struct TimestepEmbedding {
    package let first: Linear
    package let second: Linear

    init(_ name: String, from: ChannelAxis, to: ChannelAxis, builder: ChannelAxisBuilder) throws {
        let hidden = try builder.axis(name + ".hidden", width: to.originalWidth)
        first = Linear(name + ".linear_1", from: from, to: hidden)
        second = Linear(name + ".linear_2", from: hidden, to: to)
    }

    var parameters: [Parameter] { first.parameters + second.parameters }
    var computeTerms: [ComputeTerm] { [first.computeTerm(rows: 1), second.computeTerm(rows: 1)] }

    func callAsFunction(_ x: Variable) -> Variable {
        let hidden = first(x)
        return second(
            LayerOperation.run(first.name + ".activation", .elementwise, of: [hidden]) {
                hidden.activated(.silu)
            })
    }
}
