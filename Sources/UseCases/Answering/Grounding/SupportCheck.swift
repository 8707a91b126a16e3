import Core

/// Judges whether the cited text supports the sentences of an answer; docs/answering.md describes the method and its
/// limits.
///
/// A sentence that cites nothing is not supported. One that has a number or a name that the cited text lacks is not
/// supported. Of the others, those whose content words the cited text has to at least half are supported; below that,
/// one sentence of the cited text must mean much the same by the embedding model, where one is at hand. The verdict is
/// a mark for the reader: nothing is removed.
package struct SupportCheck {
  /// The least share of content words that counts as supported.
  static let coverage = 0.5
  /// The least cosine of a sentence and one of the cited text that counts as the same in other words.
  package static let similarity: Float = 0.6
  /// Sentences embedded at most for one answer.
  static let embeddedSentences = 200

  /// The embedding model; nil where asking it is not free.
  let embedder: (any Embedder)?

  /// The verdict on each sentence.
  /// - Parameter passages: The passages by their numbers, from 1.
  func judge(_ sentences: [CitedSentence], passages: [Passage]) async -> [AnswerSentence] {
    var verdicts = sentences.map { Self.verdict(on: $0, passages: passages) }
    let doubtful = verdicts.indices.filter { verdicts[$0].reason == .words }
    if !doubtful.isEmpty, let embedder {
      // Without the model the words decide; an answer does not fail for it.
      let similar =
        (try? await paraphrases(doubtful.map { ($0, sentences[$0], verdicts[$0]) }, passages, embedder)) ?? []
      for place in similar { verdicts[place].reason = nil }
    }
    return verdicts
  }

  private static func verdict(on sentence: CitedSentence, passages: [Passage]) -> AnswerSentence {
    let cited = Set(sentence.marks.map(\.number)).filter { passages.indices.contains($0 - 1) }.sorted()
    var verdict = AnswerSentence(
      start: sentence.range.lowerBound, end: sentence.range.upperBound, citations: cited, coverage: 1)
    let text = withoutListNumber(sentence.text)
    let content = Set(Words.content(of: text))
    // "1." of a list, or punctuation, says nothing that needs proof.
    guard text.contains(where: { $0.isLetter || $0.isNumber }) else { return verdict }
    guard !cited.isEmpty else {
      verdict.coverage = 0
      verdict.reason = sentence.marks.isEmpty ? .uncited : .unknownCitation
      return verdict
    }
    let evidence = cited.map { evidenceText(passages[$0 - 1]) }.joined(separator: "\n")
    let known = Set(Words.content(of: evidence))
    if !content.isEmpty { verdict.coverage = Double(content.intersection(known).count) / Double(content.count) }

    let claim = Statement(text)
    let proof = Statement(evidence)
    let numbers = claim.writtenNumbers.filter { $0.forms.isDisjoint(with: proof.numbers) }.map(\.written)
    let names = proof.capitalises || claim.capitalises ? [] : claim.names.filter { !proof.has(name: $0) }
    if !numbers.isEmpty {
      verdict.reason = .number
      verdict.missing = numbers
    } else if !names.isEmpty {
      verdict.reason = .name
      verdict.missing = names
    } else if verdict.coverage < coverage {
      verdict.reason = .words
    }
    return verdict
  }

  /// What a passage proves: its text, and where it stands.
  private static func evidenceText(_ passage: Passage) -> String {
    ([passage.document.name, passage.document.title ?? ""] + passage.chunk.headingPath + [passage.chunk.text])
      .joined(separator: "\n")
  }

  private static func withoutListNumber(_ text: String) -> String {
    let digits = text.prefix { $0.isNumber }
    guard !digits.isEmpty, digits.count <= 2, let mark = text.dropFirst(digits.count).first, mark == "." || mark == ")",
      text.dropFirst(digits.count + 1).first.map(\.isWhitespace) ?? true
    else { return text }
    return String(text.dropFirst(digits.count + 1))
  }

  // MARK: - Other words

  private func paraphrases(
    _ doubtful: [(place: Int, sentence: CitedSentence, verdict: AnswerSentence)], _ passages: [Passage],
    _ embedder: any Embedder
  ) async throws -> [Int] {
    var proofs: [Int: [String]] = [:]
    for number in Set(doubtful.flatMap(\.verdict.citations)) {
      proofs[number] = Self.sentences(of: passages[number - 1].chunk.text)
    }
    var texts: [String] = doubtful.map { Self.withoutListNumber($0.sentence.text) }
    var places: [Int: Range<Int>] = [:]
    for (number, sentences) in proofs.sorted(by: { $0.key < $1.key }) {
      let room = sentences.prefix(max(0, Self.embeddedSentences - texts.count))
      places[number] = texts.count..<(texts.count + room.count)
      texts += room
    }
    let embeddings = try await embedder.embed(texts, as: .document)
    guard embeddings.count == texts.count else { return [] }
    return doubtful.enumerated().compactMap { offset, item in
      let best =
        item.verdict.citations.flatMap { Array(places[$0] ?? 0..<0) }
        .map { embeddings[offset].cosine(to: embeddings[$0]) }.max() ?? -1
      return best >= Self.similarity ? item.place : nil
    }
  }

  private static func sentences(of text: String) -> [String] {
    let scalars = Array(text.unicodeScalars)
    return scalars.split(separator: "\n").flatMap { line in
      SentenceSplitter().sentences(of: scalars, in: line.startIndex..<line.endIndex).map { range in
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[range])
        return String(view)
      }
    }
  }
}
