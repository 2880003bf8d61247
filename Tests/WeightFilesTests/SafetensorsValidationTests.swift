import Files
import Foundation
import TestSupport
import Testing
import WeightFiles

/// A safetensors file of `header` and `dataSize` zeros, opened.
private func open(_ header: String, dataSize: Int = 0, length: UInt64? = nil) throws -> SafetensorsFile {
    try withTemporaryFolder { folder in
        let url = folder.appendingPathComponent("x.safetensors")
        var bytes = withUnsafeBytes(of: (length ?? UInt64(header.utf8.count)).littleEndian) { Array($0) }
        bytes += Array(header.utf8)
        bytes += [UInt8](repeating: 0, count: dataSize)
        try Data(bytes).write(to: url)
        return try SafetensorsFile(contentsOf: url)
    }
}

@Suite struct SafetensorsValidationTests {
    @Test func smallValidFiles() throws {
        #expect(try open("{}").names == [])
        #expect(try open("{\"__metadata__\":null}").metadata == [:])
        #expect(
            try open("{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]}}   \n", dataSize: 3).names == ["a"]
        )
        // Zero elements, and a size that would overflow beside one of zero.
        let empty = "{\"a\":{\"dtype\":\"F32\",\"shape\":[0,9223372036854775807],\"data_offsets\":[0,0]}}"
        #expect(try open(empty).floats("a") == [])
    }

    @Test(arguments: [
        // Header.
        ("", 0, "does not start with '{'"),
        (" {}", 0, "does not start with '{'"),
        ("[]", 0, "does not start with '{'"),
        ("{", 0, "not JSON"),
        ("{}x", 0, "not JSON"),
        ("{\"__metadata__\":{\"a\":1}}", 0, "not only strings"),
        ("{\"__metadata__\":[]}", 0, "not an object"),
        ("{\"a\":1}", 0, "'a': expected an object"),
        (
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]},"
                + "\"a\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}", 1, "appears twice"
        ),
        ("{\"\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}", 1, "empty name"),
        // Tensor.
        ("{\"a\":{\"shape\":[],\"data_offsets\":[0,1]}}", 1, "'dtype' is not a string"),
        ("{\"a\":{\"dtype\":\"F8\",\"shape\":[],\"data_offsets\":[0,1]}}", 1, "element type 'F8' is not supported"),
        ("{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1, "'shape' is not an array"),
        ("{\"a\":{\"dtype\":\"U8\",\"shape\":[]}}", 1, "'data_offsets' is not an array"),
        ("{\"a\":{\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,1]}}", 1, "integers from 0"),
        ("{\"a\":{\"dtype\":\"U8\",\"shape\":[1.0],\"data_offsets\":[0,1]}}", 1, "integers from 0"),
        ("{\"a\":{\"dtype\":\"U8\",\"shape\":[18446744073709551616],\"data_offsets\":[0,1]}}", 1, "does not fit"),
        ("{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904],\"data_offsets\":[0,1]}}", 1, "too many elements"),
        (
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0,
            "too many elements"
        ),
        ("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,1]}}", 1, "takes 2 bytes"),
        ("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,0]}}", 1, "a begin and an end, in order"),
        ("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1,2]}}", 1, "a begin and an end, in order"),
        ("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", 1, "cut short"),
        // Coverage.
        ("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", 3, "its tensors take 2 bytes"),
        ("{}", 1, "its tensors take 0 bytes"),
        ("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}", 3, "leaves a hole"),
        (
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
                + "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}", 3,
            "'b': it starts at data byte 1 and overlaps"
        ),
        (
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[9223372036854775805,9223372036854775807]}}", 2,
            "leaves a hole"
        ),
    ])
    func invalidFilesAreRefused(_ header: String, _ dataSize: Int, _ reason: String) {
        let got = error(SafetensorsError.self) { _ = try open(header, dataSize: dataSize) }
        #expect(got.map(String.init(describing:))?.contains(reason) == true, "got \(String(describing: got))")
        #expect(got.map(String.init(describing:))?.contains("x.safetensors: ") == true)
    }

    @Test func headerLengths() throws {
        for length: UInt64 in [3, 100_000_000, 100_000_001, 1 << 32, 1 << 63, .max] {
            #expect(throws: SafetensorsError.self) { try open("{}", length: length) }
        }
        #expect(throws: SafetensorsError.self) { try open("{}", dataSize: 2, length: 1) }
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("x.safetensors")
            for size in 0..<8 {
                try Data(repeating: 0, count: size).write(to: url)
                #expect(throws: SafetensorsError.self) { try SafetensorsFile(contentsOf: url) }
            }
        }
    }

    @Test func deepNestingIsAnErrorNotACrash() {
        for header in [
            String(repeating: "{\"a\":", count: 200_000), "{\"a\":" + String(repeating: "[", count: 200_000),
        ] {
            #expect(throws: SafetensorsError.self) { try open(header) }
        }
    }

    @Test func aFileOfHolesIsNotReadIntoMemory() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("x.safetensors")
            let size = 1 << 42
            let header = "{\"a\":{\"dtype\":\"U8\",\"shape\":[\(size)],\"data_offsets\":[0,\(size)]}}"
            var bytes = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
            bytes += Array(header.utf8)
            try Data(bytes).write(to: url)
            // File systems without such large files refuse already here.
            guard truncate(url.path, off_t(bytes.count + size)) == 0 else { return }
            let file = try SafetensorsFile(contentsOf: url)
            #expect(throws: SafetensorsError.self) { try file.integers("a") }
        }
    }

    @Test func aFileCutWhileOpenIsAnError() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("x.safetensors")
            try SafetensorsWriter.write([NamedTensor("a", shape: [4], floats: [1, 2, 3, 4])], to: url)
            let file = try SafetensorsFile(contentsOf: url)
            let size = try Data(contentsOf: url).count
            #expect(truncate(url.path, off_t(size - 1)) == 0)
            #expect(throws: StorageError.self) { try file.floats("a") }
        }
    }

    @Test func aBooleanOfTwoIsRefused() throws {
        var bytes = try Fixtures.bytes("storage/all_types.safetensors")
        bytes[bytes.count - 1] = 2
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("x.safetensors")
            try Data(bytes).write(to: url)
            #expect(throws: SafetensorsError.self) { try SafetensorsFile(contentsOf: url).integers("bool") }
        }
    }
}
