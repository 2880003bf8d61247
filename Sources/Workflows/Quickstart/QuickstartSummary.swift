import Reports

extension QuickstartOutcome {
    /// The headline numbers and the paths of the output, for the terminal.
    public var summary: String {
        func seconds(_ value: Double) -> String { NumberText.fixed(value, decimals: 0) }
        return """
            Pruned by \(pruning.record.method) in \(seconds(pruningSeconds + evaluationSeconds)) s: \
            \(seconds(pruningSeconds)) pruning and fine-tuning, \(seconds(evaluationSeconds)) evaluating
            \(evaluation.summary)\
            Output
              report        \(report.path)
              grid          \(grid.path)
              images        \(output.appendingPathComponent("images").path)
              model         \(pruning.modelURL.path)
            """
    }
}
