import Configuration
import Diffusion
import Files
import Foundation
import Imagery
import Pruning
import Runs
import Workflows

/// What a process tells its caller, by the numbers of sysexits.
enum ExitStatus {
    static let success: Int32 = 0
    /// Flags, configuration keys and values.
    static let usage: Int32 = 64
    /// Files, models, images, numbers.
    static let data: Int32 = 65
}

/// Why a command did not do its work: one line, and the exit status that goes with it.
struct CommandFailure {
    let message: String
    let status: Int32

    init(message: String, status: Int32) {
        self.message = message
        self.status = status
    }

    init(_ error: any Error) {
        status = Self.isUsage(error) ? ExitStatus.usage : ExitStatus.data
        message =
            switch error {
            case let error as CocoaError:
                (error.filePath.map { "\($0): " } ?? "") + StorageError.cause(of: error)
            // Their own descriptions are those of Swift values.
            case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
                DecodingError.keyNotFound(_, let context), DecodingError.dataCorrupted(let context):
                context.debugDescription
            case EncodingError.invalidValue(_, let context): context.debugDescription
            default: "\(error)"
            }
    }

    private static func isUsage(_ error: any Error) -> Bool {
        switch error {
        case is RequestError, is UnknownName, is ConfigurationError, is BudgetError, is SettingError, is RatioError,
            DatasetError.badOption, SchedulerError.stepCount, SchedulerError.invalidValue, SamplerError.eta,
            SamplerError.etaWithoutUse, EvidenceError.missing, StudyError.badVariant, StudyError.impossible:
            true
        default: false
        }
    }
}
