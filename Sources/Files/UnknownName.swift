/// A name that is none of those there are: of a command, an option, a method, a sampler.
public struct UnknownName: Error, Equatable, CustomStringConvertible {
    /// What it should be the name of.
    public let kind: String
    public let name: String
    public let legal: [String]

    public init(kind: String, name: String, legal: [String]) {
        self.kind = kind
        self.name = name
        self.legal = legal
    }

    public var description: String {
        "unknown \(kind) '\(name)'" + (Spelling.nearest(to: name, among: legal).map { ", did you mean '\($0)'?" } ?? "")
            + "; expected one of \(legal.joined(separator: ", "))"
    }
}

extension CaseIterable where Self: RawRepresentable<String> {
    /// The choice that users call `name`.
    ///
    /// - Parameters:
    ///   - name: as typed.
    ///   - kind: what an error calls choices of this type.
    /// - Throws: `UnknownName`.
    public init(named name: String, kind: String) throws {
        guard let choice = Self(rawValue: name) else {
            throw UnknownName(kind: kind, name: name, legal: Self.allCases.map(\.rawValue))
        }
        self = choice
    }
}
