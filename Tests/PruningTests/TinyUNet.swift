import Models
import Pruning
import TensorCore
import Testing

/// A small U-Net of one kind, with random weights and something to feed it.
struct TinyUNet: CustomTestStringConvertible, Sendable {
    let name: String
    let configuration: UNetConfiguration

    private init(_ name: String, _ change: (inout UNetConfiguration) -> Void) {
        self.name = name
        var configuration = UNetConfiguration()
        configuration.sampleSize = [8, 8]
        configuration.inChannels = 2
        configuration.outChannels = 2
        configuration.blockOutChannels = [8, 8]
        configuration.normNumGroups = 2
        configuration.attentionHeadDim = 4
        configuration.layersPerBlock = 1
        configuration.downBlockTypes = ["DownBlock2D", "AttnDownBlock2D"]
        configuration.upBlockTypes = ["AttnUpBlock2D", "UpBlock2D"]
        change(&configuration)
        self.configuration = configuration
    }

    var testDescription: String { name }

    /// One of every way in which axes meet.
    static let all: [TinyUNet] = [
        TinyUNet("attention heads") { _ in },
        TinyUNet("one head, its width not the level's") { $0.attentionHeadDim = 5 },
        TinyUNet("scale and shift") {
            $0.resnetTimeScaleShift = .scaleShift
            $0.midBlockScaleFactor = 1.4
        },
        TinyUNet("class table") {
            $0.numClassEmbeds = 10
            $0.activation = .gelu
        },
        TinyUNet("class by timestep") {
            $0.classEmbedType = .timestep
            $0.activation = .mish
        },
        TinyUNet("class vectors") {
            $0.classEmbedType = .identity
            $0.activation = .relu
        },
        TinyUNet("resampling by ResNet blocks") {
            $0.downBlockTypes = ["AttnDownBlock2D", "ResnetDownsampleBlock2D"]
            $0.upBlockTypes = ["ResnetUpsampleBlock2D", "AttnUpBlock2D"]
            $0.downsampleType = .resnet
            $0.upsampleType = .resnet
        },
        TinyUNet("normalisation groups that straddle a concatenation") {
            $0.blockOutChannels = [8, 12]
            $0.normNumGroups = 4
            $0.layersPerBlock = 2
        },
        TinyUNet("Fourier times, no middle") {
            $0.timeEmbeddingType = .fourier
            $0.midBlockType = nil
            $0.downsamplePadding = 0
        },
        TinyUNet("learned times, no attention in the middle") {
            $0.timeEmbeddingType = .learned
            $0.numTrainTimesteps = 100
            $0.addAttention = false
            $0.centerInputSample = true
        },
        TinyUNet("three shrinking levels") {
            $0.blockOutChannels = [12, 8, 4]
            $0.timeEmbeddingDim = 10
            $0.downBlockTypes = ["DownBlock2D", "AttnDownBlock2D", "DownBlock2D"]
            $0.upBlockTypes = ["UpBlock2D", "AttnUpBlock2D", "UpBlock2D"]
        },
        TinyUNet("one level") {
            $0.blockOutChannels = [8]
            $0.downBlockTypes = ["DownBlock2D"]
            $0.upBlockTypes = ["UpBlock2D"]
            $0.attentionHeadDim = nil
        },
        TinyUNet("an image pyramid") {
            ($0.inChannels, $0.outChannels) = (3, 3)
            $0.blockOutChannels = [8, 12]
            $0.normNumGroups = nil
            $0.timeEmbeddingType = .fourier
            $0.downBlockTypes = ["SkipDownBlock2D", "SkipDownBlock2D"]
            $0.upBlockTypes = ["SkipUpBlock2D", "SkipUpBlock2D"]
        },
        TinyUNet("an image pyramid with attention") {
            ($0.inChannels, $0.outChannels) = (3, 3)
            $0.blockOutChannels = [32, 32]
            $0.midBlockType = nil
            $0.timeEmbeddingDim = 8
            $0.attentionHeadDim = 16
            $0.downBlockTypes = ["AttnSkipDownBlock2D", "SkipDownBlock2D"]
            $0.upBlockTypes = ["SkipUpBlock2D", "AttnSkipUpBlock2D"]
        },
    ]

    static func named(_ name: String) throws -> TinyUNet { try #require(all.first { $0.name == name }) }

    /// Norm scales and offsets are random too: an offset revives a channel that is zeroed instead of removed.
    func model(seed: UInt64 = 1) throws -> UNet {
        let model = try UNet(configuration)
        model.initialize(seed: seed)
        for (index, parameter) in model.parameters.enumerated() where parameter.name.contains("norm") {
            var stream = RandomStream(seed: seed, purpose: "test-norms", index: UInt64(index))
            for element in 0..<parameter.count { parameter.variable.value.pointer[element] += 0.4 * stream.normal() }
        }
        return model
    }

    let timesteps: [Float] = [3, 42]

    var sample: Tensor {
        let sample = Tensor(uninitialized: [2, 8, 8, configuration.inChannels])
        var stream = RandomStream(seed: 2, purpose: .initialNoise)
        stream.fillNormal(sample.unsafeBuffer)
        return sample
    }

    var labels: ClassLabels? {
        if configuration.classEmbedType == .identity {
            let vectors = Tensor(uninitialized: [2, configuration.timeWidth])
            var stream = RandomStream(seed: 3, purpose: .initialNoise)
            stream.fillNormal(vectors.unsafeBuffer)
            return .vectors(vectors)
        }
        return configuration.classEmbedType == .timestep || configuration.numClassEmbeds != nil
            ? .numbers([7, 1]) : nil
    }

    func output(of model: UNet) -> [Float] {
        Autograd.withoutRecording { model(Variable(sample), timesteps: timesteps, classLabels: labels).value.array }
    }

    func loss(of model: UNet) -> Variable {
        model(Variable(sample), timesteps: timesteps, classLabels: labels).meanSquaredError(to: sample)
    }
}

extension Masks {
    /// Keeps each channel with probability `keeping`, and always one of each site.
    static func random(_ space: PruningSpace, keeping: Double = 0.5, seed: UInt64) -> Masks {
        var masks = Masks(space)
        for (index, range) in space.ranges.enumerated() {
            var stream = RandomStream(seed: seed, purpose: "mask", index: UInt64(index))
            for coordinate in range where stream.uniform() >= keeping { masks.values[coordinate] = 0 }
            masks.values[range.lowerBound + stream.nextInteger(below: range.count)] = 1
        }
        return masks
    }

    /// Channels left, by axis name, in original numbers.
    var kept: [String: [Int]] {
        var kept: [String: [Int]] = [:]
        for (group, mask) in zip(space.groups, bySite) {
            kept[group.name] = mask.indices.filter { mask[$0] == 1 }.map { group.axis.kept[$0] }
        }
        return kept
    }
}

extension Scores {
    /// Uniform in [0, 1).
    static func random(_ space: PruningSpace, seed: UInt64 = 1) -> Scores {
        Scores(
            space,
            bySite: space.widths.enumerated().map { index, width in
                var stream = RandomStream(seed: seed, purpose: .importance, index: UInt64(index))
                return (0..<width).map { _ in stream.uniform() }
            })
    }
}

/// max |a − b| / max |a|
func relativeDifference(_ a: [Float], _ b: [Float]) -> Float {
    guard a.count == b.count else { return .infinity }
    let scale = a.reduce(0) { max($0, abs($1)) }
    let difference = zip(a, b).reduce(Float(0)) {
        $1.0.isFinite && $1.1.isFinite ? max($0, abs($1.0 - $1.1)) : .infinity
    }
    return difference / max(scale, 1e-20)
}
