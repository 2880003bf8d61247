import TestSupport
import Testing

@testable import Workflows

/// What is said of the methods in documents is what the code says.
@Suite struct MethodReferenceTests {
    @Test(arguments: ["README.md", "docs/METHODS.md"]) func documentsAreUpToDate(path: String) throws {
        let document = try text(Repository.url(path))
        #expect(document.contains("<!-- generated: "))
        #expect(try MethodReference().updated(document) == document, "make docs brings \(path) up to date")
    }

    @Test func everyMethodIsDocumented() throws {
        let document = try text(Repository.url("docs/METHODS.md"))
        #expect(
            try MethodReference().missing(in: document) == [],
            "docs/METHODS.md says of every method what it is and what can be set")
        let blank = document.split(separator: "\n").filter { $0.hasPrefix("| `") && $0.hasSuffix("|  |") }
        #expect(blank == [], "docs/METHODS.md says what every setting means")
    }

    private let reference = MethodReference([
        MethodInformation(
            name: "one", family: "f", granularities: ["channel", "block"], allocation: "uniform", needs: ["weights"],
            summary: "does | this",
            paper: "",
            settings: [
                .init(key: "alpha", default: 0.5), .init(key: "beta", default: "cubic"),
                .init(key: "gamma", default: 3),
            ]),
        MethodInformation(
            name: "two", family: "f",
            granularities: ["channel", "block", "head", "aligned", "regular", "level", "layer", "weight", "n:m"],
            allocation: "global", needs: [],
            summary: "does that", paper: "A, 2020",
            settings: [.init(key: "beta", default: "linear")]),
    ])

    @Test func meaningsAndOrderStayWhileNamesAndDefaultsAreMadeAnew() throws {
        let document = """
            # Text
            <!-- generated: card one -->
            <!-- end -->
            <!-- generated: settings one -->
            | setting | default | meaning |
            |---|---|---|
            | `beta` | `old` | the \\|b\\| |
            | `gone` | 1 | what is gone |
            | `alpha` | 7 | the a |
            <!-- end -->
            between
            <!-- generated: settings two -->
            <!-- end -->
            """
        let expected = """
            # Text
            <!-- generated: card one -->
            Does \\| this. Family: f. Granularities: channel, block. Allocation: uniform. Needs: weights.
            <!-- end -->
            <!-- generated: settings one -->
            | setting | default | meaning |
            |---|---|---|
            | `beta` | `cubic` | the \\|b\\| |
            | `alpha` | 0.5 | the a |
            | `gamma` | 3 |  |
            <!-- end -->
            between
            <!-- generated: settings two -->
            | setting | default | meaning |
            |---|---|---|
            | `beta` | `linear` | the \\|b\\| |
            <!-- end -->
            """
        #expect(try reference.updated(document) == expected)
        #expect(try reference.updated(expected) == expected)
    }

    @Test func theTableHasARowForEveryMethod() throws {
        let document = "<!-- generated: methods -->\n<!-- end -->\n"
        let rows = try reference.updated(document).split(separator: "\n")
        #expect(
            rows[3...4] == [
                "| `one` | f | does \\| this | channel, block | weights | — |",
                "| `two` | f | does that | any |  | A, 2020 |",
            ])
    }

    @Test func partsThatCannotBeMadeAreRefused() {
        #expect(throws: MethodReferenceError.unfinished("methods")) {
            try reference.updated("<!-- generated: methods -->\n")
        }
        #expect(throws: MethodReferenceError.unknown("card three", methods: ["one", "two"])) {
            try reference.updated("<!-- generated: card three -->\n<!-- end -->")
        }
    }

    @Test func missingPartsAreNamed() {
        let document = "<!-- generated: card two -->\n<!-- end -->\n<!-- generated: settings one -->\n<!-- end -->\n"
        #expect(reference.missing(in: document) == ["card one", "settings two"])
    }
}
