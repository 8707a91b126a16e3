import Concurrency
public import Core

/// Finds passages by embedding and by words at once, and fuses the two rankings.
public struct HybridRetriever: Retriever {
  private let index: any DocumentIndex
  private let embedder: any Embedder
  private let reranker: (any Reranker)?
  private let relevance: RelevanceModel
  private let settings: RetrievalSettings

  /// Creates a retriever over one index and the embedder whose vectors it holds.
  public init(
    index: any DocumentIndex, embedder: any Embedder, settings: RetrievalSettings,
    relevance: RelevanceModel = .fitted, reranker: (any Reranker)? = nil
  ) {
    self.index = index
    self.embedder = embedder
    self.settings = settings
    self.relevance = relevance
    self.reranker = reranker
  }

  /// Retrieves the top-k passages: plan legs, embed, search, fuse, merge equals, score, rerank.
  public func retrieve(_ question: Question, context: RequestContext) async throws -> Retrieval {
    let clock = ContinuousClock()
    let topK = try validTopK(question.topK)
    let plan = LegPlan(question: question.text, embedder: embedder)

    let embeddingStart = clock.now
    let embedding = try await embedder.embed([question.text], as: .query)[0]
    let searchStart = clock.now
    let candidates = try await index.candidates(
      for: CandidateRequest(
        embedding: embedding, searchesDense: plan.dense && weight(.dense) > 0, identity: embedder.identity,
        lexicalText: plan.lexical && weight(.lexical) > 0 ? question.text : nil,
        trigramText: plan.trigram && weight(.trigram) > 0 ? question.text : nil, filter: question.filter,
        depth: max(settings.depth, topK * 4)))

    let floor = question.minimumSimilarity ?? settings.minimumSimilarity
    let fused = fuse(candidates).filter { hit in floor.map { (candidates.similarities[hit.chunk] ?? -1) >= $0 } ?? true
    }
    // Confidence looks at the same number of passages whatever number is asked for.
    let shown = max(topK, RelevanceFeatures.depth)
    let found = try await passages(
      from: fused, similarities: candidates.similarities, question: question.text,
      topK: reranker == nil ? shown : max(shown, settings.rerankCandidates))
    let end = clock.now
    let reranking = try await rerank(found, for: question.text, limit: topK)
    let passages = reranking.passages
    let rerankSeconds = reranker == nil ? nil : end.duration(to: clock.now).seconds

    return Retrieval(
      passages: passages, legs: candidates.legs.keys.sorted { $0.rawValue < $1.rawValue },
      questionEmbedding: embedding, embeddingIdentity: embedder.identity, storeVersion: candidates.version,
      confidence: relevance.confidence(
        question: question.text, passages: Array(found.prefix(shown)), denseReads: plan.dense),
      embeddingSeconds: embeddingStart.duration(to: searchStart).seconds,
      searchSeconds: searchStart.duration(to: end).seconds,
      reranker: reranker?.name, rerankSeconds: rerankSeconds, rerankFailure: reranking.failure,
      warnings: try await warnings(plan: plan, passages: passages) + reranking.warnings)
  }

  private struct Reranking {
    var passages: [Passage]
    var failure: String?
    var warnings: [AnswerWarning] = []
  }

  /// The best passages by the reranker; by the fused order without one, and when it fails or takes too long: a
  /// better order is never worth an answer.
  private func rerank(_ found: [Passage], for question: String, limit: Int) async throws -> Reranking {
    var reranking = Reranking(passages: Array(found.prefix(limit)))
    guard let reranker, !found.isEmpty else { return reranking }
    do {
      reranking.passages = try await withTimeout(settings.rerankTimeout) {
        try await reranker.rerank(found, for: question, limit: limit)
      }
      return reranking
    } catch is DeadlineExceeded {
      reranking.failure = "rerank.timed_out"
    } catch {
      try Task.checkCancellation()
      reranking.failure = (error as? any CategorizedError)?.code ?? "internal"
    }
    reranking.warnings.append(
      AnswerWarning(
        code: "retrieval.not_reranked",
        message: "The passages could not be ordered by \(reranker.name) (\(reranking.failure ?? "internal")); they "
          + "stand in the order of the search."))
    return reranking
  }

  private func validTopK(_ requested: Int?) throws -> Int {
    let topK = requested ?? settings.topK
    guard (1...RetrievalSettings.largestTopK).contains(topK) else {
      throw CoreError(
        code: "question.top_k", category: .invalidInput,
        message: "top_k is \(topK), but must be between 1 and \(RetrievalSettings.largestTopK)",
        remedy: "Ask for fewer passages.")
    }
    return topK
  }

  private func weight(_ leg: RetrievalLeg) -> Double { settings.weights[leg] ?? 1 }

  private func fuse(_ candidates: Candidates) -> [FusedCandidate] {
    switch settings.fusion {
    case .convex: ConvexFusion(weights: settings.weights).fuse(candidates)
    case .reciprocalRank:
      ReciprocalRankFusion(k: settings.fusionK, weights: settings.weights).fuse(candidates.legs)
    }
  }

  /// Loads the best chunks, rewards phrases of the question, shows equal texts once, and ranks contents matter
  /// below its equals.
  private func passages(
    from fused: [FusedCandidate], similarities: [ChunkID: Float], question: String, topK: Int
  ) async throws -> [Passage] {
    // More than asked for: phrases move passages up, equal texts and contents pages make room.
    let window = Array(fused.prefix(topK * 3 / 2 + 40))
    let phrases = PhraseMatch(question: question)
    let stored = try await index.chunks(window.map(\.chunk))
    var ranked: [Passage] = []
    for hit in window {
      guard let found = stored[hit.chunk] else { continue }
      let phrase = settings.fusion == .convex ? settings.phraseWeight * phrases.share(in: found.chunk) : 0
      let score = (hit.score + phrase) * (found.chunk.isLowValue ? settings.lowValueFactor : 1)
      ranked.append(
        Passage(
          rank: 0, chunk: found.chunk, document: found.document, similarity: similarities[hit.chunk] ?? 0,
          score: score, legs: hit.legs))
    }
    ranked.sort { $0.score == $1.score ? $0.chunk.id < $1.chunk.id : $0.score > $1.score }

    var passages: [Passage] = []
    var places: [String: Int] = [:]
    for passage in ranked {
      if let place = places[passage.chunk.text] {
        if passages[place].document.id != passage.document.id,
          !passages[place].alsoIn.contains(where: { $0.id == passage.document.id })
        {
          passages[place].alsoIn.append(passage.document)
        }
      } else if passages.count < topK {
        places[passage.chunk.text] = passages.count
        passages.append(passage)
      }
    }
    for place in passages.indices { passages[place].rank = place + 1 }
    return passages
  }

  private func warnings(plan: LegPlan, passages: [Passage]) async throws -> [AnswerWarning] {
    var warnings: [AnswerWarning] = []
    if let script = plan.unreadScript {
      warnings.append(
        AnswerWarning(
          code: "retrieval.dense_leg_dropped",
          message: "The embedding model does not read \(script.rawValue) text; the search used words only."))
    }
    var documents: [DocumentID: String] = [:]
    for passage in passages {
      for document in [passage.document] + passage.alsoIn { documents[document.id] = document.name }
    }
    let unreadable = try await index.unreadablePages(of: Set(documents.keys))
    for (id, pages) in unreadable.sorted(by: { $0.key < $1.key }) {
      warnings.append(
        AnswerWarning(
          code: "coverage.unreadable_pages",
          message: "\(documents[id] ?? id.rawValue) has \(pages) page\(pages == 1 ? "" : "s") without readable "
            + "text; what stands there was not searched."))
    }
    return warnings
  }
}
