import CKernels

/// Non-linearities of networks; `gelu` is the exact one (by the error function), `mish` is x·tanh(softplus x).
public enum Activation: String, Sendable, Codable, CaseIterable {
    case identity, silu, gelu, relu, mish

    var kernel: dk_activation {
        switch self {
        case .identity: DK_IDENTITY
        case .silu: DK_SILU
        case .gelu: DK_GELU
        case .relu: DK_RELU
        case .mish: DK_MISH
        }
    }
}
