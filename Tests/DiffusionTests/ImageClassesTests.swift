import TestSupport
import Diffusion
import Models
import TensorCore
import Testing

/// Which class an image is drawn with.
@Suite struct ImageClassesTests {
    @Test func allClassesComeInTurn() {
        let classes = ImageClasses.all(count: 3)
        #expect((0..<7).map(classes.label) == [0, 1, 2, 0, 1, 2, 0])
        #expect((0..<3).map(ImageClasses.one(2.5).label) == [2.5, 2.5, 2.5])
        #expect(ImageClasses(everyOf: .numbers(below: 4)) == .all(count: 4))
        #expect(ImageClasses(everyOf: .numbers(below: nil)) == .one(0))
        #expect(ImageClasses(everyOf: .none) == nil && ImageClasses(everyOf: .vectors(width: 8)) == nil)
    }

    @Test func anImageIsThatOfItsClassInAnyBatch() throws {
        var configuration = UNetConfiguration()
        configuration.sampleSize = [8, 8]
        configuration.inChannels = 1
        configuration.outChannels = 1
        configuration.downBlockTypes = ["DownBlock2D"]
        configuration.upBlockTypes = ["UpBlock2D"]
        configuration.blockOutChannels = [4]
        configuration.layersPerBlock = 1
        configuration.normNumGroups = 2
        configuration.numClassEmbeds = 3
        let model = try UNet(configuration)
        model.initialize(seed: 5)
        let sampler = try SamplerName.ddim.makeSampler(SchedulerConfiguration(), steps: 2)
        func images(_ classes: ImageClasses, _ range: Range<Int>, batch: Int) throws -> [[Float]] {
            let drawn = try ImageSampler(model: model, sampler: sampler, seed: 9, classes: classes, batchSize: batch)
                .images(range)
            return range.indices.map { drawn.rows(($0 - range.lowerBound)..<($0 - range.lowerBound + 1)).array }
        }
        let all = try images(.all(count: 3), 0..<7, batch: 4)
        #expect(try images(.all(count: 3), 0..<7, batch: 2) == all)
        #expect(try images(.all(count: 3), 4..<7, batch: 3) == Array(all[4...]))
        for label in 0..<3 {
            let one = try images(.one(Float(label)), 0..<7, batch: 7)
            for number in 0..<7 { #expect((one[number] == all[number]) == (number % 3 == label)) }
        }
    }
}
