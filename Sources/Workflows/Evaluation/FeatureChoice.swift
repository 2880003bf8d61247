import Evaluation
import Foundation
import ModelFolders
import Models

/// The feature net that pictures are judged in, or why there is none and what can be done about it.
enum FeatureChoice {
    case net(FeatureClassifier)
    case none(reason: String, remedy: String?)

    /// The net that the settings name; else the first bundled one that takes such pictures.
    ///
    /// - Throws: `EvaluationError.featureNet` where the net named takes other pictures; what loading it throws.
    init(_ settings: EvaluationSettings, for model: UNet) throws {
        guard !settings.data.path.isEmpty else {
            self = .none(
                reason: "no data set was given",
                remedy: "--data FOLDER names real images to measure the distance to")
            return
        }
        let pictures = PictureShape(of: model)
        if let url = settings.features {
            let net = try FeatureClassifierFolder(url).load().model
            guard pictures.fit(net) else {
                throw EvaluationError.featureNet(
                    path: url.path, got: "\(PictureShape(takenBy: net))", expected: "\(pictures)")
            }
            self = .net(net)
            return
        }
        let samples = try? BundledSamples()
        let bundled = try samples.map { try BundledFeatures($0, for: model) }
        if let net = bundled?.fitting?.net {
            self = .net(net)
            return
        }
        let taken = bundled?.shapes.map(\.description) ?? []
        self = .none(
            reason: taken.isEmpty
                ? "no feature net was given and no bundled one was found"
                : "the bundled feature \(taken.count == 1 ? "net takes" : "nets take") pictures of "
                    + "\(taken.joined(separator: " or ")), not \(pictures)",
            remedy: Self.remedy(data: settings.data.path, pictures))
    }

    /// How to get a distance all the same.
    private static func remedy(data: String, _ pictures: PictureShape) -> String {
        let other =
            "--save-images and pytorch-fid on images/dense and images/pruned (docs/DATA.md, \"A Fréchet distance of "
            + "one's own\")"
        guard let keys = pictures.trainingKeys else { return "use \(other)" }
        return
            "with labelled pictures, train a net by diffprune train-features --data \(data) --output my-features --set "
            + "\(keys), then add --features my-features; or use \(other)"
    }
}

/// The bundled feature nets, and the one for a model's pictures.
struct BundledFeatures {
    /// The first that takes the pictures.
    let fitting: (url: URL, net: FeatureClassifier)?
    /// What those that are there take.
    let shapes: [PictureShape]

    init(_ samples: BundledSamples, for model: UNet) throws {
        let nets = try samples.featureNets.filter { FileManager.default.fileExists(atPath: $0.path) }.map {
            (url: $0, net: try FeatureClassifierFolder($0).load().model)
        }
        let pictures = PictureShape(of: model)
        fitting = nets.first { pictures.fit($0.net) }
        shapes = nets.map { PictureShape(takenBy: $0.net) }
    }
}

/// Height × width × channels.
struct PictureShape: CustomStringConvertible {
    let height: Int
    let width: Int
    let channels: Int

    init(of model: UNet) {
        (height, width, channels) = (model.size[0], model.size[1], model.configuration.inChannels)
    }

    init(takenBy net: FeatureClassifier) {
        (height, width, channels) = (
            net.configuration.inputSize, net.configuration.inputSize, net.configuration.channels
        )
    }

    var description: String { "\(height)×\(width)×\(channels)" }

    func fit(_ net: FeatureClassifier) -> Bool { net.accepts(height: height, width: width, channels: channels) }

    /// The settings of `train-features` for such pictures; nil where no net takes them.
    var trainingKeys: String? {
        var settings = FeatureTrainingSettings()
        (settings.inputSize, settings.channels) = (height, channels)
        guard height == width, (try? settings.validate()) != nil else { return nil }
        return "features.input_size=\(height) features.channels=\(channels)"
    }
}
