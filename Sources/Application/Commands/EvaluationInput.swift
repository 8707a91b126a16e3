import ArgumentParsing
import Concurrency
import Core
import Insight

/// What a path given to `quarry evaluate` holds.
enum EvaluationInput {
  /// A file of questions about the library.
  case questions(QuestionSet)
  /// A test set with a corpus of its own.
  case beir(BEIRDataset)

  /// Reads a file of questions or a folder in BEIR's layout.
  /// - Throws: `InsightError`.
  init(path: String) throws {
    self = BEIRDataset.isDataset(path) ? .beir(try BEIRDataset(folder: path)) : .questions(try .read(path: path))
  }
}

/// Questions with the collection that they are about.
struct ScopedQuestions {
  /// The collection; nil for the whole library.
  let collection: String?
  /// The questions.
  let set: QuestionSet

  /// Reads `COLLECTION=FILE` or `FILE`.
  /// - Throws: `InsightError`.
  init(argument: String) throws {
    let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
    if parts.count == 2, CollectionName.isValid(parts[0]) {
      collection = parts[0]
      set = try .read(path: parts[1])
    } else {
      collection = nil
      set = try .read(path: argument)
    }
  }
}

/// The part of the library that is asked.
enum EvaluationScope {
  /// A filter for a collection, or for all.
  /// - Throws: `collection.unknown` when there is no such collection: every question would count as unjudged.
  static func filter(_ collection: String?, in index: any DocumentIndex) async throws -> SearchFilter {
    guard let collection else { return SearchFilter() }
    let name = CollectionName(rawValue: collection)
    let known = try await index.collections().keys.map(\.rawValue).sorted()
    guard known.contains(collection) else {
      throw CoreError(
        code: "collection.unknown", category: .notFound, message: "there is no collection '\(collection)'",
        remedy: known.isEmpty
          ? "Ingest documents first: quarry ingest PATH" : "There are: \(known.joined(separator: ", ")).")
    }
    return SearchFilter(collections: [name])
  }
}

/// One line of progress on a terminal's standard error; nothing elsewhere.
final class EvaluationProgress: Sendable {
  private let context: CommandContext
  private let isShown: Bool
  private let last = Locked<ContinuousClock.Instant?>(nil)

  init(_ context: CommandContext, isQuiet: Bool) {
    self.context = context
    isShown = !isQuiet && context.errorIsTerminal
  }

  /// Redraws the line, at most ten times a second.
  func show(_ text: String) {
    guard isShown else { return }
    last.withLock { last in
      let now = ContinuousClock.now
      if let last, last.duration(to: now) < .milliseconds(100) { return }
      last = now
      context.errorOutput("\r\u{1B}[2K" + String(text.prefix(max(20, context.width - 1))))
    }
  }

  /// Takes the line away.
  func finish() {
    if isShown { context.errorOutput("\r\u{1B}[2K") }
  }
}
