import Core
import Ingestion

/// What a run of ingestion did, as JSON.
struct IngestionSummaryBody: Encodable {
  var new: Int
  var updated: Int
  var unchanged: Int
  var moved: Int
  var deleted: Int
  var stale: Int
  var pages: [String: Int]
  var states: [String: Int]
  var recognizedPages: Int
  var chunks: Int
  var embeddingsComputed: Int
  var embeddingsReused: Int
  var skipped: [SkippedObject]
  var failed: [Failure]
  var refusedDeletions: [Refusal]
  var stageSeconds: [String: Double]

  struct Failure: Encodable {
    var name: String
    var code: String
    var message: String
    var remedy: String?
    var willRetry: Bool

    enum CodingKeys: String, CodingKey {
      case name, code, message, remedy
      case willRetry = "will_retry"
    }

    init(_ failed: FailedObject) {
      name = failed.name
      code = failed.code
      message = failed.message
      remedy = failed.remedy
      willRetry = failed.willRetry
    }
  }

  struct Refusal: Encodable {
    var root: String
    var count: Int
    var reason: String
  }

  enum CodingKeys: String, CodingKey {
    case new, updated, unchanged, moved, deleted, stale, pages, states, chunks, skipped, failed
    case recognizedPages = "recognized_pages"
    case embeddingsComputed = "embeddings_computed"
    case embeddingsReused = "embeddings_reused"
    case refusedDeletions = "refused_deletions"
    case stageSeconds = "stage_seconds"
  }

  init(_ summary: IngestionSummary) {
    new = summary.new
    updated = summary.updated
    unchanged = summary.unchanged
    moved = summary.moved
    deleted = summary.deleted
    stale = summary.stale
    pages = Dictionary(uniqueKeysWithValues: summary.pages.map { ($0.key.rawValue, $0.value) })
    states = Dictionary(uniqueKeysWithValues: summary.states.map { ($0.key.rawValue, $0.value) })
    recognizedPages = summary.recognizedPages
    chunks = summary.chunks
    embeddingsComputed = summary.embeddingsComputed
    embeddingsReused = summary.embeddingsReused
    skipped = summary.skipped
    failed = summary.failed.map(Failure.init)
    refusedDeletions = summary.refusedDeletions.map {
      Refusal(root: $0.root.rawValue, count: $0.count, reason: $0.reason)
    }
    stageSeconds = summary.stageSeconds
  }
}

/// What a run of ingestion did, for people.
enum IngestionSummaryText {
  static func render(_ summary: IngestionSummary) -> String {
    var lines: [String] = []
    let counts = [
      (summary.new, "new"), (summary.updated, "updated"), (summary.unchanged, "unchanged"), (summary.moved, "moved"),
      (summary.deleted, "deleted"), (summary.failed.count, "failed"), (summary.skipped.count, "skipped"),
    ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    lines.append("Documents: " + (counts.isEmpty ? "none found" : counts.joined(separator: ", ")))
    if summary.committed > 0 {
      let pages = summary.pages.values.reduce(0, +)
      let states = PageCoverage.allCases.compactMap { state in
        summary.pages[state].map { "\($0) \(state.rawValue)" }
      }
      let notes =
        (summary.pages[.text] != pages ? [states.joined(separator: ", ")] : [])
        + (summary.recognizedPages > 0 ? ["\(summary.recognizedPages) read from their image"] : [])
      lines.append("Pages: \(pages)" + (notes.isEmpty ? "" : " (\(notes.joined(separator: "; ")))"))
      lines.append(
        "Chunks: \(summary.chunks) (\(summary.embeddingsComputed) embedded, \(summary.embeddingsReused) reused)")
    }
    if summary.stale > 0 {
      lines.append("Stale: \(summary.stale) made by another pipeline; renew them with: quarry ingest --rebuild")
    }
    for (state, count) in summary.states.sorted(by: { $0.key.rawValue < $1.key.rawValue }) where state != .ready {
      lines.append("\(count) \(state.rawValue): see quarry documents list --state \(state.rawValue)")
    }
    for skipped in summary.skipped { lines.append("skipped \(skipped.name): \(skipped.reason)") }
    for failed in summary.failed {
      lines.append(
        "failed \(AnswerText.singleLine(failed.message)) (\(failed.code))" + (failed.remedy.map { ". \($0)" } ?? ""))
    }
    for refused in summary.refusedDeletions {
      lines.append("kept \(refused.count) documents of \(refused.root): \(refused.reason)")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
