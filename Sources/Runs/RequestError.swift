import Files

/// What is wrong with what a user asked for, as opposed to with the files it was asked about.
public enum RequestError: Error, Equatable, CustomStringConvertible {
    case invalid(option: String, got: String, expected: String)
    case unknown(kind: String, name: String, legal: [String])
    case conflict(String)

    public var description: String {
        switch self {
        case .invalid(let option, let got, let expected): "\(option) is \(got), expected \(expected)"
        case .unknown(let kind, let name, let legal):
            "unknown \(kind) '\(name)'"
                + (Spelling.nearest(to: name, among: legal).map { ", did you mean '\($0)'?" } ?? "")
                + "; expected one of \(legal.joined(separator: ", "))"
        case .conflict(let message): message
        }
    }
}
