import Foundation
import Models
import Reports
import Runs

/// Refuses what cannot fit this machine's memory before it is tried.
public enum MemoryEstimate {
    /// - Parameters:
    ///   - model: what computes.
    ///   - size: height and width.
    ///   - batch: images at a time.
    public static func check(_ model: UNet, size: [Int], batch: Int) throws {
        try check(width: model.configuration.blockOutChannels[0], size: size, batch: batch)
    }

    /// - Parameters:
    ///   - width: channels at full size.
    ///   - size: height and width.
    ///   - batch: images at a time.
    public static func check(width: Int, size: [Int], batch: Int) throws {
        // The widest activations at full size, a few of which live at once; a lower bound, so that nothing that would
        // have worked is refused.
        let bytes = 4 * 4 * Double(size[0]) * Double(size[1]) * Double(width) * Double(batch)
        let memory = Double(ProcessInfo.processInfo.physicalMemory)
        guard bytes <= memory else {
            throw RequestError.conflict(
                "\(batch) images of \(size[0])×\(size[1]) at a time take at least \(NumberText.bytes(bytes)), "
                    + "expected at most this machine's \(NumberText.bytes(memory)): "
                    + "make the batch or the images smaller")
        }
    }
}
