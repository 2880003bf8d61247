import Foundation
import Pruning
import Testing

@Suite struct PruningPlanTests {
    private func plan(
        _ count: Int, steps: Int, softFraction: Double, _ space: PruningSpace.Kind = .channels, repairs: Bool = false
    ) -> PruningPlan {
        .updates(
            count, PlanTiming(steps: steps, softFraction: softFraction, space: space, remaining: 0.5), repairs: repairs)
    }

    /// Update i of n comes after round(steps · softFraction · i/(n − 1)) steps, the first at once.
    @Test(arguments: [1, 2, 5, 8], [0, 1, 3, 10, 997])
    func updatesLieEvenlyInTheSoftShareOfTheSteps(count: Int, steps: Int) {
        for softFraction in [0, 0.25, 0.333, 1] {
            for space in PruningSpace.Kind.allCases {
                let plan = plan(count, steps: steps, softFraction: softFraction, space)
                var done = 0
                var places: [Int: Int] = [:]
                for stage in plan.stages {
                    switch stage {
                    case .train(let steps):
                        #expect(steps > 0)
                        done += steps
                    case .update(let number): places[number] = done
                    default: break
                    }
                }
                #expect(plan.steps == steps && plan.updates == count && places.count == count)
                for number in 0..<count {
                    let share = count == 1 ? 0 : Double(number) / Double(count - 1)
                    #expect(places[number] == Int((softFraction * Double(steps) * share).rounded()))
                }
            }
        }
    }

    @Test func channelsLeaveAfterTheLastUpdateAndWeightsAtTheEnd() {
        #expect(
            plan(3, steps: 10, softFraction: 0.4).stages == [
                .update(0), .train(steps: 2), .update(1), .train(steps: 2), .update(2), .compact, .train(steps: 6),
            ])
        #expect(
            plan(2, steps: 10, softFraction: 0.5, .weights).stages == [
                .update(0), .train(steps: 5), .update(1), .train(steps: 5), .bake,
            ])
        #expect(
            plan(2, steps: 10, softFraction: 0.5, repairs: true).stages == [
                .update(0), .train(steps: 5), .update(1), .reconstruct, .compact, .train(steps: 5),
            ])
    }

    @Test func withoutStepsUpdatesFollowOneAnother() {
        #expect(plan(3, steps: 0, softFraction: 0.5).stages == [.update(0), .update(1), .update(2), .compact])
        #expect(plan(1, steps: 0, softFraction: 1, .weights).stages == [.update(0), .bake])
    }

    @Test func oneUpdateComesBeforeAnyStep() {
        #expect(plan(1, steps: 8, softFraction: 1).stages == [.update(0), .compact, .train(steps: 8)])
        #expect(plan(1, steps: 8, softFraction: 1, .weights).stages == [.update(0), .train(steps: 8), .bake])
    }

    /// Learning rates run over the longest way that no rewinding cuts short.
    @Test func learningRatesRunOverTheLongestWay() {
        #expect(plan(3, steps: 10, softFraction: 0.4).scheduleSteps == 10)
        let rounds = PruningPlan([
            .train(steps: 2), .snapshot("early"), .train(steps: 3), .update(0), .rewind(to: "early", weights: true),
            .train(steps: 5),
            .update(1), .rewind(to: "early", weights: true), .train(steps: 4),
        ])
        #expect(rounds.steps == 14 && rounds.scheduleSteps == 7)
        #expect(PruningPlan([]).scheduleSteps == 0)
    }

    /// Once it is decided what stays, and repaired, learning rates begin anew.
    @Test func aScheduleIsRewoundWhereItIsDecidedWhatStays() {
        let channels = plan(3, steps: 10, softFraction: 0.4).rewindingLearningRate
        #expect(
            channels.stages == [
                .snapshot("start"), .update(0), .train(steps: 2), .update(1), .train(steps: 2), .update(2),
                .rewind(to: "start", weights: false), .compact, .train(steps: 6),
            ])
        #expect(channels.steps == 10 && channels.scheduleSteps == 6)
        let repaired = PruningPlan([.train(steps: 3), .update(0), .reconstruct, .compact, .train(steps: 1)])
        #expect(
            repaired.rewindingLearningRate.stages == [
                .snapshot("start"), .train(steps: 3), .update(0), .reconstruct, .rewind(to: "start", weights: false),
                .compact, .train(steps: 1),
            ])
        #expect(!channels.rewindsWeights(to: "start") && channels.rewinds && !repaired.rewinds)
        // They begin there anyway.
        let once = plan(1, steps: 8, softFraction: 1)
        #expect(once.rewindingLearningRate == once)
    }

    /// It is plain data.
    @Test func aPlanSurvivesJSON() throws {
        let plan = PruningPlan([
            .snapshot("start"), .update(0), .train(steps: 3), .rewind(to: "start", weights: true), .reconstruct, .bake,
            .compact,
        ])
        #expect(try JSONDecoder().decode(PruningPlan.self, from: JSONEncoder().encode(plan)) == plan)
    }
}
