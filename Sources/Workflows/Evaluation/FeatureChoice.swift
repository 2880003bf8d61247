import Evaluation
import Foundation
import ModelFolders
import Models

/// The feature net that pictures are judged in, or why there is none.
enum FeatureChoice {
    case net(FeatureClassifier)
    case none(reason: String)

    /// The net that the settings name; else the bundled one, where it is found and takes such pictures.
    ///
    /// - Throws: `EvaluationError.featureNet` where the net named takes other pictures; what loading it throws.
    init(_ settings: EvaluationSettings, for model: UNet) throws {
        guard !settings.data.path.isEmpty else {
            self = .none(reason: "no data set was given")
            return
        }
        let (height, width, channels) = (model.size[0], model.size[1], model.configuration.inChannels)
        if let url = settings.features {
            let net = try FeatureClassifierFolder(url).load().model
            guard net.accepts(height: height, width: width, channels: channels) else {
                let takes = net.configuration
                throw EvaluationError.featureNet(
                    path: url.path, got: "\(takes.inputSize)×\(takes.inputSize)×\(takes.channels)",
                    expected: "\(height)×\(width)×\(channels)")
            }
            self = .net(net)
            return
        }
        guard let url = try? BundledSamples().features, FileManager.default.fileExists(atPath: url.path) else {
            self = .none(reason: "no feature net was given and the bundled one was not found")
            return
        }
        let net = try FeatureClassifierFolder(url).load().model
        let fits = net.accepts(height: height, width: width, channels: channels)
        self =
            fits
            ? .net(net)
            : .none(reason: "the bundled feature net does not take pictures of \(height)×\(width)×\(channels)")
    }
}
