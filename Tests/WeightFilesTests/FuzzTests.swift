import Files
import Foundation
import TestSupport
import Testing
import WeightFiles

/// Whatever the bytes, a reader returns or throws; a trap would end the test process.
@Suite struct FuzzTests {
    /// Reads all there is; true where it loads.
    private func loads(_ url: URL) throws -> Bool {
        do {
            let source = try Weights.open(url)
            for name in source.names {
                let values =
                    try source.elementType(of: name).isFloatingPoint
                    ? source.floats(name).count : source.integers(name).count
                // Thousands of files: an expectation each would take most of the time.
                if try source.shape(of: name).reduce(1, *) != values { Issue.record("\(name) has \(values) elements") }
            }
            return true
        } catch is SafetensorsError {
            return false
        } catch is StorageError {
            return false
        }
    }

    /// `Data.write` waits for the disk, thousands of times.
    private func rewrite(_ url: URL, _ bytes: [UInt8]) throws {
        unlink(url.path)
        try FileSink(descriptor: open(url.path, O_WRONLY | O_CREAT, 0o600), path: url.path).write(bytes)
    }

    private func mutations(of bytes: [UInt8], _ body: ([UInt8]) throws -> Void) rethrows {
        for index in bytes.indices {
            for change: UInt8 in [0x01, 0x04, 0x10, 0x80, 0xFF] {
                var changed = bytes
                changed[index] ^= change
                try body(changed)
            }
            for replacement in "09-,:[]{}\"\\e.".utf8 where bytes[index] != replacement {
                var changed = bytes
                changed[index] = replacement
                try body(changed)
            }
            try body(Array(bytes[..<index]))
            try body(Array(bytes[..<index] + bytes[(index + 1)...]))
        }
    }

    @Test func aMutilatedFileNeverTraps() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("x.safetensors")
            let bytes = try Fixtures.bytes("storage/golden.safetensors")
            var (loaded, refused) = (0, 0)
            try mutations(of: bytes) { changed in
                try rewrite(url, changed)
                if try loads(url) { loaded += 1 } else { refused += 1 }
            }
            // Changed data and names still load; most changes to the header do not.
            #expect(loaded > 100)
            #expect(refused > 1000)
            for length in bytes.indices {
                try rewrite(url, Array(bytes[..<length]))
                if try loads(url) { Issue.record("loads when cut to \(length) bytes") }
            }
        }
    }

    @Test func aMutilatedIndexNeverTraps() throws {
        try withTemporaryFolder { folder in
            for name in ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"] {
                try FileManager.default.copyItem(
                    at: Fixtures.url("storage/\(name)"), to: folder.appendingPathComponent(name))
            }
            let url = folder.appendingPathComponent("model.safetensors.index.json")
            let bytes = try Fixtures.bytes("storage/model.safetensors.index.json")
            try Data(bytes).write(to: url)
            #expect(try loads(url))
            var refused = 0
            try mutations(of: bytes) { changed in
                try rewrite(url, changed)
                if try !loads(url) { refused += 1 }
            }
            #expect(refused > 1000)
        }
    }

    @Test func mutilatedJSONEitherParsesOrThrows() throws {
        let bytes = try Fixtures.bytes("storage/config.json")
        mutations(of: bytes) { changed in
            guard let value = try? JSONValue(parsing: changed) else { return }
            // What parses can be written and read again.
            if (try? JSONValue(parsing: value.text())) != value { Issue.record("\(value)") }
        }
    }
}
