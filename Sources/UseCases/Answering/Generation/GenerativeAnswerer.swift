public import Core
import Telemetry

/// Answers with a text model that must cite numbered passages; every quote is checked against the page text.
public struct GenerativeAnswerer: Answerer {
  private let generator: any TextGenerator
  private let verifier: CitationVerifier
  private let support: SupportCheck
  private let template: PromptTemplate
  private let parameters: InferenceParameters
  private let promptTokens: Int

  /// The text model's id.
  public var model: String? { generator.model }

  /// Creates an answerer.
  /// - Parameters:
  ///   - generator: The text model.
  ///   - index: Holds the page text that quotes are checked against.
  ///   - template: The prompt; for ``PromptTemplate/Purpose/answer``.
  ///   - parameters: Inference parameters.
  ///   - promptTokens: Most tokens of a prompt; the model's own limit, less room for the answer, applies too.
  ///   - embedder: Judges sentences in other words than the cited text; nil leaves that to the words alone.
  public init(
    generator: any TextGenerator, index: any DocumentIndex, template: PromptTemplate = .answer,
    parameters: InferenceParameters = .init(temperature: 0, maxTokens: 1024), promptTokens: Int = 8000,
    embedder: (any Embedder)? = nil
  ) {
    self.generator = generator
    self.verifier = CitationVerifier(index: index)
    self.support = SupportCheck(embedder: embedder)
    self.template = template
    self.parameters = parameters
    self.promptTokens = min(promptTokens, generator.contextTokens - (parameters.maxTokens ?? 1024))
  }

  /// Prompts the model, streams its words without the quotes, and checks its citations.
  public func answer(
    _ question: Question, history: [Turn], retrieval: Retrieval, context: RequestContext,
    progress: @escaping AnswerProgressHandler
  ) async throws -> DraftAnswer {
    let prompt = try PromptBuilder(template: template, countTokens: generator.countTokens, budget: promptTokens)
      .build(question: question.text, passages: retrieval.passages, history: history)
    let generation = try await generate(prompt, progress)
    let record = PromptRecord(
      template: template.name, version: template.version, hash: template.hash, system: template.system,
      turns: prompt.turns, model: generator.model, parameters: parameters)
    let used = prompt.used.map(\.chunk.id)

    if generation.isRefusal {
      return DraftAnswer(
        outcome: .refused, text: RefusalText.modelDeclined, usedChunks: used, prompt: record,
        stopReason: generation.stopReason, usage: generation.usage, timings: generation.timings)
    }
    let clock = ContinuousClock()
    let groundingStart = clock.now
    var grounded = try await ground(generation.parser, passages: prompt.used)
    var timings = generation.timings
    timings.grounding = groundingStart.duration(to: clock.now).seconds
    if prompt.droppedPassages > 0 {
      grounded.warnings.append(
        AnswerWarning(
          code: "prompt.passages_dropped",
          message: "\(prompt.droppedPassages) passage(s) did not fit into the prompt."))
    }
    if generation.stopReason == "max_tokens" {
      grounded.warnings.append(
        AnswerWarning(code: "answer.cut", message: "The answer reached its largest length and was cut."))
    }
    return DraftAnswer(
      outcome: .answered, text: generation.parser.text, citations: grounded.citations, sentences: grounded.sentences,
      warnings: grounded.warnings, usedChunks: used, prompt: record, stopReason: generation.stopReason,
      usage: generation.usage, timings: timings)
  }

  private struct Generation {
    var parser: CitationParser
    var stopReason: String?
    var usage: TokenUsage?
    var timings = StageTimings()
    var isRefusal = false
  }

  private static let refusalMark = "NO_ANSWER"

  private func generate(_ prompt: PromptBuilder.Prompt, _ progress: @escaping AnswerProgressHandler) async throws
    -> Generation
  {
    let clock = ContinuousClock()
    let start = clock.now
    var generation = Generation(parser: CitationParser(passages: prompt.used.count))
    // The first characters are held back while they may still be the refusal mark.
    var opening: String? = ""
    for try await event in generator.generate(
      GenerationRequest(system: template.system, turns: prompt.turns, parameters: parameters))
    {
      switch event {
      case .text(let piece):
        if generation.timings.timeToFirstToken == nil {
          generation.timings.timeToFirstToken = start.duration(to: clock.now).seconds
        }
        var ready = piece
        if let held = opening {
          let all = held + piece
          if Self.mayBeRefusal(all) {
            opening = all
            continue
          }
          opening = nil
          ready = all
        }
        let shown = generation.parser.add(ready)
        if !shown.isEmpty { await progress(.token(shown)) }
      case .end(let stopReason, let usage):
        generation.stopReason = stopReason
        generation.usage = usage
      }
    }
    generation.timings.generation = start.duration(to: clock.now).seconds
    if let held = opening {
      let said = held.drop { $0.isWhitespace }
      generation.isRefusal = said.isEmpty || said.hasPrefix(Self.refusalMark)
      if !generation.isRefusal {
        let shown = generation.parser.add(held)
        if !shown.isEmpty { await progress(.token(shown)) }
      }
    }
    let rest = generation.parser.finish()
    if !rest.isEmpty { await progress(.token(rest)) }
    return generation
  }

  /// Whether text that begins so may still turn out to be the refusal mark, alone or with a full stop.
  private static func mayBeRefusal(_ text: String) -> Bool {
    let said = text.drop { $0.isWhitespace }
    if said.count < refusalMark.count { return refusalMark.hasPrefix(said) }
    return said.hasPrefix(refusalMark)
      && said.dropFirst(refusalMark.count).allSatisfy { $0.isWhitespace || $0 == "." }
  }

  private struct Grounded {
    var citations: [Citation] = []
    var sentences: [AnswerSentence] = []
    var warnings: [AnswerWarning] = []
  }

  private func ground(_ parser: CitationParser, passages: [Passage]) async throws -> Grounded {
    var grounded = Grounded()
    let sentences = CitedSentence.all(of: parser)
    var claims: [CitationVerifier.Claim] = []
    for sentence in sentences {
      for mark in sentence.marks where parser.isKnown(mark.number) {
        let passage = passages[mark.number - 1]
        let quote = mark.quote ?? Self.bestSentence(of: passage.chunk.text, for: sentence.text)
        let claim = CitationVerifier.Claim(number: mark.number, passage: passage, quote: quote)
        if !claims.contains(claim) { claims.append(claim) }
      }
    }
    grounded.citations = try await verifier.verify(claims)
    grounded.sentences = await support.judge(sentences, passages: passages)
    for number in Set(parser.marks.map(\.number)).filter({ !parser.isKnown($0) }).sorted() {
      grounded.warnings.append(
        AnswerWarning(
          code: "citation.unknown_number",
          message: "The model cited [\(number)], which is not a passage; the number was taken out."))
    }
    for citation in grounded.citations where !citation.isVerified {
      grounded.warnings.append(
        AnswerWarning(
          code: "citation.unverified",
          message: "The quote of [\(citation.number)] does not stand on the pages it cites."))
    }
    for (sentence, verdict) in zip(sentences, grounded.sentences) where !verdict.isSupported {
      grounded.warnings.append(
        AnswerWarning(
          code: "grounding.unsupported",
          message: "Not supported by a cited page (\(Self.explanation(of: verdict))): \(sentence.text)"))
    }
    return grounded
  }

  private static func explanation(of verdict: AnswerSentence) -> String {
    let missing = verdict.missing.map { "'\($0)'" }.joined(separator: ", ")
    return switch verdict.reason {
    case .uncited, nil: "it cites nothing"
    case .unknownCitation: "it cites no passage that exists"
    case .number: "the cited text does not have the number \(missing)"
    case .name: "the cited text does not have the name \(missing)"
    case .words: "the cited text has few of its words"
    }
  }

  /// The sentence of `text` that shares most content words with `claim`.
  private static func bestSentence(of text: String, for claim: String) -> String {
    let words = Set(Words.content(of: claim))
    let scalars = Array(text.unicodeScalars)
    var best = (score: -1.0, text: text)
    for range in SentenceSplitter().sentences(of: scalars, in: 0..<scalars.count) {
      var view = String.UnicodeScalarView()
      view.append(contentsOf: scalars[range])
      let sentence = String(view)
      let content = Set(Words.content(of: sentence))
      let score = Double(words.intersection(content).count) / Double(content.count + 4).squareRoot()
      if score > best.score { best = (score, sentence) }
    }
    return best.text
  }
}
