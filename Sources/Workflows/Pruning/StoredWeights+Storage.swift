import ModelFolders
import Pruning

/// What budgets in bytes count by.
extension StoredWeights: WeightStorage {}
