import Runs

/// The parts of an evaluation, in the order in which they are done.
enum EvaluationPart: Int, CaseIterable {
    case dense, pruned, predictions, features, timing

    /// What all parts are expected to take, in predictions of the dense model for one picture.
    ///
    /// - Parameters:
    ///   - share: of the dense model's work that the pruned one's prediction is.
    ///   - hasFeatures: whether a Fréchet distance is taken.
    ///   - hasData: whether predictions are compared on real images; else they are on those drawn.
    static func stretches(
        _ settings: EvaluationSettings, prunedShare share: Double, hasFeatures: Bool, hasData: Bool
    ) -> [Timetable.Stretch] {
        let batch = Double(min(settings.count, settings.batchSize))
        let pieces = (settings.count + settings.batchSize - 1) / settings.batchSize * settings.steps
        let compared = hasData ? settings.predictionImages : min(settings.predictionImages, settings.count)
        return allCases.map { part in
            switch part {
            case .dense:
                .init("dense prediction", pieces: pieces, weight: batch, noun: "picture", count: settings.count)
            case .pruned:
                .init(
                    "pruned prediction", pieces: pieces, weight: batch * share, noun: "picture", count: settings.count)
            case .predictions:
                .init(
                    "comparison", pieces: settings.timestepCount,
                    weight: Double(compared) * (1 + share), noun: "comparison")
            case .features:
                // The feature net is small beside a model; reading the reference is most of it.
                .init("features", pieces: hasFeatures ? 1 : 0, weight: 0.1 * batch, noun: "Fréchet distance")
            case .timing:
                // Two rounds to warm up, nine that count, one for memory.
                .init("timing", pieces: 1, weight: 12 * Double(settings.timedBatch) * (1 + share), noun: "timing")
            }
        }
    }
}
