import Classification
import Evaluation

extension FeatureClassifier: Classifier {}
