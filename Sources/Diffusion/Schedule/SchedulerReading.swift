import Files

/// What a `scheduler_config.json` comes to.
public enum SchedulerReading: Sendable {
    /// A noise schedule; a sentence for each key that is ignored, and for what is not as in diffusers.
    case schedule(SchedulerConfiguration, warnings: [String])
    /// A scheduler without a schedule of β: nothing can be learned, scored or drawn with it.
    case none(className: String, reason: String)

    /// - Throws: `SchedulerError` for values that no scheduler of the class named could have.
    public init(_ json: JSONValue) throws {
        guard json.objectValue != nil else { throw SchedulerError.malformed("it is \(json.kind)") }
        if let name = json[SchedulerKey.className.rawValue]?.stringValue, let reason = Self.reason(against: name, json)
        {
            self = .none(className: name, reason: reason)
            return
        }
        let file: SchedulerConfigurationFile
        do {
            file = try json.decoded(as: SchedulerConfigurationFile.self)
        } catch SchedulerError.invalidValue(let key, SchedulerConfigurationFile.unreadable, let expected) {
            throw SchedulerError.invalidValue(key: key, got: json[key]?.summary ?? "missing", expected: expected)
        }
        self = .schedule(file.configuration, warnings: file.warnings)
    }

    /// Why there is no schedule of β in a configuration of class `name`; nil where there is one.
    private static func reason(against name: String, _ json: JSONValue) -> String? {
        guard let known = SchedulerClass(rawValue: name) else {
            if let other = SchedulerClass.otherClasses[name] { return "it has \(other) in place of a list of β" }
            let nearest = Spelling.nearest(to: name, among: SchedulerClass.allCases.map(\.rawValue))
            return "it is not known here" + (nearest.map { ", did you mean \($0)?" } ?? "")
        }
        guard !known.drawsHere else { return nil }
        if json["use_flow_sigmas"]?.boolValue == true {
            return "use_flow_sigmas is true, so it has flows in place of β"
        }
        func unknown<Choice: RawRepresentable<String>>(_: Choice.Type, _ key: SchedulerKey) -> String? {
            guard let text = json[key.rawValue]?.stringValue, Choice(rawValue: text) == nil else { return nil }
            return "its \(key.rawValue) \(Quoted(text)) is not known here"
        }
        if let reason = unknown(PredictionType.self, .predictionType) { return reason }
        return json[SchedulerKey.trainedBetas.rawValue]?.isNull == false
            ? nil : unknown(BetaSchedule.self, .betaSchedule)
    }
}
