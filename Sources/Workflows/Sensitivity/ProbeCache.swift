import Files
import Foundation

/// Readings in a folder, a file each, written as they are made.
struct ProbeCache {
    private let folder: URL

    init(_ folder: URL) { self.folder = folder }

    private func file(_ number: Int) -> URL { folder.appendingPathComponent("\(FileNumber.text(number)).json") }

    /// The reading of a probe; nil where none was made, or what is there is not whole.
    func reading(_ number: Int, of probe: SensitivityProbe) -> SensitivityReading? {
        guard let reading = try? JSONFile.read(file(number)).decoded(as: SensitivityReading.self),
            reading.kind == probe.kind, reading.name == probe.name, reading.ratio == probe.ratio
        else { return nil }
        return reading
    }

    func write(_ reading: SensitivityReading, _ number: Int) throws {
        try OutputFolder.prepare(folder, overwriting: true, followingLinks: false)
        try JSONFile.write(JSONValue(encoding: reading), to: file(number))
    }
}
