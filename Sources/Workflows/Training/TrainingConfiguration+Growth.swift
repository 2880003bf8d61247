import Runs
import Training

extension TrainingConfiguration {
    /// Steps may be added to a run whose first steps do not depend on how many there are.
    func growth(section: String) -> RunIdentity.Growth {
        let key = "\(section).steps"
        guard learningRateSchedule.shape == .constant else {
            return .refused(key: key, reason: "it can grow only while the learning rate is constant")
        }
        return .allowed(key: key)
    }
}
