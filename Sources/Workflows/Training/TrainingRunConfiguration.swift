import Configuration
import Datasets
import Diffusion
import Files
import Foundation
import ModelFolders
import Models

/// Everything that defines a training run of a denoising model.
public struct TrainingRunConfiguration: TrainingPlan {
    public var model: UNetConfiguration
    public var scheduler: SchedulerConfiguration
    public var data: DataConfiguration
    public var training: DenoisingTrainingConfiguration

    static let sections = ["model", "scheduler", "data", "training"]
    private static let modelClass = "UNet2DModel"
    /// What diffusers writes into every `config.json` beside the model's own keys.
    private static let signature = ["_class_name", "_diffusers_version", "_name_or_path"]

    /// Reads the sections `model` and `scheduler` (diffusers' keys), `data` and `training`.
    public init(file: URL, overrides: [String] = []) throws {
        let document = try ConfigurationDocument(
            file: file, overrides: overrides, sections: Self.sections,
            defaults: [
                "model": JSONValue(encoding: UNetConfiguration()),
                "scheduler": JSONValue(encoding: SchedulerConfiguration()),
                "data": JSONValue(snakeCasing: DataConfiguration()),
                "training": JSONValue(snakeCasing: DenoisingTrainingConfiguration()),
            ])
        if let name = try document.text("model", "_class_name"), name != Self.modelClass {
            throw SettingError(key: "model._class_name", got: "'\(name)'", expected: Self.modelClass)
        }
        model = try document.verbatimSection(
            "model", defaults: UNetConfiguration(), ignoring: Self.signature
        ) { try $0.validate() }
        let named = try document.text("scheduler", "_class_name").flatMap(SchedulerClass.init)
        scheduler = try document.verbatimSection("scheduler", defaults: SchedulerConfiguration(of: named ?? .ddpm))
        data = try document.section("data")
        training = try document.section("training")
    }

    public func makeModel() throws -> Pipeline { Pipeline(model: try UNet(model), scheduler: scheduler) }

    /// Every section with all its keys.
    public var values: JSONValue {
        get throws {
            [
                "model": try JSONValue(encoding: model), "scheduler": try JSONValue(encoding: scheduler),
                "data": try JSONValue(snakeCasing: data), "training": try JSONValue(snakeCasing: training),
            ]
        }
    }
}
