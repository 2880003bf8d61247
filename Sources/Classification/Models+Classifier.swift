import Models

extension FeatureClassifier: Classifier {
    public var classCount: Int { configuration.classNames.count }
}

extension ImageClassifier: Classifier {}
