import Core
package import Ingestion

/// How ingestion looks while it runs.
package enum IngestionView {
  private static let barWidth = 20

  /// Two lines for a terminal of `columns`: how far it is, and what takes longest.
  package static func lines(_ activity: IngestionActivity.Snapshot, columns: Int) -> [String] {
    let filled = activity.found == 0 ? 0 : min(barWidth, activity.finished * barWidth / activity.found)
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: barWidth - filled)
    var parts = ["\(bar) \(activity.finished)/\(activity.found)"]
    if activity.failed > 0 { parts.append("\(activity.failed) failed") }
    if activity.pagesPerSecond > 0 { parts.append("\(AnswerText.decimal(activity.pagesPerSecond, 1)) pages/s") }
    if activity.chunksPerSecond > 0 { parts.append("\(AnswerText.decimal(activity.chunksPerSecond, 1)) chunks/s") }
    if let remaining = activity.remaining { parts.append("\(span(remaining)) left") }
    var lines = [parts.joined(separator: " · ")]
    if let work = activity.inWork.first {
      let others = activity.inWork.count > 1 ? " (and \(activity.inWork.count - 1) more)" : ""
      let progress = "\(work.stage.rawValue) \(place(work))\(span(work.elapsed))\(others)  "
      lines.append(progress + AnswerText.singleLine(work.uri.name))
    }
    return lines.map { DisplayWidth.fit($0, max(1, columns - 1)) }
  }

  /// One line of fields for logs.
  package static func fields(_ activity: IngestionActivity.Snapshot) -> String {
    var fields = [
      "progress", "documents=\(activity.finished)/\(activity.found)", "failed=\(activity.failed)",
      "pages_per_second=\(AnswerText.decimal(activity.pagesPerSecond, 1))",
      "chunks_per_second=\(AnswerText.decimal(activity.chunksPerSecond, 1))",
    ]
    if let remaining = activity.remaining { fields.append("remaining_seconds=\(remaining.components.seconds)") }
    if let work = activity.inWork.first {
      fields += ["stage=\(work.stage.rawValue)", "done=\(work.done)/\(work.total)"]
      let name = AnswerText.singleLine(work.uri.name).replacing("\"", with: "'")
      fields += ["seconds=\(work.elapsed.components.seconds)", "document=\"\(name)\""]
    }
    return fields.joined(separator: " ")
  }

  private static func place(_ work: IngestionActivity.Work) -> String {
    guard work.total > 0 else { return "" }
    return "\(work.done)/\(work.total) \(work.stage == .embedding ? "chunks" : "pages"), "
  }

  /// A time as people say it.
  package static func span(_ duration: Duration) -> String {
    let seconds = max(0, Int(duration.components.seconds))
    return switch seconds {
    case ..<60: "\(seconds)s"
    case ..<3600: "\(seconds / 60)m \(seconds % 60)s"
    default: "\(seconds / 3600)h \(seconds % 3600 / 60)m"
    }
  }
}
