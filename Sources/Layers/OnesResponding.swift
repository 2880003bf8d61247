import TensorCore

/// A network that can be asked what it makes of ones, all that synaptic flow needs to know: no data.
public protocol OnesResponding: ChannelNetwork {
    /// The outputs for one sample all of whose inputs are ones: numbers, embedded timesteps and classes. It is asked
    /// for in a `SynapticPass`.
    func responseToOnes() -> Variable
}
