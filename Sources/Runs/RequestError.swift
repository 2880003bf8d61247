/// What is wrong with what a user asked for, as opposed to with the files it was asked about.
public enum RequestError: Error, Equatable, CustomStringConvertible {
    case invalid(option: String, got: String, expected: String)
    case conflict(String)

    public var description: String {
        switch self {
        case .invalid(let option, let got, let expected): "\(option) is \(got), expected \(expected)"
        case .conflict(let message): message
        }
    }
}
