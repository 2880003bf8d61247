import Layers
import Pruning

/// Gates and reparameterisations that are on a network for as long as masks are learned.
final class Attachments {
    /// On an axis, or on a weight.
    enum Attachment {
        case gates(any Gating, on: ChannelGroup)
        case reparameterization(any Reparameterization, of: Parameter)

        /// What masks a site, whatever that is.
        init(_ mask: any Gating & Reparameterization, to site: PruningSpace.Site) {
            switch site {
            case .axis(let group): self = .gates(mask, on: group.axis)
            case .weight(let parameter, _): self = .reparameterization(mask, of: parameter)
            }
        }
    }

    private let all: [Attachment]
    /// False once they are off.
    private(set) var isOn = true

    /// Puts them on the network, in the place of what is there.
    init(_ all: [Attachment]) {
        self.all = all
        for each in all {
            switch each {
            case .gates(let gates, let axis): axis.gating = gates
            case .reparameterization(let own, let parameter): parameter.reparameterization = own
            }
        }
    }

    /// Takes off those whose place nothing else has taken.
    func detach() {
        isOn = false
        for each in all {
            switch each {
            case .gates(let gates, let axis): if axis.gating === gates { axis.gating = nil }
            case .reparameterization(let own, let parameter):
                if parameter.reparameterization === own { parameter.reparameterization = nil }
            }
        }
    }
}
