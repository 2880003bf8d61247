import Foundation

/// Files of Tests/Fixtures, each beside the script that made it.
package enum Fixtures {
    package static let folder = Repository.url("Tests/Fixtures")

    /// - Parameter path: below Tests/Fixtures, as in "storage/config.json".
    package static func url(_ path: String) -> URL { folder.appendingPathComponent(path) }

    package static func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: url(path))) }

    /// Decodes a JSON file.
    package static func json<Value: Decodable>(_ path: String, as type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: Data(contentsOf: url(path)))
    }
}
