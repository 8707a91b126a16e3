import Core

/// Counts the chunks of a plan, and measures on a few of them how fast this machine is.
actor PlanSampler {
  private static let chunks = 64
  private static let pages = 2

  private let ingester: Ingester
  private let request: PlanningRequest
  /// The first eight bytes of the hashes of chunks seen: an equal chunk is embedded once.
  private var seen: Set<UInt64> = []
  private var texts: [String] = []
  private var sampledPages = 0
  private(set) var recognitionTime: Duration = .zero

  init(ingester: Ingester, request: PlanningRequest) {
    self.ingester = ingester
    self.request = request
  }

  /// What the chunks of one document add to a plan.
  struct Count: Sendable {
    var reused = 0
    var tokens = 0
    var areTokensCounted = true
  }

  /// Counts the chunks of a document.
  func count(_ document: [String]) async throws -> Count {
    let hashes = document.map { TextHash(of: $0) }
    let known = try await ingester.embedding.cache.embeddings(
      for: Array(Set(hashes)), identity: ingester.embedder.identity)
    var result = Count()
    var taken = 0
    for (text, hash) in zip(document, hashes) {
      let short = UInt64(hash.rawValue.prefix(16), radix: 16) ?? 0
      guard known[hash] == nil, seen.insert(short).inserted else {
        result.reused += 1
        continue
      }
      let (count, isCounted) = tokens(of: text)
      result.tokens += count
      result.areTokensCounted = isCounted
      // A few of each document, so that one of them does not stand for all.
      if texts.count < Self.chunks, taken < 8 {
        texts.append(text)
        taken += 1
      }
    }
    return result
  }

  private func tokens(of text: String) -> (count: Int, isCounted: Bool) {
    switch ingester.embedder.limit {
    case .tokens(_, let counter): (counter.count(text) + counter.specialTokens, true)
    case .characters: ((text.unicodeScalars.count + 3) / 4, false)
    }
  }

  /// Reads the image of one page, if few were read so far.
  func recognize(_ page: Page, path: String) async throws {
    guard request.measuresRecognition, let recognition = ingester.recognition, sampledPages < Self.pages else { return }
    sampledPages += 1
    let started = ContinuousClock.now
    let image = ExtractedPage(number: page.number, size: page.size, scalars: [], boxes: [])
    _ = try await recognition.read([image], path: path, passwords: ingester.settings.passwords) { _ in }
    recognitionTime += ContinuousClock.now - started
  }

  /// `plan` with estimates of time.
  func measured(_ plan: IngestionPlan) async throws -> IngestionPlan {
    var plan = plan
    if sampledPages > 0, let recognition = ingester.recognition {
      plan.recognitionSamplePages = sampledPages
      plan.recognitionSeconds =
        recognitionTime.seconds / Double(sampledPages) * Double(plan.recognizedPages)
        / Double(recognition.settings.width)
    }
    guard request.measuresEmbedding, let first = texts.first else { return plan }
    // The first call warms caches up.
    _ = try await ingester.embedder.embed([first], as: .document)
    let started = ContinuousClock.now
    _ = try await ingester.embedder.embed(texts, as: .document)
    let seconds = (ContinuousClock.now - started).seconds
    plan.embeddingSampleTokens = texts.reduce(0) { $0 + tokens(of: $1).count }
    plan.embeddingSeconds = seconds * Double(plan.tokens) / Double(max(1, plan.embeddingSampleTokens))
    return plan
  }
}
