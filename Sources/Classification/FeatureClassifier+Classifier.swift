import Models

extension FeatureClassifier: Classifier {}
