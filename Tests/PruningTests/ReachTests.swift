import Models
import Pruning
import Testing

/// Whether a budget can be met is known beforehand, and said as it would be said at the end.
@Suite struct ReachTests {
    static let granularities: [Granularity] = [
        .channel, .block(4), .head, .aligned(multiple: 8), .regular(multiple: 4), .level, .layer, .weight,
        .pattern(keep: 2, of: 4),
    ]

    private func budgets(_ granularity: Granularity) -> [String] {
        switch granularity {
        case .weight: ["sparsity=0.3", "sparsity=0.99", "sparsity=0.9999999"]
        case .pattern: ["sparsity=0.5"]
        default:
            [0.9, 0.6, 0.4, 0.2, 0.05, 0.001].flatMap { ["macs=\($0)", "params=\($0)", "sparsity=\(1 - $0)"] }
                + ["macs=0.5,params=0.0001", "params=0.3,macs=0.4", "sparsity=0.5,macs=0.01"]
        }
    }

    @Test(arguments: granularities, [0, 0.1, 0.5])
    func itIsRefusedBeforehandWhereItWouldBeAtTheEnd(granularity: Granularity, minimumFraction: Double) throws {
        var configuration = TinyUNet.all[0].configuration
        configuration.blockOutChannels = [16, 32]
        configuration.normNumGroups = 4
        let model = try UNet(configuration)
        let space = PruningSpace.of(granularity.space, in: model)
        var (met, refused) = (0, 0)
        for text in budgets(granularity) {
            let selection = try Selection(
                space: space, network: model, budget: Budget(parsing: text), granularity: granularity,
                minimumFraction: minimumFraction)
            for seed in [UInt64(1), 2] {
                let end = Result {
                    try selection.masks(keeping: .random(space, seed: seed), remaining: selection.budget.remaining)
                }
                let beginning = Result { try selection.checkReachable() }
                switch (beginning, end) {
                case (.success, .success): met += 1
                case (.failure(let early), .failure(let late)):
                    refused += 1
                    #expect("\(early)" == "\(late)", "\(text)")
                case (.success, .failure(let error)): Issue.record("\(text): only at the end: \(error)")
                case (.failure(let error), .success): Issue.record("\(text): could have been met: \(error)")
                }
            }
        }
        #expect(met > 0)
        if granularity != .pattern(keep: 2, of: 4) { #expect(refused > 0) }
    }

    /// Where blocks are of unequal size, what is left at the end depends on the order in which they leave.
    @Test func whatCouldBeMetInSomeOrderIsNotRefused() throws {
        var configuration = TinyUNet.all[0].configuration
        configuration.blockOutChannels = [16, 32]
        configuration.normNumGroups = 4
        let model = try UNet(configuration)
        let space = PruningSpace.channels(of: model)
        for text in ["sparsity=0.92", "sparsity=0.93", "sparsity=0.94", "macs=0.01"] {
            let selection = try Selection(
                space: space, network: model, budget: Budget(parsing: text), granularity: .block(5),
                minimumFraction: 0)
            guard (try? selection.checkReachable()) == nil else { continue }
            for seed in UInt64(1)...5 {
                #expect(throws: BudgetError.self, "\(text)") {
                    try selection.masks(
                        keeping: .random(space, seed: seed), remaining: selection.budget.remaining)
                }
            }
        }
        // Far below what the smallest block of each group leaves.
        let selection = try Selection(
            space: space, network: model, budget: Budget(parsing: "sparsity=0.9999"), granularity: .block(5),
            minimumFraction: 0)
        #expect(throws: BudgetError.self) { try selection.checkReachable() }
    }

    @Test func theLowestFractionsAreWhatIsReached() throws {
        let model = try UNet(TinyUNet.all[0].configuration)
        let space = PruningSpace.channels(of: model)
        let selection = try Selection(
            space: space, network: model, budget: Budget(parsing: "macs=0.5,params=0.5"), granularity: .channel,
            minimumFraction: 0.25)
        for (limit, remaining) in selection.lowestFractions {
            let factor = [-1e-6, 1e-6].map { remaining + $0 }
            func check(_ value: Double) throws {
                try Selection(
                    space: space, network: model, budget: Budget(limit.quantity, value), granularity: .channel,
                    minimumFraction: 0.25
                ).checkReachable()
            }
            #expect(throws: BudgetError.self) { try check(factor[0]) }
            try check(factor[1])
        }
    }
}
