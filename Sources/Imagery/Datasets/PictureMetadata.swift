import Files
import Foundation

/// A table about pictures as Hugging Face's `imagefolder` has it: `metadata.jsonl` or `metadata.csv` with the column
/// `file_name`, relative to the table's folder, and columns of any other names.
struct PictureMetadata {
    /// The class of one picture.
    struct Entry {
        /// Where it stands, from 1.
        let line: Int
        let fileName: String
        /// As it is written; whole numbers in digits.
        let label: String
    }

    static let maximumBytes = 256 << 20
    private static let fileNameColumn = "file_name"
    private static let usualLabelColumn = "label"

    let url: URL
    let entries: [Entry]

    static func isName(_ name: String) -> Bool { ["metadata.jsonl", "metadata.csv"].contains(name.lowercased()) }

    /// The classes that a table gives; nil where no column was asked for and it has none, being a table about something
    /// else.
    ///
    /// - Throws: `DatasetError.metadata`, `StorageError`.
    init?(_ url: URL, labelColumn: String?) throws {
        self.url = url
        let text = try TextFile.read(url, limit: Self.maximumBytes)
        let entries =
            url.pathExtension.lowercased() == "csv"
            ? try Self.entries(ofCSV: text, url, labelColumn) : try Self.entries(ofLines: text, url, labelColumn)
        guard let entries else { return nil }
        self.entries = entries
    }

    // MARK: the two forms

    private static func entries(ofCSV text: String, _ url: URL, _ asked: String?) throws -> [Entry]? {
        let table: CSVTable
        do {
            table = try CSVTable(parsing: text)
        } catch {
            throw DatasetError.metadata(file: url.path, line: error.line, reason: error.reason)
        }
        let column = asked ?? usualLabelColumn
        guard let file = table.columns.firstIndex(of: fileNameColumn), let label = table.columns.firstIndex(of: column)
        else {
            guard asked != nil else { return nil }
            throw missing(column, url, columns: table.columns)
        }
        return try table.rows.map { row in
            let text = row.fields[label].trimmingCharacters(in: .whitespaces)
            guard !text.isEmpty else {
                throw DatasetError.metadata(file: url.path, line: row.line, reason: "'\(column)' is empty")
            }
            return Entry(line: row.line, fileName: row.fields[file], label: text)
        }
    }

    private static func entries(ofLines text: String, _ url: URL, _ asked: String?) throws -> [Entry]? {
        let column = asked ?? usualLabelColumn
        var entries: [Entry] = []
        for (index, text) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
        where !text.allSatisfy(\.isWhitespace) {
            func fail(_ reason: String) -> DatasetError { .metadata(file: url.path, line: index + 1, reason: reason) }
            let object: JSONValue
            do {
                object = try JSONValue(parsing: Array(text.utf8))
            } catch {
                throw fail("\(error)")
            }
            guard let members = object.objectValue else { throw fail("expected an object, got \(object.kind)") }
            guard let file = members[fileNameColumn], let label = members[column] else {
                // The first line says what the table is about.
                if asked == nil, entries.isEmpty { return nil }
                throw missing(column, url, line: index + 1, columns: members.keys.sorted())
            }
            guard let name = file.stringValue else { throw fail("'\(fileNameColumn)' is \(file.kind), expected text") }
            guard let text = label.stringValue ?? label.intValue.map(String.init), !text.isEmpty else {
                throw fail("'\(column)' is \(label.summary), expected text or a whole number")
            }
            entries.append(Entry(line: index + 1, fileName: name, label: text))
        }
        return entries
    }

    private static func missing(
        _ column: String, _ url: URL, line: Int? = nil, columns: [String]
    ) -> DatasetError {
        let absent = columns.contains(column) ? fileNameColumn : column
        let shown = columns.prefix(12).joined(separator: ", ") + (columns.count > 12 ? ", …" : "")
        let nearest = Spelling.nearest(to: absent, among: columns).map { ", did you mean '\($0)'?" } ?? ""
        return .metadata(
            file: url.path, line: line, reason: "there is no column '\(absent)'\(nearest); its columns are \(shown)")
    }
}
