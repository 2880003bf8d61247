/// Finds what a mistyped name was meant to be.
public enum Spelling {
    /// The closest name within a third of the length in edits, or two; in one of three letters, of which two edits
    /// leave nothing. nil when nothing is close.
    ///
    /// - Parameters:
    ///   - name: what was typed.
    ///   - names: may have dots between the parts of a path; `name` may then be the last part alone.
    public static func nearest(to name: String, among names: [String]) -> String? {
        // Nothing has so long a name, and the time it takes grows with it.
        guard name.utf8.count <= 100 else { return nil }
        let typed = plain(name)
        let ranked = names.map { candidate in
            let whole = distance(typed, plain(candidate))
            let last = candidate.split(separator: ".").last.map { distance(typed, plain(String($0))) } ?? whole
            return (name: candidate, distance: min(whole, last), depth: candidate.count { $0 == "." })
        }
        let best = ranked.min { ($0.distance, $0.depth, $0.name) < ($1.distance, $1.depth, $1.name) }
        guard let best, best.distance <= (name.count > 3 ? max(2, name.count / 3) : 1) else { return nil }
        return best.name
    }

    /// ", did you mean 'x'?", or nothing.
    public static func hint(for name: String, among names: [String]) -> String {
        nearest(to: name, among: names).map { ", did you mean '\($0)'?" } ?? ""
    }

    /// "one of a, b, c", and which of them `name` may have meant.
    public static func choice(of names: [String], got name: String?) -> String {
        let all = "one of \(names.joined(separator: ", "))"
        guard let name, let nearest = nearest(to: name, among: names) else { return all }
        return "\(all) (did you mean '\(nearest)'?)"
    }

    private static func plain(_ name: String) -> String { name.lowercased().replacing("-", with: "_") }

    /// Levenshtein distance.
    static func distance(_ a: String, _ b: String) -> Int {
        let (a, b) = (Array(a), Array(b))
        var row = Array(0...b.count)
        for i in a.indices {
            var diagonal = row[0]
            row[0] = i + 1
            for j in b.indices {
                let substitution = diagonal + (a[i] == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substitution, row[j] + 1, diagonal + 1)
            }
        }
        return row[b.count]
    }
}
