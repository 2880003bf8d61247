import Files
import WeightFiles

/// What is wrong with a model folder.
public enum ModelFolderError: Error, CustomStringConvertible {
    case notAModel(path: String, reason: String)
    case unsupportedClass(path: String, got: String, expected: String)
    case configuration(path: String, reason: String)
    case missingTensor(path: String, name: String, more: Int)
    case extraTensor(path: String, name: String, more: Int)
    case wrongShape(path: String, name: String, got: [Int], expected: [Int])
    case tooFewWeights(path: String, got: Double, expected: Double)
    case notFinite(path: String, name: String)
    case negativeVariance(path: String, name: String)
    /// A classifier where a model that draws is needed.
    case noDenoiser(path: String, work: String)
    case duplicateGroup(path: String, name: String)
    /// Some tensors have names that begin so, others have not.
    case mixedNames(path: String, prefix: String, count: Int, total: Int)
    /// Fewer channels than the configuration says, and nothing that says which.
    case prunedWithoutRecord(path: String, evidence: String)
    case severalVariants(path: String, variants: [String])
    case noVariant(path: String, got: String, present: [String])
    /// A weight that the type it is to be stored as cannot hold.
    case overflow(path: String, name: String, value: Float, type: ElementType)
    /// A U-Net of latents.
    case notPixels(path: String, reason: String)
    case unknownPipeline(path: String, got: String, unet: String)
    case noSchedule(path: String, name: String, reason: String)
    case unfinishedRun(path: String, command: String?)
    /// What looks like a model on the Hugging Face Hub.
    case onHub(path: String, repository: String)
    /// Images that are no pictures.
    case noPictures(channels: Int)

    public var description: String {
        switch self {
        case .notAModel(let path, let reason): "\(path): not a model folder: \(reason)"
        case .unsupportedClass(let path, let got, let expected):
            "\(path): the model is a \(Quoted(got)), expected \(expected)"
        case .configuration(let path, let reason): "\(path): \(reason)"
        case .missingTensor(let path, let name, let more):
            "\(path): tensor \(Quoted(name)) is missing" + Self.others(more)
        case .extraTensor(let path, let name, let more):
            "\(path): tensor \(Quoted(name)) has no place in the model that the configuration describes"
                + Self.others(more)
        case .wrongShape(let path, let name, let got, let expected):
            "\(path): tensor \(Quoted(name)) has shape \(got), expected \(expected)"
        case .tooFewWeights(let path, let got, let expected):
            "\(path): \(Int(got)) weights are too few for the model that the configuration describes, "
                + "which has over \(Int(expected))"
        case .noDenoiser(let path, let work):
            "\(path): the model is a classifier, expected one that draws pictures: \(work) has no meaning for "
                + "classifiers"
        case .negativeVariance(let path, let name):
            "\(path): tensor \(Quoted(name)) holds negative values, expected variances"
        case .notFinite(let path, let name): "\(path): tensor \(Quoted(name)) has values that are not finite"
        case .duplicateGroup(let path, let name): "\(path): channel group \(Quoted(name)) is there twice"
        case .mixedNames(let path, let prefix, let count, let total):
            "\(path): \(count) of \(total) tensors have names that begin with \(Quoted(prefix)), "
                + "expected all of them or none"
        case .prunedWithoutRecord(let path, let evidence):
            "\(path): \(evidence): a pruned model without its pruning.json? It says which channels are left; "
                + "copy it from the folder that the model was first saved in"
        case .severalVariants(let path, let variants):
            "\(path): there are the variants \(Self.list(variants)) of the weights and none without such a name: "
                + "choose one, as --variant \(variants.first ?? "NAME")"
        case .noVariant(let path, let got, let present):
            "\(path): there is no variant \(Quoted(got)) of the weights, expected "
                + (present.isEmpty ? "none: there are no variants" : "one of \(Self.list(present))")
        case .overflow(let path, let name, let value, let type):
            "\(path): tensor \(Quoted(name)) holds \(value), more than \(WeightTypes(type).name) can; nothing was "
                + "written: give --dtype \(type == .f16 ? "bfloat16 or float32" : "float32")"
        case .notPixels(let path, let reason):
            "\(path): \(reason): its U-Net is of latents, expected one of pixels"
        case .unknownPipeline(let path, let got, let unet):
            "\(path): the pipeline is a \(Quoted(got)), expected one that draws pictures with a U-Net alone: "
                + "\(PipelineIndex.pixelPipelines.joined(separator: ", ")); "
                + "where this one does, name the U-Net itself, \(unet)"
        case .noSchedule(let path, let name, let reason):
            "\(path): \(Quoted(name)) gives no noise schedule, which training, losses and sampling need: \(reason); "
                + "expected a scheduler with betas, as DDPMScheduler"
        case .unfinishedRun(let path, let command):
            "\(path): the run there is not finished, so it has no model yet; go on with it by --resume"
                + (command.map { " of diffprune \($0)" } ?? "")
        case .onHub(let path, let repository):
            "\(path): no such folder; if a model of the Hugging Face Hub is meant, fetch it: "
                + "hf download \(repository) --local-dir \(repository.split(separator: "/").last ?? "model")"
        case .noPictures(let channels):
            "the model's images have \(channels) channels, expected 1 (grey), 3 (RGB) or 4 (RGBA) to draw pictures; "
                + "predict takes any"
        }
    }

    private static func list(_ names: [String]) -> String {
        names.prefix(8).map { "\(Quoted($0))" }.joined(separator: ", ") + (names.count > 8 ? ", …" : "")
    }

    static func others(_ more: Int) -> String { more > 0 ? " (and \(more) more)" : "" }
}
