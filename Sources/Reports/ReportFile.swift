import Files
import Foundation

/// Files that reports are written to.
enum ReportFile {
    /// Replaces or creates a file in one step, so that a reader never sees half of it.
    static func write(_ data: Data, to url: URL) throws(ReportError) {
        do {
            try AtomicFile.write(data, to: url, durably: false)
        } catch let error as StorageError {
            throw .cannotWrite(path: url.path, reason: error.cause)
        } catch {
            throw .cannotWrite(path: url.path, reason: "\(error)")
        }
    }
}
