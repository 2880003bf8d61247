import TestSupport
import Files
import Foundation
import Testing

@testable import Reports

private func message(_ field: ProtobufField?) -> [Int: ProtobufField] { field?.fields ?? [:] }

/// The events of a file, with every checksum looked at.
private func events(in url: URL) throws -> [[Int: ProtobufField]] {
    try #require(try EventRecord.read(url), "a torn record").map { record in
        #expect(record.lengthChecksum == CRC32C.masked(record.length))
        #expect(record.eventChecksum == CRC32C.masked(record.event))
        return ProtobufField.read(record.event)
    }
}

@Suite struct EventFileTests {
    private let time = Date(timeIntervalSince1970: 1_700_000_000.5)

    @Test func checksumOfTheStandardVectors() {
        // RFC 3720, appendix B.4, and the customary check string.
        #expect(CRC32C.checksum(Data("123456789".utf8)) == 0xE306_9283)
        #expect(CRC32C.checksum(Data(count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum(Data(repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.checksum(Data(0..<32)) == 0x46DD_794E)
        #expect(CRC32C.checksum(Data()) == 0)
    }

    @Test func protobufFieldsAreEncodedAsTheSpecificationShows() {
        var message = ProtobufMessage()
        message.append(field: 1, varint: 150)
        message.append(field: 2, string: "testing")
        message.append(field: 3, varint: -1)
        message.append(field: 4, float: 1)
        message.append(field: 16, double: 1)
        let expected: [UInt8] =
            [0x08, 0x96, 0x01, 0x12, 0x07] + Array("testing".utf8) + [0x18] + [UInt8](repeating: 0xFF, count: 9) + [
                0x01
            ]
            + [0x25, 0, 0, 0x80, 0x3F] + [0x81, 0x01, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F]
        #expect([UInt8](message.data) == expected)
    }

    @Test func fileHasTheseBytes() throws {
        try withTemporaryFolder { folder in
            let writer = try EventFileWriter(directory: folder, now: time, host: "host/../x y")
            try writer.scalar("loss", 0.5, step: 300, at: time)
            try writer.close()
            #expect(writer.url.lastPathComponent == "events.out.tfevents.1700000000.host_.._x_y")
            let hex = try Data(contentsOf: writer.url).map { String(format: "%02x", $0) }.joined()
            #expect(hex == goldenBytes)
        }
    }

    @Test func scalarsAndImagesComeBack() throws {
        try withTemporaryFolder { folder in
            let png = tinyPNG(width: 5, height: 3) { x, y in (UInt8(x), UInt8(y), 7) }
            let writer = try EventFileWriter(directory: folder.appendingPathComponent("run"), now: time, host: "h")
            try writer.scalar("loss/train", .nan, step: 1, at: time)
            try writer.image("samples", png: png, step: 1 << 40, at: time)
            #expect(throws: ReportError.notPNG(context: "image \"bad\" at step 2")) {
                try writer.image("bad", png: Data("no".utf8), step: 2)
            }
            try writer.close()
            try writer.close()
            #expect(throws: ReportError.eventFileClosed(path: writer.url.path)) { try writer.scalar("a", 1, step: 1) }

            let events = try events(in: writer.url)
            #expect(events.count == 3)
            #expect(events[0][3] == .bytes(Data("brain.Event:2".utf8)))
            #expect(events.allSatisfy { $0[1] == .fixed64((1_700_000_000.5).bitPattern) })
            let scalar = message(message(events[1][5])[1])
            #expect(scalar[1] == .bytes(Data("loss/train".utf8)))
            #expect(scalar[2] == .fixed32(Float.nan.bitPattern))
            #expect(events[2][2] == .varint(1 << 40))
            let image = message(message(message(events[2][5])[1])[4])
            #expect(image == [1: .varint(3), 2: .varint(5), 3: .varint(3), 4: .bytes(png)])
        }
    }

    @Test func resumedRunOpensAFileOfItsOwn() throws {
        try withTemporaryFolder { folder in
            let first = try EventFileWriter(directory: folder, now: time, host: "h")
            let before = try Data(contentsOf: first.url)
            let second = try EventFileWriter(directory: folder, resumingAtStep: 40, now: time, host: "h")
            #expect(second.url.lastPathComponent == "events.out.tfevents.1700000000.h.1")
            #expect(try Data(contentsOf: first.url) == before)
            let events = try events(in: second.url)
            #expect(events.count == 2)
            #expect(events[1][2] == .varint(40))
            #expect(message(events[1][7]) == [1: .varint(1)])
        }
    }

    @Test func folderThatCannotBeMadeIsReported() throws {
        try withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("file")
            try Data().write(to: file)
            #expect(throws: ReportError.self) { try EventFileWriter(directory: file) }
        }
    }
}

/// Written by the Python package tensorboard 2.21: `RecordWriter.write` of `Event(wall_time=1700000000.5,
/// file_version="brain.Event:2")` and of the same with `step=300` and `Summary.Value(tag="loss", simple_value=0.5)`.
private let goldenBytes =
    "1800000000000000a37f4b220900002040fc54d9411a0d627261696e2e4576656e743a322b3531101b000000000000001a0d9e13"
    + "0900002040fc54d94110ac022a0d0a0b0a046c6f7373150000003f95037aad"
