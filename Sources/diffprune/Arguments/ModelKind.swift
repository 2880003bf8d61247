import Foundation
import ModelFolders
import Workflows

/// Kinds of models that commands work on.
enum ModelKind {
    case denoiser, classifier

    /// What lies in a folder; a denoiser where nothing can be told, so that reading it as one says what is wrong.
    init(of path: String) {
        let folder = try? ModelFamilies.folder(at: URL(fileURLWithPath: path))
        self = folder is ImageClassifierFolder ? .classifier : .denoiser
    }

    /// Refuses a classifier to a command that has no meaning for it.
    ///
    /// - Parameters:
    ///   - path: a model folder.
    ///   - work: what the command does, as "drawing pictures".
    static func refuseClassifier(_ path: String, _ work: String) throws {
        guard ModelKind(of: path) == .classifier else { return }
        throw ModelFolderError.noDenoiser(path: path, work: work)
    }
}
