import TestSupport
import Foundation
import Testing

@testable import Imagery

struct PictureFolderTests {
    private func save(_ image: Image, _ folder: URL, _ name: String) throws {
        try PNG.write(image, to: folder.appendingPathComponent(name))
    }

    private func grey(_ value: UInt8, side: Int = 4) -> Image {
        Image(width: side, height: side, channels: 1, filledWith: RGBColor(value, value, value))
    }

    private func open(_ url: URL, _ change: (inout DatasetSpecification) -> Void = { _ in }) throws -> InMemoryDataset {
        var specification = DatasetSpecification(path: url.path)
        change(&specification)
        return try DatasetReader.open(specification)
    }

    @Test func flatFoldersAreReadInOrderOfNames() throws {
        try withTemporaryFolder { parent in
            for (name, value) in [("c.png", 3), ("a.PNG", 1), ("b.png", 2), (".hidden.png", 9)] {
                try save(grey(UInt8(value)), parent, name)
            }
            try Data("text".utf8).write(to: parent.appendingPathComponent("LICENSE"))
            let dataset = try open(parent)
            #expect((0..<dataset.count).map { dataset.image($0).pixels[0] } == [1, 2, 3])
            #expect(dataset.channels == 1 && dataset.labelCount == nil)
            #expect(try open(parent) { $0.limit = 2 }.count == 2)
            #expect(message { _ = try open(parent) { $0.split = .test } }.contains("no test split"))
            let one = try open(parent.appendingPathComponent("b.png"))
            #expect(one.count == 1 && one.image(0) == grey(2))
        }
    }

    @Test func subfoldersAreClassesTakenInTurn() throws {
        try withTemporaryFolder { parent in
            let cats = try folder(parent, "cats")
            let dogs = try folder(parent, "dogs")
            for i in 0..<3 { try save(grey(UInt8(10 + i)), cats, "\(i).png") }
            try save(grey(20), dogs, "0.png")
            try FileManager.default.createSymbolicLink(
                at: dogs.appendingPathComponent("1.png"), withDestinationURL: cats.appendingPathComponent("2.png"))
            let dataset = try open(parent)
            #expect((0..<5).map { dataset.image($0).pixels[0] } == [10, 20, 11, 12, 12])
            #expect((0..<5).map { dataset.label($0) } == [0, 1, 0, 1, 0])
            #expect(dataset.labelNames == ["cats", "dogs"] && dataset.labelCount == 2)
            let limited = try open(parent) { $0.limit = 1 }
            #expect(limited.count == 1 && limited.labelCount == 2)
        }
    }

    @Test func trainAndTestFoldersAreSplits() throws {
        try withTemporaryFolder { parent in
            try save(grey(1), try folder(parent, "train/x"), "0.png")
            try save(grey(2), try folder(parent, "test/x"), "0.png")
            #expect(try open(parent).image(0) == grey(1))
            let test = try open(parent) { $0.split = .test }
            #expect(test.image(0) == grey(2) && test.labelNames == ["x"])
            try FileManager.default.removeItem(at: parent.appendingPathComponent("test"))
            #expect(message { _ = try open(parent) { $0.split = .test } }.contains("no test split"))
        }
    }

    @Test func colourAfterGreyMakesAllColour() throws {
        try withTemporaryFolder { parent in
            let colour = noiseImage(4, 4, 3)
            let glass = Image(width: 4, height: 4, channels: 4, pixels: noise(64))
            try save(grey(5), parent, "0.png")
            try save(colour, parent, "1.png")
            try save(glass, parent, "2.png")
            let dataset = try open(parent) { $0.background = .white }
            #expect(dataset.channels == 3 && dataset.image(0) == grey(5).converted(toChannels: 3))
            #expect(dataset.image(1) == colour && dataset.image(2) == glass.compositing(over: .white))
            let transparent = try open(parent) { $0.channels = 4 }
            #expect(transparent.image(2) == glass && transparent.image(1) == colour.converted(toChannels: 4))
            #expect(try open(parent) { $0.channels = 1 }.image(1) == colour.converted(toChannels: 1))
        }
    }

    @Test func sizesMustAgreeUnlessOneIsAskedFor() throws {
        try withTemporaryFolder { parent in
            try save(grey(5, side: 4), parent, "0.png")
            try save(grey(9, side: 2), parent, "1.png")
            let text = message { _ = try open(parent) }
            #expect(text.contains("1.png is 2×2") && text.contains("0.png is 4×4"), "\(text)")
            let padded = try open(parent) {
                $0.size = 4
                $0.padding = .white
            }
            #expect(padded.image(1).pixels == [255, 255, 255, 255, 255, 9, 9, 255, 255, 9, 9, 255, 255, 255, 255, 255])
            #expect(try open(parent) { ($0.size, $0.fit) = (4, .resize) }.image(1) == grey(9))
        }
    }

    @Test func nothingIsPassedOverInSilence() throws {
        try withTemporaryFolder { parent in
            let good = try folder(parent, "good")
            try save(grey(1), good, "0.png")
            func fails(_ name: String, _ reason: String, _ place: URL) throws {
                let text = message { _ = try open(parent) }
                #expect(text.contains(reason) && text.contains(place.path), "\(name): \(text)")
            }
            let broken = good.appendingPathComponent("1.png")
            try Data("no image".utf8).write(to: broken)
            try fails("broken", "signature", broken)
            try FileManager.default.removeItem(at: broken)
            try FileManager.default.createSymbolicLink(atPath: broken.path, withDestinationPath: "nowhere.png")
            try fails("dangling link", "no such file", broken)
            try FileManager.default.removeItem(at: broken)

            let photo = good.appendingPathComponent("photo.webp")
            try Data().write(to: photo)
            try fails("other image", "photo.webp is a WebP image", good)
            try FileManager.default.moveItem(at: photo, to: parent.appendingPathComponent("photo.webp"))
            try fails("other image beside classes", "mogrify -format png *.webp", parent)
            try FileManager.default.removeItem(at: parent.appendingPathComponent("photo.webp"))
            let archive = good.appendingPathComponent("more.zip")
            try Data().write(to: archive)
            try fails("archive", "more.zip is not a PNG or JPEG", good)
            try FileManager.default.removeItem(at: archive)

            let empty = try folder(parent, "empty")
            try fails("empty class", "it is empty", empty)
            try FileManager.default.removeItem(at: empty)

            let stray = parent.appendingPathComponent("stray.png")
            try save(grey(1), parent, "stray.png")
            try fails("folders and files", "both pictures (stray.png) and folders (good/)", parent)
            try FileManager.default.removeItem(at: stray)

            let loop = good.appendingPathComponent("loop")
            try FileManager.default.createSymbolicLink(at: loop, withDestinationURL: parent)
            try fails("link that leads round", "a link to a folder that it lies in", loop)
            try FileManager.default.removeItem(at: loop)
            #expect(try open(parent).count == 1)
        }
    }

    @Test func unknownPathsSayWhatIsThere() throws {
        try withTemporaryFolder { parent in
            #expect(message { _ = try open(parent) }.contains("it is empty"))
            let missing = parent.appendingPathComponent("missing")
            #expect(message { _ = try open(missing) }.contains("nothing at this path"))
            try Data("a,b".utf8).write(to: parent.appendingPathComponent("table.csv"))
            #expect(message { _ = try open(parent) }.contains("it holds table.csv"))
            let table = parent.appendingPathComponent("table.csv")
            #expect(message { _ = try open(table) }.contains("expected an IDX file of images"))
            try save(grey(1), parent, "0.png")
            try Data().write(to: parent.appendingPathComponent("data_batch_1.bin"))
            #expect(message { _ = try open(parent) }.contains("CIFAR-10 batches and pictures"))
        }
    }

    @Test func numbersOutOfRangeAreErrors() throws {
        let path = Repository.url("Samples/fashion-mnist").path
        for specification in [
            DatasetSpecification(path: path, size: 0), .init(path: path, size: 4097), .init(path: path, size: .max),
            .init(path: path, channels: 2), .init(path: path, limit: 0), .init(path: path, limit: -5),
        ] {
            let error = #expect(throws: DatasetError.self) { try DatasetReader.open(specification) }
            guard case .badOption? = error else {
                Issue.record("expected a bad option, got \(String(describing: error))")
                continue
            }
        }
        // 2,000 images of 4096 × 4096 would be 31 GiB.
        #expect(
            message { _ = try DatasetReader.open(.init(path: path, size: 4096)) }.contains("smaller size or a limit"))
    }
}
