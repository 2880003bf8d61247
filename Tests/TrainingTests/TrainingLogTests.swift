import Testing
import Training

@Suite struct TrainingLogTests {
    private func report(_ step: Int, penalty: Double? = nil) -> TrainingStepReport {
        TrainingStepReport(
            step: step, loss: Double(step), penalty: penalty, gradientNorm: 10 * Double(step), learningRate: 0.5)
    }

    @Test func linesHaveTheMeanLossAndTheLastStepsNumbers() throws {
        let log = TrainingLog(every: 3)
        #expect(log.add(report(1)) == nil && log.recentLoss == 1)
        #expect(log.add(report(2)) == nil && log.recentLoss == 1)
        #expect(
            log.add(report(3))
                == ["loss": .double(2), "gradient_norm": .double(30), "learning_rate": .double(0.5)])
        #expect(log.flush() == nil)
        _ = log.add(report(4))
        #expect(log.add(report(5, penalty: 0.25)) == nil)
        #expect(try #require(log.flush())["penalty"] == .double(0.25))
        #expect(log.recentLoss == 4.5)
    }

    /// Terms beside the loss are averaged as it is, wherever a run was cut.
    @Test func furtherTermsAreMeansToo() throws {
        func report(_ step: Int) -> TrainingStepReport {
            TrainingStepReport(
                step: step, loss: 1, terms: ["feature_loss": Double(step)], gradientNorm: 1, learningRate: 1)
        }
        let (log, other) = (TrainingLog(every: 2), TrainingLog(every: 2))
        #expect(log.add(report(1)) == nil)
        #expect(try #require(log.add(report(2)))["feature_loss"] == .double(1.5))
        #expect(log.add(report(3)) == nil && other.restore(log.state, step: 3))
        #expect(try #require(log.add(report(4)))["feature_loss"] == .double(3.5))
        #expect(try #require(other.add(report(4)))["feature_loss"] == .double(3.5))
    }

    @Test func aRestoredLogGoesOnWithinItsInterval() throws {
        let (whole, first, second) = (TrainingLog(every: 4), TrainingLog(every: 4), TrainingLog(every: 4))
        for step in 1...6 {
            _ = whole.add(report(step, penalty: 1))
            _ = first.add(report(step, penalty: 1))
        }
        #expect(second.restore(first.state, step: 6))
        #expect(second.add(report(7)) == nil && whole.add(report(7)) == nil)
        let line = try #require(second.add(report(8)))
        #expect(line == whole.add(report(8)))
        #expect(!second.restore(["sum": .double(1)], step: 6))
        #expect(!TrainingLog(every: 4).restore(first.state, step: 1))
    }
}
