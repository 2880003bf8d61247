import Files
import Foundation
import TestSupport
import Testing

@Suite struct JSONTests {
    @Test func aConfigurationComesBackToTheByte() throws {
        let original = try Fixtures.bytes("storage/config.json")
        let value = try JSONValue(parsing: original)
        #expect(value["block_out_channels"] == [128, 256, 256, 256])
        #expect(value["dropout"] == .double(0))
        #expect(value["freq_shift"] == .int(1))
        #expect(value["attention_head_dim"]?.isNull == true)
        #expect(value["text"]?.stringValue?.hasSuffix("bell \u{07} delete \u{7F} é 漢 😀") == true)
        #expect([UInt8]((try value.text(.python) + "\n").utf8) == original)

        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("config.json")
            try JSONFile.write(value, to: url)
            #expect([UInt8](try Data(contentsOf: url)) == original)
            #expect(try JSONFile.read(url) == value)
        }
    }

    @Test func doublesPrintAsInPython() throws {
        let lines = try text(Fixtures.url("storage/python_floats.txt")).split(separator: "\n")
        #expect(lines.count > 500)
        for line in lines {
            let parts = line.split(separator: " ")
            let value = Double(bitPattern: try #require(UInt64(parts[0], radix: 16)))
            #expect(PythonFloat.repr(value) == parts[1])
            // Not by ==, which would not see the sign of zero.
            #expect(try JSONValue(parsing: String(parts[1])).doubleValue?.bitPattern == value.bitPattern)
        }
    }

    @Test func integersAreExactAndBounded() throws {
        #expect(try JSONValue(parsing: "[-9223372036854775808, 9223372036854775807]") == [.int(.min), .int(.max)])
        #expect(try JSONValue(parsing: "4.0") == .double(4))
        for text in ["9223372036854775808", "-9223372036854775809", "1e400", "-1e400"] {
            let got = error(JSONError.self) { _ = try JSONValue(parsing: text) }
            #expect(got == .numberOutOfRange(text, at: JSONPosition(line: 1, column: 1)))
        }
    }

    @Test(arguments: [
        "", " ", "{", "[", "[1,]", "{\"a\":1,}", "{a:1}", "{\"a\" 1}", "01", "-", "+1", "1.", ".5", "1e", "1e+", "0x10",
        "tru",
        "nul", "nan", "-NaN", "+Infinity", "-Infinit", "Infinity1", "inf", "[1] 2", "\"", "\"\\", "\"\\x\"",
        "\"\\u12\"", "\"\\u12g4\"",
        "\"\\ud800\"",
        "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\ud800\\ud800\"", "\"a\nb\"", "'a'", "\u{FEFF}\u{FEFF}{}",
        " \u{FEFF}{}", "\u{FEFF}", "[1 2]", "{\"a\":}",
    ])
    func malformedTextIsRefused(_ text: String) {
        #expect(error(JSONError.self) { _ = try JSONValue(parsing: text) } != nil)
    }

    @Test func badUTF8IsRefused() {
        for bytes: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82], [0xF5, 0x80, 0x80, 0x80]] {
            #expect(error(JSONError.self) { _ = try JSONValue(parsing: [0x22] + bytes + [0x22]) } != nil)
        }
    }

    @Test func escapesAreUnderstood() throws {
        #expect(try JSONValue(parsing: #""\"\\\/\b\f\n\r\t\u00e9\uD83D\ude00""#) == "\"\\/\u{08}\u{0C}\n\r\té😀")
    }

    @Test func errorsSayWhere() {
        let duplicate = error(JSONError.self) { _ = try JSONValue(parsing: "{\"a\": 1,\n \"b\": 2, \"a\": 3}") }
        #expect(duplicate == .duplicateKey("a", at: JSONPosition(line: 2, column: 10)))
        #expect("\(String(describing: duplicate))".contains("line 2, column 10"))
        // The same key, once escaped.
        #expect(error(JSONError.self) { _ = try JSONValue(parsing: #"{"a": 1, "\u0061": 3}"#) } != nil)
        let syntax = error(JSONError.self) { _ = try JSONValue(parsing: "[1,\n2\n3]") }
        #expect(syntax == .syntax("expected ',' or ']', got '3'", at: JSONPosition(line: 3, column: 1)))
    }

    @Test func limitsHold() throws {
        for open in ["[", "{\"a\":"] {
            let bomb = String(repeating: open, count: 1_000_000)
            let got = error(JSONError.self) { _ = try JSONValue(parsing: bomb) }
            if case .tooDeep(limit: 64, at: _)? = got {} else { Issue.record("got \(String(describing: got))") }
        }
        let nested = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        _ = try JSONValue(parsing: nested)
        let limits = JSONLimits(bytes: 10, values: 3)
        #expect(try JSONValue(parsing: "[1,2]", limits: limits) == [1, 2])
        #expect(
            error(JSONError.self) { _ = try JSONValue(parsing: "[1,2,3]", limits: limits) } == .tooManyValues(limit: 3))
        let long = error(JSONError.self) { _ = try JSONValue(parsing: "          1", limits: limits) }
        #expect(long == .tooLarge(bytes: 11, limit: 10))
    }

    @Test func keysAreInCodePointOrder() throws {
        // U+FF5E sorts before U+1F600 by code point and after it by UTF-16.
        let value: JSONValue = ["😀": 1, "～": 2, "a": 3, "B": 4]
        #expect(value.sortedMembers?.map(\.key) == ["B", "a", "～", "😀"])
        #expect(try value.text(.compact) == #"{"B":4,"a":3,"～":2,"😀":1}"#)
    }

    @Test func numbersThatAreNotFinite() throws {
        #expect(error(JSONError.self) { _ = try JSONValue.double(.infinity).text() } == .notFinite(.infinity))
        #expect(try JSONValue.array([.double(.nan), .double(1)]).text(.logLine) == "[null, 1.0]")
    }

    @Test func aByteOrderMarkIsPassedOver() throws {
        #expect(try JSONValue(parsing: [0xEF, 0xBB, 0xBF] + Array(#" {"a": 1}"#.utf8)) == ["a": 1])
        for text in [[0xFF, 0xFE, 0x7B, 0], [0xFE, 0xFF, 0, 0x7B]] as [[UInt8]] {
            let got = error(JSONError.self) { _ = try JSONValue(parsing: text) }
            #expect(got.map { "\($0)" }?.contains("UTF-16, expected UTF-8") == true)
        }
    }

    /// As Python's `json` writes them: they come back the same, and are refused by key where a number is needed.
    @Test func numbersThatPythonWritesAreRead() throws {
        let text = "[\n  -Infinity,\n  Infinity,\n  NaN\n]"
        let value = try JSONValue(parsing: text)
        guard case .array(let values) = value, case .double(let number)? = values.last else {
            Issue.record("\(value)")
            return
        }
        #expect(values[..<2] == [.double(-.infinity), .double(.infinity)] && number.isNaN)
        #expect(try value.text(.foreign) == text)
        #expect(throws: JSONError.self) { try value.text(.python) }
        struct Setting: Decodable { let beta: Double }
        for (text, got) in [("NaN", "NaN"), ("-Infinity", "-Infinity"), ("Infinity", "Infinity")] {
            let refusal = error(SettingError.self) {
                _ = try JSONValue(parsing: #"{"beta": \#(text)}"#).decoded(as: Setting.self)
            }
            #expect(refusal.map { "\($0)" } == "'beta' is \(got), expected a finite number")
        }
    }

    @Test func filesThatCannotBeRead() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("c.json")
            #expect(error(StorageError.self) { _ = try JSONFile.read(url) } == .missing(path: url.path))
            #expect(error(StorageError.self) { _ = try JSONFile.read(folder) } == .notARegularFile(path: folder.path))
            try Data("{\"a\": 1".utf8).write(to: url)
            let got = error(StorageError.self) { _ = try JSONFile.read(url) }
            #expect(got.map(String.init(describing:))?.hasPrefix("\(url.path): ") == true)
            #expect(throws: StorageError.self) { try JSONFile.read(url, limits: JSONLimits(bytes: 3)) }
            // A value that cannot be written leaves the former file.
            #expect(throws: StorageError.self) { try JSONFile.write(.double(.nan), to: url) }
            #expect(try text(url) == "{\"a\": 1")
        }
    }

    @Test func aNamedPipeDoesNotHang() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("pipe")
            #expect(mkfifo(url.path, 0o600) == 0)
            #expect(error(StorageError.self) { _ = try JSONFile.read(url) } == .notARegularFile(path: url.path))
        }
    }
}
