import Files
import Testing

@Suite struct SpellingTests {
    /// The last part of a key alone is enough.
    @Test func partsOfPathsAreFound() {
        let keys = ["optimizer", "optimizer.weight_decay", "steps"]
        #expect(Spelling.nearest(to: "weightDecay", among: keys) == "optimizer.weight_decay")
        #expect(Spelling.nearest(to: "stpes", among: keys) == "steps")
        #expect(Spelling.nearest(to: "sed", among: ["seed"]) == "seed")
        #expect(Spelling.nearest(to: "foo", among: ["fit"]) == nil, "nothing but a letter is left of it")
    }

    @Test func choicesNameTheNearest() {
        let names = ["adam", "adamw", "sgd"]
        #expect(Spelling.choice(of: names, got: "adma") == "one of adam, adamw, sgd (did you mean 'adam'?)")
        #expect(Spelling.choice(of: names, got: nil) == "one of adam, adamw, sgd")
        #expect(Spelling.choice(of: names, got: "lion-8bit") == "one of adam, adamw, sgd")
    }
}
