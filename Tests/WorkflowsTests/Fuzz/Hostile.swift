import Files
import Foundation
import Testing

/// Documents that nobody means: each place of a good one replaced by what does not belong there.
enum Hostile {
    static let values: [JSONValue] = [
        nil, true, 0, 1, -1, 7, 1000, .int(1 << 31), .int(1 << 40), .int(.max), .int(.min), 0.5, -0.5, 1e-300, 1e300,
        "",
        "x", "\u{0}\u{7f}é\u{10ffff}", .string(String(repeating: "long", count: 500)), [], [[]], [-1],
        .array([0.5, nil, "a"]),
        .array(Array(repeating: 3, count: 2000)), [:], ["x": 1], nested(40), ["a_b": 1, "aB": 2],
        [["a_b": 1, "aB": 2]],
    ]

    private static func nested(_ depth: Int) -> JSONValue { depth == 0 ? 1 : [nested(depth - 1)] }

    /// How many variants are tried: some, or all of them where the environment says DIFFPRUNE_FUZZ=all.
    private static let limit = ProcessInfo.processInfo.environment["DIFFPRUNE_FUZZ"] == "all" ? Int.max : 500

    /// Documents that differ from `document` in one place: replaced, left out or there twice. At most `limit`, spread
    /// over all places.
    static func variants(of document: JSONValue) -> [JSONValue] {
        let all = allVariants(of: document)
        guard all.count > limit else { return all }
        let step = max(1, (all.count + limit - 1) / limit)
        // An odd step meets other values at other places.
        return stride(from: 0, to: all.count, by: step | 1).map { all[$0] }
    }

    private static func allVariants(of document: JSONValue) -> [JSONValue] {
        var variants = values
        switch document {
        case .object(let members):
            for (key, value) in members.sorted(by: { $0.key < $1.key }) {
                func with(_ new: JSONValue?) -> JSONValue {
                    var changed = members
                    changed[key] = new
                    return .object(changed)
                }
                variants.append(with(nil as JSONValue?))
                variants += allVariants(of: value).map { with($0) }
            }
        case .array(let elements):
            if !elements.isEmpty {
                variants += [
                    .array(Array(elements.dropLast())), .array(elements + elements), .array(elements.reversed()),
                ]
            }
            // All elements of a list are read alike.
            for index in Set([0, elements.count - 1]) where elements.indices.contains(index) {
                for value in allVariants(of: elements[index]) {
                    var changed = elements
                    changed[index] = value
                    variants.append(.array(changed))
                }
            }
        default: break
        }
        return variants
    }

    /// Texts that differ from `text` by a few insertions of marks that mean something to a reader.
    static func texts(of text: String, marks: [String], count: Int) -> [String] {
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        return (0..<count).map { _ in
            var characters = Array(text)
            for _ in 0...next(3) {
                let place = next(characters.count)
                switch next(3) {
                case 0: characters.insert(contentsOf: Array(marks[next(marks.count)]), at: place)
                case 1: characters.remove(at: place)
                default: characters = Array(characters.prefix(place)) + Array(marks[next(marks.count)])
                }
                if characters.isEmpty { characters = ["a"] }
            }
            return String(characters)
        }
    }

    /// Runs `body`, which is to return or throw: a trap would end the tests. What takes long, or more memory than a
    /// file of this size is worth, fails.
    static func survives(_ what: @autoclosure () -> String, _ body: () throws -> Void) -> Bool {
        let start = clock()
        var succeeded = false
        do {
            try body()
            succeeded = true
        } catch {
            // One line that says something.
            if "\(error)".isEmpty || "\(error)".utf8.count > 5000 {
                Issue.record("\(what().prefix(300)): says \("\(error)".prefix(300))")
            }
        }
        // Of this process: the tests may share the machine.
        let taken = Double(clock() - start) / Double(CLOCKS_PER_SEC)
        if taken > 20 { Issue.record("\(what().prefix(300)) took \(taken) s") }
        return succeeded
    }

    /// The most memory that this process has taken so far, bytes; nil where the system does not tell.
    static var peakMemory: Int? {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") })
        else { return nil }
        return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
    }
}
