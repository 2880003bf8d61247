import Foundation
import Reports
import Workflows

/// What commands say of classifiers.
enum ClassifierText {
    /// A line with the accuracy of the result of a run; empty where nothing was measured.
    static func accuracy(of model: URL) throws -> String {
        guard let accuracy = try MeasuredAccuracy.last(beside: model) else { return "" }
        return "test accuracy: \(NumberText.percent(accuracy, decimals: 2))\n"
    }
}
