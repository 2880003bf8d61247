import Pruning
import TestSupport
import Testing
import Training

@Suite struct PruningContextTests {
    /// Counted by hand.
    @Test func reportsSayWhatAnUpdateDid() throws {
        let network = try ChainTask.network()
        let space = PruningSpace.channels(of: network)
        let context = PruningContext(
            space: space,
            evidence: EvidenceSource(network: network, arena: ParameterArena(network.parameters), calibration: nil),
            selection: try Selection(
                space: space, network: network, budget: Budget(.macs, 0.5), granularity: .channel, minimumFraction: 0),
            timing: PlanTiming(steps: 0, softFraction: 0, space: .channels, remaining: 0.5))
        #expect(context.remaining == 0.5 && context.network === network)
        var (old, new) = (Masks(space), Masks(space))
        old[0] = [0, 0, 0.5, 1, 1, 1, 1, 1]
        new[0] = [0, 0.25, 0, 0, 0.5, 1, 1, 1]
        let report = context.report(from: old, to: new, energy: 3, loss: 4)
        #expect(report.recovered == 1 && report.removed == 2)
        #expect(report.energy == 3 && report.loss == 4)
        #expect(report.widths == [3.75, 12])
        // 4m(1 − m) of a quarter and a half, over 20 coordinates
        #expect(close(report.softness, (0.75 + 1) / 20, 1e-12))
        // 6·3.75 + 3.75·12 + 12·4 of 192 MACs
        #expect(close(report.density, (22.5 + 45 + 48) / 192, 1e-12))
        #expect(context.report(from: new, to: new).softness == report.softness)
        #expect(context.report(from: new, to: new).removed == 0)
    }
}
