import Statistics
import Timing

/// What `bench` measured.
public struct BenchmarkResult: Sendable {
    public let machine: Machine
    /// The most multiply–adds that all threads together were seen doing in this run: floating-point operations a
    /// second, a multiply–add being two.
    public let peakRate: Double
    /// Cores that other processes kept busy meanwhile, on average; nil where the system does not tell.
    public let otherProcesses: Double?
    public let subjects: [Subject]
    public let measurements: [Measurement]
    public let layers: [LayerTable]

    /// A model that was timed.
    public struct Subject: Sendable {
        public let name: String
        public let source: String
        public let parameters: Int
        /// Multiply–accumulates of one prediction for one image.
        public let macs: Double
        /// Height and width.
        public let imageSize: [Int]
    }

    /// One kind of work at one batch size.
    public struct Measurement: Sendable {
        public let work: BenchmarkWork
        /// Images at a time.
        public let batch: Int
        /// Predictions that the work makes one after the other.
        public let predictions: Int
        /// One a subject, timed in turn.
        public let sides: [Side]
        /// The second subject's time over the first's, within rounds; nil where there is one subject.
        public let ratio: SampleStatistics?
    }

    /// One subject's part in a measurement.
    public struct Side: Sendable {
        public let milliseconds: SampleStatistics
        /// Multiply–accumulates of the predictions: of the forward passes alone, whatever else the work does.
        public let macs: Double
        public let imagesPerSecond: Double
        /// The most bytes of the engine's buffers in use at one time, weights included.
        public let peakBytes: Int

        init(milliseconds: [Double], macs: Double, images: Int, peakBytes: Int) throws {
            self.milliseconds = try SampleStatistics(milliseconds, within: 0...Double.infinity)
            self.macs = macs
            self.peakBytes = peakBytes
            imagesPerSecond = Double(images) / self.milliseconds.median * 1000
        }

        /// Median time for each multiply–accumulate of the predictions.
        public var picosecondsPerMAC: Double { milliseconds.median * 1e9 / macs }
    }
}
