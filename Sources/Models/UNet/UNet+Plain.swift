import Layers
import TensorCore

/// A U-Net that was pruned level by level as diffusers knows it.
extension UNet {
    /// The `UNet2DModel` of the widths that the levels have, with the weights of this network.
    ///
    /// It computes what this network does but for two things. Normalisations over a stream and a skip have equal groups
    /// again, which are others where the two kept different shares of their channels. And where the first width has
    /// become smaller so has the time embedding, which is fitted anew (`TimeNarrowing`).
    ///
    /// - Throws: `UNetLevelError` where axes of a level differ in width; `LinearAlgebraError`.
    public func plain(like earlier: PlainForm<UNet>?) throws -> PlainForm<UNet> {
        var configuration = configuration
        configuration.blockOutChannels = try levelWidths()
        let network = like(try UNet(configuration, size: size))
        let time = try TimeNarrowing(from: self, to: network, like: earlier?.positions)
        var former: [String: Parameter] = [:]
        for parameter in parameters { former[parameter.name] = parameter }
        var positions = time.positions
        for parameter in network.parameters where positions[parameter.name] == nil {
            guard let old = former[parameter.name], old.variable.shape == parameter.variable.shape else {
                preconditionFailure("'\(parameter.name)' is not as its level's width says")
            }
            parameter.variable.value.assign(old.variable.value)
            positions[parameter.name] = old.variable.shape.map { Array(0..<$0) }
        }
        for (old, new) in zip(attentions, network.attentions) { new.rescaleQueries(from: old) }
        return PlainForm(network: network, positions: positions)
    }
}

extension SelfAttention {
    /// Makes logits what they were in `former`, which divides them by the root of another head width.
    fileprivate func rescaleQueries(from former: SelfAttention) {
        let factor = former.heads.scale / heads.scale
        guard factor != 1 else { return }
        for parameter in toQuery.parameters {
            for index in 0..<parameter.count { parameter.variable.value.pointer[index] *= factor }
        }
    }
}
