import Classification
import Foundation
import ModelFolders
import Models
import Training

extension StoredImageClassifier {
    public func judgement(
        file url: URL
    ) throws -> (task: Classification<ImageClassifier>, parts: [LabelledBatch], whole: LabelledBatch) {
        let file = try TensorFile(url)
        let images = try file.images("sample", channels: imageShape[2])
        guard Array(images.shape[1...]) == imageShape else {
            throw TensorFileError.wrongShape(
                file: file.path, name: "sample", got: try file.shape("sample"),
                expected: "[N, \(imageShape[2]), \(imageShape[0]), \(imageShape[1])], the model's images")
        }
        let numbers = try file.numbers("labels", count: images.shape[0])
        if let bad = numbers.first(where: { !($0 >= 0 && $0 < Float(model.classCount) && $0 == $0.rounded()) }) {
            throw TensorFileError.outOfRange(
                file: file.path, name: "labels", got: bad.plain,
                expected: "whole numbers in 0..<\(model.classCount), the model's classes")
        }
        let batch = LabelledBatch(images: images, labels: numbers.map { Int($0) })
        return (Classification(), EqualParts.parts(of: batch, size: EqualParts.size(of: batch.count)), batch)
    }
}
