/// The named architectures of image classifiers, in the forms that papers train on CIFAR: 3×3 stems of stride 1, no
/// pooling before the first stage, one linear layer at the end.
public struct ClassifierArchitecture: Sendable, Equatable {
    /// What its stages are made of.
    public enum Block: String, Sendable {
        /// Two 3×3 convolutions around a residual sum (He et al., 2015).
        case basic
        /// 1×1, 3×3 and 1×1 convolutions around a residual sum, the last four times as wide.
        case bottleneck
        /// One 3×3 convolution; stages end in 2×2 maxima (Simonyan & Zisserman, 2014).
        case plain
    }

    public let name: String
    public let block: Block
    /// Blocks of each stage.
    public let depths: [Int]
    /// Channels of each stage's 3×3 convolutions.
    public let widths: [Int]

    /// ResNet-20 and its kin have three stages of n basic blocks, n = (depth − 2)/6.
    public static let all: [ClassifierArchitecture] =
        [20, 32, 44, 56, 110].map { depth in
            ClassifierArchitecture(
                name: "resnet\(depth)", block: .basic, depths: Array(repeating: (depth - 2) / 6, count: 3),
                widths: [16, 32, 64])
        }
        + [
            residual("resnet18", .basic, [2, 2, 2, 2]), residual("resnet34", .basic, [3, 4, 6, 3]),
            residual("resnet50", .bottleneck, [3, 4, 6, 3]), residual("resnet101", .bottleneck, [3, 4, 23, 3]),
            residual("resnet152", .bottleneck, [3, 8, 36, 3]),
            plain("vgg11", [1, 1, 2, 2, 2]), plain("vgg13", [2, 2, 2, 2, 2]), plain("vgg16", [2, 2, 3, 3, 3]),
            plain("vgg19", [2, 2, 4, 4, 4]),
        ]

    private static func residual(_ name: String, _ block: Block, _ depths: [Int]) -> ClassifierArchitecture {
        ClassifierArchitecture(name: name, block: block, depths: depths, widths: [64, 128, 256, 512])
    }

    private static func plain(_ name: String, _ depths: [Int]) -> ClassifierArchitecture {
        ClassifierArchitecture(name: name, block: .plain, depths: depths, widths: [64, 128, 256, 512, 512])
    }

    /// nil for a name that none has.
    public static func named(_ name: String) -> ClassifierArchitecture? { all.first { $0.name == name } }
}
