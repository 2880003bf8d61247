import Foundation

/// The data and models that come with the program: `Samples/` of the source tree, or of an installation.
public struct BundledSamples: Sendable {
    public let url: URL

    public var denseModel: URL { url.appendingPathComponent("models/fashion-unet") }
    public var featureNets: [URL] { Self.featureNets.map { url.appendingPathComponent("models/\($0)") } }
    public var data: URL { url.appendingPathComponent("fashion-mnist") }

    /// Folders of the feature nets, under `models`. Of those that take a model's pictures the first is used.
    private static let featureNets = ["fashion-features", "emoji-features"]

    public enum Failure: Error, CustomStringConvertible {
        case notFound(places: [String])
        case incomplete(path: String, missing: String)

        public var description: String {
            switch self {
            case .notFound(let places):
                "the bundled samples were not found (looked at \(places.joined(separator: ", "))); "
                    + "run from the source tree or name the folder with --samples"
            case .incomplete(let path, let missing):
                "\(path): '\(missing)' is missing; expected the Samples folder of the source tree"
            }
        }
    }

    /// Looks in the working directory and those above the executable, which lies in `.build/release` of a source tree.
    ///
    /// - Parameter folder: where they are, when that is known.
    public init(folder: URL? = nil) throws {
        if let folder {
            url = folder
            return
        }
        let manager = FileManager.default
        var places = [URL(fileURLWithPath: manager.currentDirectoryPath)]
        if var place = Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent() {
            for _ in 0..<5 where place.path != "/" {
                places += [place, place.appendingPathComponent("share/diffprune")]
                place.deleteLastPathComponent()
            }
        }
        let candidates = places.map { $0.appendingPathComponent("Samples") }
        guard
            let found = candidates.first(where: { manager.fileExists(atPath: $0.appendingPathComponent("models").path) }
            )
        else {
            throw Failure.notFound(places: candidates.prefix(2).map(\.path))
        }
        url = found
    }

    /// - Throws: `Failure.incomplete` for the first of the parts that is not there.
    public func require(_ parts: [URL]) throws {
        for part in parts where !FileManager.default.fileExists(atPath: part.path) {
            let name = part.path.hasPrefix(url.path + "/") ? String(part.path.dropFirst(url.path.count + 1)) : part.path
            throw Failure.incomplete(path: url.path, missing: name)
        }
    }
}
