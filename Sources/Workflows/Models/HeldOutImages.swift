import Datasets
import Files
import Foundation
import Imagery

/// The labelled images of a data set that are not learned from.
enum HeldOutImages {
    /// The test split, or where there is none the validation split.
    ///
    /// - Parameters:
    ///   - data: where the images lie.
    ///   - size: height and width that they are brought to.
    ///   - channels: 1 grey, 3 RGB.
    /// - Throws: `DatasetError.noSplit` where there is neither; what opening them throws.
    static func open(_ data: DataConfiguration, size: Int, channels: Int) throws -> InMemoryDataset {
        do {
            return try data.openLabelled(.test, size: size, channels: channels)
        } catch let error as DatasetError {
            guard case .noSplit = error else { throw error }
            do {
                return try data.openLabelled(.validation, size: size, channels: channels)
            } catch DatasetError.noSplit {
                throw error
            }
        }
    }

    /// The same; nil where there is neither, and where what is learned from is a single file or no train split.
    static func find(_ data: DataConfiguration, size: Int, channels: Int) throws -> InMemoryDataset? {
        guard data.split == .train, FileKind(at: URL(fileURLWithPath: data.path), followingLinks: true) == .folder
        else {
            return nil
        }
        do {
            return try open(data, size: size, channels: channels)
        } catch DatasetError.noSplit {
            return nil
        }
    }
}
