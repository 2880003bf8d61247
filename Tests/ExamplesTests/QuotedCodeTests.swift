import Foundation
import TestSupport
import Testing

/// Code in documents is compiled: every Swift block quotes a file of this folder, named in a comment above it.
@Suite struct QuotedCodeTests {
    static let documents = [
        "README.md", "CONTRIBUTING.md", "docs/diffprune.docc/YourOwnMethod.md", "docs/diffprune.docc/YourOwnModel.md",
    ]

    @Test(arguments: documents) func codeIsThatOfTheFileNamedAboveIt(path: String) throws {
        let blocks = Self.swiftBlocks(of: try Self.text(path))
        #expect(!blocks.isEmpty)
        for block in blocks {
            let source = try #require(
                block.source, "\(path):\(block.line) has no comment '<!-- quotes: FILE -->' above it")
            #expect(block.code == Self.excerpt(of: try Self.text(source)), "\(path):\(block.line) is not \(source)")
        }
    }

    @Test func excerptsKeepImportsAndLoseIndentation() {
        let file = """
            import A
            import B

            func test() {
                // excerpt
                let a = 1

                if a > 0 {
                    b()
                }
                // end
            }
            """
        #expect(Self.excerpt(of: file) == "import A\nimport B\n\nlet a = 1\n\nif a > 0 {\n    b()\n}")
        #expect(Self.excerpt(of: "import A\n\nlet a = 1\n") == "import A\n\nlet a = 1")
    }

    @Test func blocksAreFoundWithTheirSources() {
        let document = """
            <!-- quotes: A.swift -->

            ```swift
            one

            two
            ```
            text
            ```swift
            three
            ```
            ```
            plain
            ```
            """
        let blocks = Self.swiftBlocks(of: document)
        #expect(blocks.map(\.source) == ["A.swift", nil] && blocks.map(\.code) == ["one\n\ntwo", "three"])
        #expect(blocks.map(\.line) == [3, 9])
    }

    private struct Block {
        let line: Int
        let source: String?
        var code: String
    }

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: Repository.url(path), encoding: .utf8)
    }

    private static func swiftBlocks(of document: String) -> [Block] {
        var blocks: [Block] = []
        var source: String?
        var code: [Substring]?
        for (index, line) in document.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if let lines = code, line == "```" {
                blocks[blocks.count - 1].code = lines.joined(separator: "\n")
                code = nil
            } else if code != nil {
                code?.append(line)
            } else if line == "```swift" {
                blocks.append(Block(line: index + 1, source: source, code: ""))
                (source, code) = (nil, [])
            } else if line.hasPrefix("<!-- quotes: "), line.hasSuffix(" -->") {
                source = String(line.dropFirst(13).dropLast(4))
            } else if !line.isEmpty {
                source = nil
            }
        }
        return blocks
    }

    /// A file; where lines `// excerpt` and `// end` mark a part of it, its imports and that part.
    private static func excerpt(of file: String) -> String {
        let lines = file.split(separator: "\n", omittingEmptySubsequences: false)
        func index(_ mark: String) -> Int? { lines.firstIndex { $0.trimmingCharacters(in: .whitespaces) == mark } }
        guard let start = index("// excerpt"), let end = index("// end"), start < end else {
            return file.trimmingCharacters(in: .newlines)
        }
        let indentation = lines[start].prefix { $0 == " " }.count
        let imports = lines.filter { $0.hasPrefix("import ") }
        return (imports + [""] + lines[(start + 1)..<end].map { $0.dropFirst(indentation) }).joined(separator: "\n")
    }
}
