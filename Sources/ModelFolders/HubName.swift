import Foundation

/// A name as models have on the Hugging Face Hub, where a folder was expected.
struct HubName {
    /// As the user gave it.
    let typed: String
    /// "owner/name".
    let repository: String

    private static let hosts = ["https:/huggingface.co/", "https:/hf.co/", "huggingface.co/", "hf:/"]

    /// nil where `url`, which leads to nothing, looks like a path of folders: absolute, of another depth, or below a
    /// folder that is there.
    init?(of url: URL) {
        let here = FileManager.default.currentDirectoryPath
        let path = url.standardizedFileURL.path
        guard path.hasPrefix(here + "/") else { return nil }
        // One slash where an address has two.
        let relative = path.dropFirst(here.count + 1).split(separator: "/").joined(separator: "/")
        let host = Self.hosts.first(where: relative.hasPrefix)
        let parts = relative.dropFirst(host?.count ?? 0).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 || host != nil && parts.count > 2, parts[..<2].allSatisfy(Self.isPart) else {
            return nil
        }
        let owner = URL(fileURLWithPath: here).appendingPathComponent(String(parts[0]))
        guard host != nil || !ModelFolder.exists(owner) else { return nil }
        repository = "\(parts[0])/\(parts[1])"
        typed = host == nil ? repository : relative.replacingOccurrences(of: ":/", with: "://")
    }

    private static func isPart(_ part: Substring) -> Bool {
        (1...96).contains(part.utf8.count) && !part.hasPrefix(".") && !part.hasPrefix("-")
            && part.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || [0x2D, 0x2E, 0x5F].contains(byte)
            }
    }
}
