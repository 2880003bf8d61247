import Synchronization

/// What an operation is, for tables of where time goes.
public enum OperationKind: String, Sendable, Codable, CaseIterable {
    case convolution3x3 = "conv3x3"
    case convolution1x1 = "conv1x1"
    case linear, attention
    case groupNorm = "group-norm"
    case batchNorm = "batch-norm"
    case resample, copy, elementwise, embedding
}

/// Where the time of a network goes, operation by operation.
///
/// Layers and models run their operations through `timed` (by way of `LayerOperation.run`, which has them observed
/// too). While no profile is being taken that costs one look at a task-local value.
public final class OperationProfile: Sendable {
    /// One operation that ran.
    public struct Entry: Sendable {
        public let name: String
        public let kind: OperationKind
        public let inputShape: [Int]
        public let outputShape: [Int]
        /// Multiply–accumulates of the whole batch, as the operation is defined: Winograd's savings are not subtracted.
        public let macs: Double
        public let duration: Duration
        /// What its part of the backward pass took, where there was one.
        public fileprivate(set) var backwardDuration = Duration.zero
    }

    /// The operation that a node of the graph belongs to.
    struct Tag {
        fileprivate let profile: OperationProfile
        fileprivate let index: Int

        /// Runs the node's part of the backward pass on the operation's account.
        func timedBackward(_ body: () -> Void) {
            let duration = ContinuousClock().measure(body)
            profile.state.withLock { $0.entries[index].backwardDuration += duration }
        }
    }

    private struct State {
        var entries: [Entry] = []
        /// Whether an operation, the one after the last entry, is running.
        var isOpen = false
    }

    @TaskLocal private static var current: OperationProfile?
    private let state = Mutex(State())

    private init() {}

    /// The operation that is running; nil outside one and outside a profile.
    static var openTag: Tag? {
        guard let current else { return nil }
        return current.state.withLock { state in
            state.isOpen ? Tag(profile: current, index: state.entries.count) : nil
        }
    }

    /// Runs `body` and returns the operations that it ran, in order; backward passes are timed too.
    public static func entries(during body: () throws -> Void) rethrows -> [Entry] {
        let profile = OperationProfile()
        try $current.withValue(profile, operation: body)
        return profile.state.withLock { $0.entries }
    }

    /// Runs `body` for every part of a batch on the engine's threads: the same operations, each on some images.
    ///
    /// A profile that is being taken gets every operation once, for the whole batch: the parts' multiply–accumulates
    /// together, and their time over the number of threads.
    public static func parallelParts(_ count: Int, _ body: (Int) -> Void) {
        guard let current else { return Engine.parallel(count, body) }
        let parts = (0..<count).map { _ in OperationProfile() }
        Engine.parallel(count) { part in $current.withValue(parts[part]) { body(part) } }
        let entries = parts.map { part in part.state.withLock { $0.entries } }
        precondition(entries.allSatisfy { $0.count == entries[0].count }, "parts that ran other operations")
        let threads = Engine.threads
        current.state.withLock { state in
            state.entries += entries[0].indices.map { index in Entry(parts: entries.map { $0[index] }, threads: threads)
            }
        }
    }

    /// Runs `operation`, which must not run other timed operations.
    ///
    /// - Parameters:
    ///   - name: what the profile calls it.
    ///   - kind: what it is counted as.
    ///   - inputShape: of its input.
    ///   - products: multiply–accumulates for each element of the result.
    ///   - operation: what is timed.
    public static func timed(
        _ name: @autoclosure () -> String, _ kind: OperationKind, inputShape: @autoclosure () -> [Int],
        products: @autoclosure () -> Int = 0, _ operation: () -> Variable
    ) -> Variable {
        guard let current else { return operation() }
        current.state.withLock { $0.isOpen = true }
        let clock = ContinuousClock()
        let start = clock.now
        let result = operation()
        let duration = clock.now - start
        let entry = Entry(
            name: name(), kind: kind, inputShape: inputShape(), outputShape: result.shape,
            macs: Double(result.value.count) * Double(products()), duration: duration)
        current.state.withLock { state in
            state.entries.append(entry)
            state.isOpen = false
        }
        return result
    }
}

extension OperationProfile.Entry {
    /// One operation on parts of a batch that ran side by side on `threads` threads.
    fileprivate init(parts: [Self], threads: Int) {
        let first = parts[0]
        func whole(_ shape: KeyPath<Self, [Int]>) -> [Int] {
            let images = parts.reduce(0) { $0 + ($1[keyPath: shape].first ?? 0) }
            return [images] + first[keyPath: shape].dropFirst()
        }
        self.init(
            name: first.name, kind: first.kind, inputShape: whole(\.inputShape), outputShape: whole(\.outputShape),
            macs: parts.reduce(0) { $0 + $1.macs }, duration: parts.reduce(.zero) { $0 + $1.duration } / threads)
    }
}
