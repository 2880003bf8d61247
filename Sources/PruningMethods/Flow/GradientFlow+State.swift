import Pruning

/// What later rounds need of earlier ones.
extension GradientFlow {
    public var state: PrunerState {
        var state = PrunerState(arrays: ["velocity": velocity])
        if let energy { state.values["energy"] = .double(energy) }
        if let loss { state.values["loss"] = .double(loss) }
        if movesWithSteps {
            state.arrays["training"] = training
            state.arrays["choice"] = choice
            state.values["steps_of_round"] = .int(stepsOfRound)
        }
        // Single coordinates need no list; lists of channels are numbers that a Float holds exactly.
        if case .lists(let lists)? = members {
            state.arrays["unit_sizes"] = lists.map { Float($0.count) }
            state.arrays["unit_members"] = lists.joined().map { Float($0) }
        }
        return state
    }

    public mutating func restore(_ state: PrunerState, in space: PruningSpace) throws {
        func fail(_ reason: String) -> PrunerStateError { PrunerStateError(method: Self.card.name, reason: reason) }
        guard let velocity = state.arrays["velocity"], velocity.isEmpty || velocity.count == space.count else {
            throw fail("it holds no velocities of \(space.count) coordinates")
        }
        var members: UnitMembers?
        if let sizes = state.arrays["unit_sizes"], let flat = state.arrays["unit_members"] {
            var lists: [[Int]] = []
            var start = 0
            for size in sizes {
                guard let count = Int(exactly: size), count > 0, count <= flat.count - start else {
                    throw fail("its units are damaged")
                }
                let list = flat[start..<(start + count)].compactMap { Int(exactly: $0) }
                guard list.count == count, list.allSatisfy({ (0..<space.count).contains($0) }) else {
                    throw fail("its units are damaged")
                }
                lists.append(list)
                start += count
            }
            guard start == flat.count else { throw fail("its units are damaged") }
            members = .lists(lists)
        } else if !velocity.isEmpty {
            guard space.kind == .weights else { throw fail("it holds no units") }
            members = .singles(count: space.count)
        }
        if movesWithSteps {
            guard let training = state.arrays["training"], training.isEmpty || training.count == space.count,
                let choice = state.arrays["choice"], choice.isEmpty || choice.count == space.count,
                choice.allSatisfy({ $0 == 0 || $0 == 1 }), let steps = state.values["steps_of_round"]?.intValue,
                steps >= 0
            else { throw fail("what moves its masks between rounds is damaged") }
            (self.training, self.choice, stepsOfRound) = (training, choice, steps)
        }
        self.velocity = velocity
        self.members = members
        energy = state.values["energy"]?.doubleValue
        loss = state.values["loss"]?.doubleValue
    }
}
