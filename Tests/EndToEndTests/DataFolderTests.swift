import Foundation
import Imagery
import TestSupport
import Testing

/// Folders of pictures as people have them, given to the tool.
@Suite struct DataFolderTests {
    let scratch: Scratch
    /// Grey 8×8.
    private let model = Tool.fixture("unet/plain")

    init() throws { scratch = try Scratch() }

    private func save(_ value: UInt8, _ path: String) throws {
        let url = scratch.url.appendingPathComponent(path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try PNG.write(Image(width: 8, height: 8, channels: 1, filledWith: RGBColor(value, value, value)), to: url)
    }

    private func finetune(_ data: String, _ more: String...) throws -> Tool.Result {
        try Tool.run(
            [
                "finetune", "--model", model, "--data", scratch.path(data), "--steps", "1", "--output",
                scratch.path("out-\(UUID().uuidString)"), "--quiet", "--threads", "1",
            ] + more)
    }

    @Test func jpegsAreTrainedOn() throws {
        try FileManager.default.copyItem(
            at: Fixtures.url("imagery/jpeg/rgb-420-75.jpg"), to: scratch.url.appendingPathComponent("one.jpg"))
        #expect(try finetune("one.jpg").status == 0)
        let folder = scratch.url.appendingPathComponent("photos")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        for (name, source) in [("a.JPG", "grey"), ("b.jpeg", "progressive-420"), ("c.jpg", "cmyk")] {
            try FileManager.default.copyItem(
                at: Fixtures.url("imagery/jpeg/\(source).jpg"), to: folder.appendingPathComponent(name))
        }
        let result = try finetune("photos")
        #expect(result.status == 0, "\(result.errors)")
        let pictures = try Tool.run(
            "evaluate", "--dense-images", folder.path, "--pruned-images", folder.path, "--output",
            scratch.path("compared"), "--json", "--quiet")
        #expect(pictures.status == 0 && pictures.output.contains("\"count\": 3"), "\(pictures.errors)")
    }

    @Test func aSplitIsReadAlone() throws {
        for split in ["train", "val", "test"] {
            for number in 0..<2 { try save(UInt8(number), "data/\(split)/\(number).png") }
        }
        try scratch.write("no picture", to: "data/test/broken.png")
        let trained = try finetune("data")
        #expect(trained.status == 0, "\(trained.errors)")
        func evaluate(_ split: String) throws -> Tool.Result {
            try Tool.run(
                "evaluate", "--dense", model, "--pruned", model, "--data", scratch.path("data"), "--split", split,
                "--count", "2", "--steps", "2", "--output", scratch.path("out-\(split)"), "--quiet", "--threads", "1")
        }
        let validation = try evaluate("validation")
        #expect(validation.status == 0, "\(validation.errors)")
        let test = try evaluate("test")
        #expect(test.status == 65 && test.errors.contains("test/broken.png"), "\(test.errors)")
        let unknown = try evaluate("valdation")
        #expect(unknown.status == 64 && unknown.errors.contains("'validation'"), "\(unknown.errors)")
    }

    @Test func classesComeFromMetadata() throws {
        for number in 0..<4 { try save(UInt8(40 * number), "data/\(number).png") }
        try scratch.write("file_name,kind\n0.png,cat\n1.png,dog\n2.png,cat\n3.png,dog\n", to: "data/metadata.csv")
        let conditional = Tool.fixture("unet/class-embedding")
        func evaluate(_ name: String, _ more: String...) throws -> Tool.Result {
            try Tool.run(
                [
                    "evaluate", "--dense", conditional, "--pruned", conditional, "--data", scratch.path("data"),
                    "--count", "10", "--steps", "2", "--output", scratch.path(name), "--threads", "1", "--quiet",
                ] + more)
        }
        let named = try evaluate("named", "--label-column", "kind")
        #expect(named.status == 0, "\(named.errors)")
        let metrics = try scratch.text("named/metrics.json")
        #expect(metrics.contains("\"name\": \"dog\""))
        let wrong = try evaluate("wrong", "--label-column", "kinds")
        #expect(wrong.status == 65 && wrong.errors.contains("did you mean 'kind'?"), "\(wrong.errors)")
        let alone = try Tool.run(
            "evaluate", "--dense", conditional, "--pruned", conditional, "--label-column", "kind", "--output",
            scratch.path("alone"))
        #expect(alone.status == 64 && alone.errors.contains("--label-column has no effect without --data"))

        try scratch.write("data: {label_column: kind}\nfinetuning: {batch_size: 2}\n", to: "kind.yaml")
        let trained = try Tool.run(
            "finetune", "--model", conditional, "--config", scratch.path("kind.yaml"), "--data", scratch.path("data"),
            "--steps", "1", "--output", scratch.path("trained"), "--quiet", "--threads", "1")
        #expect(trained.status == 0, "\(trained.errors)")
    }

    @Test func whyThereIsNoFrechetDistanceIsPrinted() throws {
        for number in 0..<4 { try save(UInt8(40 * number), "data/\(number).png") }
        func evaluate(_ name: String, _ more: String...) throws -> Tool.Result {
            try Tool.run(
                [
                    "evaluate", "--dense", model, "--pruned", model, "--count", "2", "--steps", "2", "--output",
                    scratch.path(name), "--threads", "1", "--quiet",
                ] + more)
        }
        let other = try evaluate("other", "--data", scratch.path("data"))
        let flat = other.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(flat.contains("Fréchet none: the bundled feature net"), "\(other.output)")
        #expect(flat.contains("not 8×8×1") && flat.contains("--set features.input_size=8 features.channels=1"))
        #expect(flat.contains("diffprune train-features") && flat.contains("pytorch-fid"))
        let report = try scratch.text("other/report.html")
        #expect(report.contains("The way out"))
        let none = try evaluate("none")
        #expect(none.output.contains("none: no data set was given"), "\(none.output)")
    }

    /// The way out that `evaluate` names, with a validation split where there is no test split.
    @Test func aFeatureNetOfOnesOwnIsTrained() throws {
        for (number, path) in ["train/a", "train/b", "val/a", "val/b"].enumerated() {
            for picture in 0..<3 { try save(UInt8(60 * (number % 2) + picture), "data/\(path)/\(picture).png") }
        }
        let trained = try Tool.run(
            "train-features", "--data", scratch.path("data"), "--output", scratch.path("features"), "--quiet",
            "--threads", "1", "--set", "features.input_size=8", "features.channels=1", "features.epochs=1")
        #expect(trained.status == 0 && trained.output.contains("of 6 images"), "\(trained.errors)")
        let result = try Tool.run(
            "evaluate", "--dense", model, "--pruned", model, "--data", scratch.path("data"), "--features",
            scratch.path("features"), "--count", "2", "--steps", "2", "--output", scratch.path("out"), "--quiet",
            "--threads", "1")
        #expect(result.status == 0 && result.output.contains("in classifier-64"), "\(result.errors)")
        #expect(result.errors.contains("2 pictures of each model and 6 reference images"), "\(result.errors)")

        try FileManager.default.removeItem(atPath: scratch.path("data/val"))
        let alone = try Tool.run(
            "train-features", "--data", scratch.path("data"), "--output", scratch.path("other"), "--quiet")
        #expect(alone.status == 65 && alone.errors.contains("has no test split"), "\(alone.errors)")
    }

    @Test func pointersOfGitLFSAreNamed() throws {
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
        let copy = scratch.url.appendingPathComponent("model")
        for file in [
            "unet/diffusion_pytorch_model.safetensors", "unet/config.json", "scheduler/scheduler_config.json",
        ] {
            try? FileManager.default.removeItem(at: copy)
            try FileManager.default.copyItem(at: URL(fileURLWithPath: model), to: copy)
            try scratch.write(pointer, to: "model/\(file)")
            let result = try Tool.run("info", "--model", copy.path)
            #expect(result.status == 65 && result.complaints.count == 1, "\(file): \(result.errors)")
            #expect(
                result.errors.contains("\(file): this is a Git LFS pointer, not the file: run git lfs pull"),
                "\(result.errors)")
        }
        for name in ["0.png", "0.jpg", "train-images-idx3-ubyte"] {
            try save(1, "data-\(name)/1.png")
            try FileManager.default.removeItem(at: scratch.url.appendingPathComponent("data-\(name)/1.png"))
            try scratch.write(pointer, to: "data-\(name)/\(name)")
            let result = try finetune("data-\(name)")
            #expect(result.status == 65 && result.errors.contains("run git lfs pull"), "\(result.errors)")
        }
        let configuration = try scratch.write(pointer, to: "run.yaml")
        let trained = try Tool.run("train", "--config", configuration, "--output", scratch.path("run"))
        #expect(trained.status == 64 && trained.errors.contains("run git lfs pull"), "\(trained.errors)")
    }
}
