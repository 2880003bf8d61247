import Files
import Foundation
import Imagery

/// One picture of a whole study: a row a name and target, a column a picture, all from the same noise; the dense
/// model's row first.
enum StudySheet {
    /// Pictures of each row, the first ones: nothing is picked.
    static let columns = 8

    /// nil where no run has pictures. Of each name and target the first seed that is done is shown.
    static func png(of outcome: StudyOutcome<some StudyComparing>, in study: URL) throws -> Data? {
        var rows: [(title: String, images: [Image])] = []
        let plan = outcome.configuration.study
        for target in plan.targets {
            for name in plan.methods {
                guard let seed = plan.seedNumbers.first(where: { outcome.result(name, target, $0) != nil }) else {
                    continue
                }
                let images = StudyCell(name: name, target: target, seed: seed).folder(in: study)
                    .appendingPathComponent("evaluation/images")
                if rows.isEmpty {
                    rows.append(("dense", try pictures(in: images.appendingPathComponent("dense"))))
                }
                let title = plan.targets.count > 1 ? "\(name) \(target)" : name
                rows.append((title, try pictures(in: images.appendingPathComponent("pruned"))))
            }
        }
        guard let width = rows.map(\.images.count).min(), width > 0 else { return nil }
        let side = rows[0].images.first.map { max($0.width, $0.height) } ?? 1
        let grid = ImageGrid(
            columns: width, padding: 4, scale: ImageGrid.scale(forSide: side, shown: 64), textScale: 2,
            rowTitles: rows.map(\.title))
        return try PNG.encode(grid.layOut(rows.flatMap { $0.images.prefix(width) }))
    }

    private static func pictures(in folder: URL) throws -> [Image] {
        guard FileKind(at: folder) == .folder else { return [] }
        let names = try FolderContents.names(folder).filter { $0.hasSuffix(".png") }.sorted().prefix(columns)
        return try names.map { try PNG.read(folder.appendingPathComponent($0)) }
    }
}
