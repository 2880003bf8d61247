import Files
import Foundation

/// Writes scalars and images that TensorBoard shows.
///
/// A run appends to one file; a resumed run opens another in the same folder, and TensorBoard reads them as one run.
/// Each call hands its record to the operating system at once, so a crash loses nothing written before it and a live
/// TensorBoard sees every step. Not safe to call from two threads at the same time.
///
/// Record: u64 length, masked CRC-32C of the length, the event, masked CRC-32C of the event; little-endian.
public final class EventFileWriter {
    /// The file being written, `events.out.tfevents.<seconds since 1970>.<host>`, with a number behind it where a file
    /// of that name was there.
    public let url: URL
    private var handle: FileHandle?
    private var length: UInt64 = 0

    /// Opens a new event file, creating the folder where needed.
    /// - Parameters:
    ///   - directory: the run folder.
    ///   - resumingAtStep: the first step that a resumed run will log. TensorBoard then drops what an interrupted run
    ///     had logged at this step and later, instead of drawing it twice.
    ///   - now: the time in the file name and in the first records.
    ///   - host: the machine's name; anything but letters, digits, "-", "_" and "." in it becomes "_".
    /// - Throws: `ReportError.cannotWrite`.
    public init(
        directory: URL, resumingAtStep: Int? = nil, now: Date = Date(), host: String = ProcessInfo.processInfo.hostName
    ) throws(ReportError) {
        let safeHost = host.map { character in
            character.isASCII && (character.isLetter || character.isNumber || "-_.".contains(character))
                ? character : "_"
        }
        let name = "events.out.tfevents.\(Int64(now.timeIntervalSince1970)).\(String(safeHost))"
        do {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            url = try Self.createFile(named: name, in: directory)
            handle = try FileHandle(forWritingTo: url)
        } catch {
            throw .cannotWrite(path: directory.appendingPathComponent(name).path, reason: StorageError.cause(of: error))
        }

        var version = Self.event(at: now, step: 0)
        version.append(field: 3, string: "brain.Event:2")
        try write(version)
        if let resumingAtStep {
            var start = ProtobufMessage()
            start.append(field: 1, varint: 1)
            var session = Self.event(at: now, step: resumingAtStep)
            session.append(field: 7, message: start)
            try write(session)
        }
    }

    /// Logs a number. It is stored as a 32-bit float; NaN and infinities are allowed.
    /// - Throws: `ReportError.eventFileClosed`, `.cannotWrite`.
    public func scalar(_ tag: String, _ value: Double, step: Int, at time: Date = Date()) throws(ReportError) {
        var entry = ProtobufMessage()
        entry.append(field: 1, string: tag)
        entry.append(field: 2, float: Float(value))
        try write(Self.summary(entry, at: time, step: step))
    }

    /// Logs an image.
    /// - Parameters:
    ///   - tag: what TensorBoard calls it.
    ///   - png: a whole PNG file.
    ///   - step: of training.
    ///   - time: when it was made.
    /// - Throws: `ReportError.notPNG`, `.eventFileClosed`, `.cannotWrite`.
    public func image(_ tag: String, png: Data, step: Int, at time: Date = Date()) throws(ReportError) {
        let header = try PNGHeader(png, context: "image \"\(tag)\" at step \(step)")
        var image = ProtobufMessage()
        image.append(field: 1, varint: Int64(header.height))
        image.append(field: 2, varint: Int64(header.width))
        image.append(field: 3, varint: Int64(header.channels))
        image.append(field: 4, bytes: png)
        var entry = ProtobufMessage()
        entry.append(field: 1, string: tag)
        entry.append(field: 4, message: image)
        try write(Self.summary(entry, at: time, step: step))
    }

    /// Closes the file; closing twice is harmless. A writer that goes out of use closes its file by itself.
    public func close() throws(ReportError) {
        guard let handle else { return }
        self.handle = nil
        do {
            try handle.close()
        } catch {
            throw .cannotWrite(path: url.path, reason: StorageError.cause(of: error))
        }
    }

    deinit {
        try? handle?.close()
    }

    /// One record around a message.
    static func record(_ data: Data) -> Data {
        var length = Data()
        length.appendLittleEndian(UInt64(data.count))
        var result = length
        result.appendLittleEndian(CRC32C.masked(length))
        result.append(data)
        result.appendLittleEndian(CRC32C.masked(data))
        return result
    }

    private static func event(at time: Date, step: Int) -> ProtobufMessage {
        var event = ProtobufMessage()
        event.append(field: 1, double: time.timeIntervalSince1970)
        // Protocol buffers leave out what has its default value.
        if step != 0 { event.append(field: 2, varint: Int64(step)) }
        return event
    }

    private static func summary(_ entry: ProtobufMessage, at time: Date, step: Int) -> ProtobufMessage {
        var summary = ProtobufMessage()
        summary.append(field: 1, message: entry)
        var event = event(at: time, step: step)
        event.append(field: 5, message: summary)
        return event
    }

    private static func createFile(named name: String, in directory: URL) throws -> URL {
        var attempt = 0
        while true {
            let url = directory.appendingPathComponent(attempt == 0 ? name : "\(name).\(attempt)")
            do {
                try Data().write(to: url, options: .withoutOverwriting)
                return url
            } catch let error as CocoaError where error.code == .fileWriteFileExists && attempt < 10_000 {
                attempt += 1
            }
        }
    }

    private func write(_ event: ProtobufMessage) throws(ReportError) {
        guard let handle else { throw .eventFileClosed(path: url.path) }
        let record = Self.record(event.data)
        do {
            try handle.write(contentsOf: record)
            length += UInt64(record.count)
        } catch {
            // A reader would stop at the part of a record that fitted on a full disk.
            try? handle.truncate(atOffset: length)
            throw .cannotWrite(path: url.path, reason: StorageError.cause(of: error))
        }
    }
}
