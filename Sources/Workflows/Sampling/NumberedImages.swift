import Files
import Foundation
import Imagery

/// Images of a folder that are named by their number: `000000.png`, `000001.png`, …
enum NumberedImages {
    /// Writes images from number `first` on, making the folder where it is not there.
    ///
    /// Not waited for: the folder is one that is built to be moved into place.
    static func write(_ images: [Image], to folder: URL, from first: Int = 0) throws {
        try OutputFolder.prepare(folder, overwriting: true, followingLinks: false)
        for (index, image) in images.enumerated() {
            let url = folder.appendingPathComponent("\(FileNumber.text(first + index)).png")
            try AtomicFile.write(PNG.encode(image), to: url, durably: false)
        }
    }
}
