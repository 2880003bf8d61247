import Runs

/// What a teacher and the model have to have in common.
enum TeacherCheck {
    /// - Parameters:
    ///   - what: is compared, in words.
    ///   - got: the teacher's.
    ///   - expected: the model's.
    ///   - words: how messages write it.
    /// - Throws: `RequestError`.
    static func same<Value: Equatable>(
        _ what: String, _ got: Value, _ expected: Value, _ words: (Value) -> String = { "\($0)" }
    ) throws {
        guard got != expected else { return }
        throw RequestError.invalid(
            option: "the teacher's \(what)", got: words(got), expected: "\(words(expected)), as the model's")
    }
}
