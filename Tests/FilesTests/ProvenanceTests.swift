import Files
import Foundation
import TestSupport
import Testing

@Suite struct ProvenanceTests {
    @Test func theVersionIsTheChangelogs() throws {
        let log = try String(contentsOf: Repository.url("CHANGELOG.md"), encoding: .utf8)
        let newest = log.split(separator: "\n").first { $0.hasPrefix("## [") && !$0.hasPrefix("## [Unreleased") }
        #expect(newest?.hasPrefix("## [\(Provenance.currentVersion)]") == true, "\(newest ?? "none")")
    }

    @Test func aFixedDateIsHonoured() {
        let now = Date(timeIntervalSince1970: 1_000_000)
        func date(_ epoch: String?) -> String {
            Provenance(command: "", environment: epoch.map { ["SOURCE_DATE_EPOCH": $0] } ?? [:], now: now).date
        }
        #expect(date(nil) == "1970-01-12T13:46:40Z")
        #expect(date("86400") == "1970-01-02T00:00:00Z")
        for absurd in ["", "tomorrow", "-1", "99999999999999999"] { #expect(date(absurd) == date(nil), "\(absurd)") }
    }

    @Test func whatWasTypedIsKept() throws {
        #expect(Provenance(command: "").command == nil)
        let made = Provenance(command: "diffprune prune --model 'a b'")
        #expect(made.command == "diffprune prune --model 'a b'")
        #expect(try JSONValue(encoding: made).decoded(as: Provenance.self) == made)
    }
}
