import Files
import Runs

/// An output folder that holds something already, in words that say what to do.
enum OccupiedFolder {
    /// Runs `body`, which refuses such a folder.
    static func explained<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch StorageError.folderNotEmpty(let path) {
            throw RequestError.conflict("\(path): the folder already holds something; name a new or empty one")
        }
    }
}
