import Imagery
import Models
import TensorCore
import Testing
import Training

@testable import Diffusion

/// Batches of what a model draws.
@Suite struct GeneratedBatchesTests {
    private typealias Fixtures = GenerationFixtures

    /// Each image of a batch by itself.
    private static func rows(_ tensor: Tensor) -> [[Float]] {
        (0..<tensor.shape[0]).map { tensor.rows($0..<$0 + 1).array }
    }

    @Test func picturesAreThoseThatSamplingDraws() throws {
        let model = try Fixtures.model()
        let batches = try Fixtures.drawn(model, Fixtures.plan(.images))
        let sampler = try SamplerName.ddim.makeSampler(SchedulerConfiguration(), steps: 4)
        let samples = try ImageSampler(model: model, sampler: sampler, seed: 7, batchSize: 3)
            .images(1_000_000..<1_000_020)
        let expected = try Set(
            Self.rows(samples).map { try Image(signedUnit: $0, height: 4, width: 4, channels: 1).signedUnit })
        #expect(expected.count == 20)
        // Each of them once a pass, noised as pictures of a data set are.
        let seen = (0..<4).map(batches.batch)
        #expect(Set(seen.flatMap { Self.rows($0.clean) }) == expected)
        #expect(Set(seen.flatMap { Self.rows($0.noise) }).count == 20 && Set(seen.flatMap(\.timesteps)).count > 10)
    }

    @Test(arguments: [GenerationConfiguration.Kind.images, .trajectories])
    func classesAreDrawnEvenly(kind: GenerationConfiguration.Kind) throws {
        let model = try Fixtures.model(classes: 4)
        let batches = try Fixtures.drawn(model, Fixtures.plan(kind, steps: 3))
        var counts: [Float: Int] = [:]
        for step in 0..<(kind == .images ? 4 : 12) {
            guard case .numbers(let labels)? = batches.batch(step: step).classLabels else {
                Issue.record("no classes")
                return
            }
            for label in labels { counts[label, default: 0] += 1 }
        }
        #expect(counts == (kind == .images ? [0: 5, 1: 5, 2: 5, 3: 5] : [0: 15, 1: 15, 2: 15, 3: 15]))
    }

    @Test(arguments: [nil, 3]) func trajectoriesCarryWhatTheModelPredicts(classes: Int?) throws {
        let model = try Fixtures.model(classes: classes)
        let batches = try Fixtures.drawn(model, Fixtures.plan(.trajectories, count: 40))
        var points: Set<[Float]> = []
        var timesteps: Set<Int> = []
        for step in 0..<32 {
            let batch = batches.batch(step: step)
            guard case .predicted(let noisy, let prediction) = batch.content else {
                Issue.record("no point of a trajectory")
                return
            }
            let expected = model(
                Variable(noisy), timesteps: batch.timesteps.map(Float.init), classLabels: batch.classLabels,
                dropout: nil)
            #expect(expected.value.array == prediction.array, "step \(step)")
            for row in Self.rows(noisy) { points.insert(row) }
            timesteps.formUnion(batch.timesteps)
        }
        // Every point once, and timesteps between those of one chain: three batches of chains, of four steps each.
        #expect(points.count == 160 && timesteps.count == 12)
    }

    /// The points of a chain are its way from the noise that `sample` begins with to its picture.
    @Test func aTrajectoryLeadsToItsPicture() throws {
        let model = try Fixtures.model()
        // One batch of chains is at offset 0, where the timesteps are those of the scheduler.
        let batches = try Fixtures.drawn(model, Fixtures.plan(.trajectories, count: 16), batchSize: 16)
        let pictures = try Fixtures.drawn(model, Fixtures.plan(.images, count: 16), batchSize: 16)
        let one = batches.calibrationBatch(number: 0, of: 1, size: 16)
        let other = pictures.calibrationBatch(number: 0, of: 1, size: 16)
        #expect(one.clean.array == other.clean.array && one.noise.array == other.noise.array)
        let noise = Tensor(uninitialized: [16, 4, 4, 1])
        for image in 0..<16 {
            var stream = RandomStream(seed: 7, purpose: .initialNoise, index: UInt64(1_000_000 + image))
            stream.fillNormal(noise.rows(image..<image + 1).unsafeBuffer)
        }
        let first = (0..<4).map(batches.batch).flatMap { batch -> [[Float]] in
            guard case .predicted(let noisy, _) = batch.content else { return [] }
            return zip(Self.rows(noisy), batch.timesteps).filter { $0.1 == 750 }.map(\.0)
        }
        #expect(Set(first) == Set(Self.rows(noise)))
    }

    @Test func aBatchOfTrajectoriesCoversTheSchedule() throws {
        let batches = try Fixtures.drawn(
            Fixtures.model(), Fixtures.plan(.trajectories, count: 16, passes: 0), batchSize: 8)
        for step in 0..<20 {
            #expect(batches.batch(step: step).timesteps.sorted() == [0, 0, 250, 250, 500, 500, 750, 750])
        }
    }

    @Test(arguments: [GenerationConfiguration.Kind.images, .trajectories])
    func aBatchDependsOnItsStepAlone(kind: GenerationConfiguration.Kind) throws {
        let plan = try Fixtures.plan(kind, count: 10, passes: 1)
        let batches = try Fixtures.batches(Fixtures.model(), plan)
        for step in [0, 3, 1, 9, 2, 3] {
            let lot = try #require(batches.lots(for: step..<step + 1).first)
            if !batches.has(lot: lot) { try batches.make(lot: lot) { _ in } }
            let fresh = try Fixtures.batches(Fixtures.model(), plan)
            try fresh.make(lot: lot) { _ in }
            let (one, other) = (batches.batch(step: step), fresh.batch(step: step))
            #expect(one.timesteps == other.timesteps)
            switch (one.content, other.content) {
            case (.noised(let a, let b), .noised(let c, let d)), (.predicted(let a, let b), .predicted(let c, let d)):
                #expect(a.array == c.array && b.array == d.array, "step \(step)")
            default: Issue.record("step \(step) is of two kinds")
            }
        }
    }

    // MARK: lots

    @Test func lotsFollowEachOtherAndAreOfOtherPictures() throws {
        let model = try Fixtures.model()
        // 20 pictures, each twice, in batches of 6: 6 whole batches a lot.
        let batches = try Fixtures.batches(model, Fixtures.plan(.images, passes: 2), batchSize: 6)
        #expect(batches.lots(for: 0..<6) == 0..<1 && batches.lots(for: 5..<7) == 0..<2)
        #expect(batches.lots(for: 12..<12).isEmpty && batches.lots(for: 0..<600) == 0..<100)
        #expect(!batches.canCalibrate)
        try batches.make(lot: 0) { _ in }
        #expect(batches.has(lot: 0) && !batches.has(lot: 1) && batches.canCalibrate)
        let first = Set((0..<6).flatMap { Self.rows(batches.batch(step: $0).clean) })
        let calibration = batches.calibrationBatch(number: 0, of: 2, size: 8).clean.array
        try batches.make(lot: 1) { _ in }
        #expect(batches.has(lot: 1) && !batches.has(lot: 0) && batches.canCalibrate)
        let second = Set((6..<12).flatMap { Self.rows(batches.batch(step: $0).clean) })
        #expect(first.count == 20 && second.count == 20 && first.isDisjoint(with: second))
        #expect(batches.calibrationBatch(number: 0, of: 2, size: 8).clean.array == calibration)
        // A pool for all steps.
        let fixed = try Fixtures.batches(model, Fixtures.plan(.images))
        #expect(fixed.lots(for: 0..<1_000_000) == 0..<1)
    }

    @Test func drawingTellsOfEveryPieceAndCanBeStopped() throws {
        struct Stop: Error {}
        for kind in [GenerationConfiguration.Kind.images, .trajectories] {
            let batches = try Fixtures.batches(Fixtures.model(), Fixtures.plan(kind))
            var told: [Int] = []
            try batches.make(lot: 0) { told.append($0) }
            #expect(told == Array(1...8) && batches.lotPieces == 8, "\(kind)")
            #expect(throws: Stop.self) { try batches.make(lot: 1) { if $0 == 3 { throw Stop() } } }
            #expect(!batches.has(lot: 1) && !batches.has(lot: 0))
            var trial = 0
            try batches.makeTrial { trial += 1 }
            #expect(trial == 3 && batches.batch(step: 0).count == 5)
        }
    }

    // MARK: beside a data set

    @Test func dataAndWhatIsDrawnShareTheSteps() throws {
        let model = try Fixtures.model()
        let data = try Fixtures.data(for: model)
        let batches = try Fixtures.drawn(model, Fixtures.plan(.trajectories, share: 0.25), data: data)
        let isDrawn = (0..<24).map { batches.batch(step: $0).isPredicted }
        #expect(isDrawn == (0..<24).map { $0 % 4 == 3 })
        // The data set is gone through as if its steps were all: 18 steps of 5 see each of 12 pictures 7 or 8 times.
        var counts: [Float: Int] = [:]
        for step in 0..<24 where step % 4 != 3 {
            for row in Self.rows(batches.batch(step: step).clean) { counts[row[0], default: 0] += 1 }
        }
        #expect(counts.count == 12 && counts.values.allSatisfy { $0 == 7 || $0 == 8 })
        #expect(
            batches.calibrationBatch(number: 1, of: 2, size: 4).clean.array
                == data.calibrationBatch(number: 1, of: 2, size: 4).clean.array)
        // No lot is made for steps on the data set.
        #expect(batches.lots(for: 0..<3).isEmpty && batches.lots(for: 3..<4) == 0..<1)
        let all = try Fixtures.drawn(model, Fixtures.plan(.images, share: 1), data: data)
        #expect(all.lots(for: 0..<1) == 0..<1)
    }

    // MARK: refusals

    @Test func modelsThatCannotDrawThemAreRefused() throws {
        func expectRefused(
            _ words: String, steps: Int = 4, _ change: (inout UNetConfiguration) -> Void = { _ in }
        ) throws {
            let model = try Fixtures.model(change)
            #expect {
                try Fixtures.batches(model, Fixtures.plan(.images, steps: steps))
            } throws: {
                "\($0)".contains(words)
            }
        }
        try expectRefused("2 channels") { $0.inChannels = 2 }
        try expectRefused("takes any number for a class") { $0.classEmbedType = .timestep }
        try expectRefused("are vectors") { $0.classEmbedType = .identity }
        let short = try Fixtures.plan(.images, steps: 1000)
        var scheduler = SchedulerConfiguration()
        scheduler.trainTimesteps = 50
        #expect {
            try GeneratedBatches(
                drawnBy: Fixtures.model(), scheduler, short, settings: Fixtures.settings(), flip: false, data: nil)
        } throws: {
            "\($0)".contains("recovery.generated_steps") && "\($0)".contains("1...50")
        }
    }

    @Test func settingsOutOfRangeAreRefused() throws {
        func expectRefused(_ key: String, _ change: (inout GenerationConfiguration) -> Void) {
            var plan = GenerationConfiguration()
            plan.generated = .images
            change(&plan)
            #expect {
                try plan.validate()
                _ = try plan.resolved(hasData: false)
            } throws: {
                "\($0)".contains(key)
            }
        }
        expectRefused("generated_count") { $0.generatedCount = 0 }
        expectRefused("generated_steps") { $0.generatedSteps = 0 }
        expectRefused("generated_passes") { $0.generatedPasses = -1 }
        expectRefused("generated_share") { $0.generatedShare = 0 }
        expectRefused("generated_share") { $0.generatedShare = 1.5 }
        // Half of the steps on no data set.
        expectRefused("--data") { $0.generatedShare = 0.5 }
    }

    @Test func whatIsLeftOpenIsFilledIn() throws {
        var plan = GenerationConfiguration()
        #expect(try plan.resolved(hasData: true) == plan)
        plan.generated = .images
        let pictures = try plan.resolved(hasData: true)
        #expect(
            pictures.generatedCount == 1024 && pictures.generatedPasses == 0 && pictures.generatedShare == 0.5)
        plan.generated = .trajectories
        let points = try plan.resolved(hasData: false)
        #expect(points.generatedCount == 256 && points.generatedPasses == 1 && points.generatedShare == 1)
    }

    // MARK: the loss

    /// At a point of a trajectory the loss is the error to the prediction that it carries, whatever a teacher says.
    @Test(arguments: [0, 0.3, 1], [LossWeighting.uniform, .minSNR])
    func aKnownPredictionIsTheTarget(distillation: Double, weighting: LossWeighting) throws {
        let batch = try Fixtures.drawn(Fixtures.model(), Fixtures.plan(.trajectories)).batch(step: 2)
        guard case .predicted(let noisy, let prediction) = batch.content else {
            Issue.record("no point of a trajectory")
            return
        }
        let (student, stranger) = (try Fixtures.model(seed: 11), try Fixtures.model(seed: 12))
        let objective = try DenoisingObjective(SchedulerConfiguration(), weighting: weighting)
        let got = objective.loss(of: student, batch, teacher: stranger, distillation: Float(distillation))
        let own = student(Variable(noisy), timesteps: batch.timesteps.map(Float.init), classLabels: nil, dropout: nil)
        let expected =
            batch.timesteps.indices.map { index in
                let timestep = batch.timesteps[index]
                let weight = weighting.weight(
                    signal: Double(objective.schedule.signalCoefficient(at: timestep)),
                    noise: Double(objective.schedule.noiseCoefficient(at: timestep)), predicting: .epsilon)
                let rows = index..<index + 1
                return weight
                    * zip(own.value.rows(rows).array, prediction.rows(rows).array).reduce(0) {
                        $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1)
                    }
            }.reduce(0, +) / Double(prediction.count)
        #expect(abs(Double(got.value.scalar) - expected) < 1e-5 * expected)
        let same = objective.loss(of: try Fixtures.model(), batch, teacher: stranger, distillation: Float(distillation))
        #expect(same.value.scalar == 0)
        let part = batch.samples(1..<3)
        guard case .predicted(_, let kept) = part.content else {
            Issue.record("no point of a trajectory")
            return
        }
        #expect(part.count == 2 && kept.array == prediction.rows(1..<3).array)
    }
}
