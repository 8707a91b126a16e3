public import Core
import Telemetry

/// Answers without a text model: quotes the sentences of the passages that fit the question best.
public struct ExtractiveAnswerer: Answerer {
  /// How sentences are chosen.
  public struct Settings: Sendable, Hashable {
    /// Most sentences quoted.
    public var sentences: Int
    /// Most sentences weighed.
    public var considered: Int
    /// What the share of the question's words found in a sentence adds to its cosine.
    public var wordWeight: Float
    /// What each rank of the passage takes off.
    public var rankPenalty: Float
    /// What a line that is no sentence, such as a heading, is taken off.
    public var fragmentPenalty: Float
    /// A further sentence needs at least this share of the best one's score.
    public var relativeFloor: Float

    /// Creates settings.
    public init(
      sentences: Int = 3, considered: Int = 24, wordWeight: Float = 0.4, rankPenalty: Float = 0.02,
      fragmentPenalty: Float = 0.2, relativeFloor: Float = 0.8
    ) {
      self.sentences = sentences
      self.considered = considered
      self.wordWeight = wordWeight
      self.rankPenalty = rankPenalty
      self.fragmentPenalty = fragmentPenalty
      self.relativeFloor = relativeFloor
    }
  }

  private struct Sentence {
    var text: String
    var passage: Passage
    var coverage: Float
    var score: Float = 0
  }

  private let embedder: any Embedder
  private let verifier: CitationVerifier
  private let settings: Settings

  /// No text model is used.
  public var model: String? { nil }

  /// Creates an answerer that compares sentences with `embedder` and checks quotes in `index`.
  public init(embedder: any Embedder, index: any DocumentIndex, settings: Settings = .init()) {
    self.embedder = embedder
    self.verifier = CitationVerifier(index: index)
    self.settings = settings
  }

  /// Quotes the best sentences, best first, each with a verified citation; sentences whose quote is not in the
  /// stored text are left out, with a warning.
  public func answer(
    _ question: Question, history: [Turn], retrieval: Retrieval, context: RequestContext,
    progress: @escaping AnswerProgressHandler
  ) async throws -> DraftAnswer {
    let clock = ContinuousClock()
    let start = clock.now
    let chosen = try await choose(sentences(of: retrieval.passages, for: question.text), question, retrieval)
    let grounding = clock.now
    let citations = try await verifier.verify(
      chosen.enumerated().map { .init(number: $0.offset + 1, passage: $0.element.passage, quote: $0.element.text) })
    let end = clock.now

    var verified = citations.filter(\.isVerified)
    for place in verified.indices { verified[place].number = place + 1 }
    var warnings: [AnswerWarning] = []
    if verified.count < citations.count {
      warnings.append(
        AnswerWarning(
          code: "citation.rejected",
          message: "\(citations.count - verified.count) quote(s) did not match the stored page text and were left "
            + "out."))
    }
    let timings = StageTimings(
      generation: start.duration(to: grounding).seconds, grounding: grounding.duration(to: end).seconds)
    guard !verified.isEmpty else {
      return DraftAnswer(outcome: .refused, text: RefusalText.nothingFound, warnings: warnings, timings: timings)
    }
    let lines = verified.map { citation in
      "“\(citation.quote.split(whereSeparator: \.isWhitespace).joined(separator: " "))” [\(citation.number)]"
    }
    let text = lines.joined(separator: "\n")
    var offset = 0
    let sentences = zip(lines, verified).map { line, citation in
      let end = offset + line.unicodeScalars.count
      defer { offset = end + 1 }
      return AnswerSentence(start: offset, end: end, citations: [citation.number], coverage: 1)
    }
    await progress(.token(text))
    return DraftAnswer(
      outcome: .extractive, text: text, citations: verified, sentences: sentences, warnings: warnings, timings: timings)
  }

  /// The sentences worth weighing: those of the best passages first, and of equal ones those with more of the
  /// question's words.
  private func sentences(of passages: [Passage], for question: String) -> [Sentence] {
    let words = Set(Words.content(of: question))
    let splitter = SentenceSplitter()
    var seen: Set<String> = []
    var sentences: [Sentence] = []
    for passage in passages {
      let scalars = Array(passage.chunk.text.unicodeScalars)
      // Line ends separate headings, list items and table rows, which are no sentences of one another.
      let blocks = scalars.split(separator: "\n").map { $0.startIndex..<$0.endIndex }
      for range in blocks.flatMap({ splitter.sentences(of: scalars, in: $0) }) {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[range])
        let text = String(view)
        let content = Set(Words.content(of: text))
        guard content.count >= 2, text.utf8.count <= 2000, seen.insert(text).inserted else { continue }
        let coverage = words.isEmpty ? 0 : Float(words.intersection(content).count) / Float(words.count)
        sentences.append(Sentence(text: text, passage: passage, coverage: coverage))
      }
    }
    guard sentences.count > settings.considered else { return sentences }
    return Array(
      sentences.sorted { left, right in
        left.coverage == right.coverage
          ? left.passage.rank < right.passage.rank : left.coverage > right.coverage
      }.prefix(settings.considered))
  }

  private func choose(_ sentences: [Sentence], _ question: Question, _ retrieval: Retrieval) async throws
    -> [Sentence]
  {
    guard !sentences.isEmpty else { return [] }
    var embeddings: [Embedding] = []
    if let target = retrieval.questionEmbedding, retrieval.legs.contains(.dense) {
      embeddings = try await embedder.embed(sentences.map(\.text), as: .document)
      precondition(embeddings.count == sentences.count && !target.vector.isEmpty)
    }
    var scored = sentences
    for place in scored.indices {
      var score = settings.wordWeight * scored[place].coverage
      if let target = retrieval.questionEmbedding, !embeddings.isEmpty {
        score += embeddings[place].cosine(to: target)
      }
      if !Self.isStatement(scored[place].text) { score -= settings.fragmentPenalty }
      scored[place].score = score - settings.rankPenalty * Float(scored[place].passage.rank - 1)
    }
    scored.sort { $0.score > $1.score }
    guard let best = scored.first else { return [] }
    return Array(
      scored.prefix { $0.score >= best.score - (1 - settings.relativeFloor) * abs(best.score) }.prefix(
        settings.sentences))
  }

  /// Whether a line says something: it ends like a sentence, or is a row of a table.
  private static func isStatement(_ text: String) -> Bool {
    if text.contains("\t") { return true }
    let end = text.reversed().first { !"\"'”’»)]".contains($0) }
    return end.map { ".!?…:;。！？".contains($0) } ?? false
  }
}
