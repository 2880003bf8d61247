import Files
import Testing

struct CSVTableTests {
    @Test func fieldsInQuotesHoldWhatSeparatesOthers() throws {
        let table = try CSVTable(parsing: "a,b\n\"x, \"\"y\"\"\nz\",1\n\n2,\"\"\r\n,\r\n\"3\",4")
        #expect(table.columns == ["a", "b"])
        #expect(table.rows.map(\.fields) == [["x, \"y\"\nz", "1"], ["2", ""], ["", ""], ["3", "4"]])
        #expect(table.rows.map(\.line) == [2, 5, 6, 7])
    }

    @Test func aByteOrderMarkIsNoPartOfAName() throws {
        let table = try CSVTable(parsing: "\u{feff}a\n1\n")
        #expect(table.columns == ["a"] && table.rows.count == 1)
        #expect(try CSVTable(parsing: "a,b\n").rows.isEmpty)
    }

    @Test(arguments: [
        ("", 1, "no column names"), ("\n\n", 1, "no column names"), ("a,b\n1\n", 2, "1 values"),
        ("a\n1\n2,3\n", 3, "2 values"), ("a\n\"1\n2\n", 2, "never closed"), ("a\n\"1\"2\n", 2, "closing quote"),
        ("a\n\"1\n2\"x", 3, "closing quote"),
    ])
    func whatIsNoTableIsRefusedByLine(text: String, line: Int, reason: String) throws {
        let error = #expect(throws: CSVError.self) { try CSVTable(parsing: text) }
        #expect(error?.line == line && error?.reason.contains(reason) == true, "\(String(describing: error))")
    }
}
