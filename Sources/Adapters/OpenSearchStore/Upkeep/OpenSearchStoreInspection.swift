public import Core
import FoundationEssentials

/// Checks that everything an index in a cluster keeps agrees: the state, documents, pages, chunks, vectors, places, the
/// alias and the mappings.
///
/// Safe while others read and write: what a finding is about is looked at again before it counts.
public final class OpenSearchStoreInspection: StoreInspection {
  let cluster: OpenSearchCluster
  var names: IndexNames { cluster.names }

  /// Creates a check of an opened index.
  public init(_ cluster: OpenSearchCluster) { self.cluster = cluster }

  /// Checks everything.
  public func inspect(
    rules: IdentityRules, progress: @escaping @Sendable (InspectionProgress) async -> Void
  ) async throws -> IntegrityReport {
    try await Inspecting(cluster: cluster, rules: rules, progress: progress).run().report
  }
}

/// What a check found, in the form that repairs need.
struct Inspected: Sendable {
  var report = IntegrityReport()
  /// Numbers that chunks or pages carry and no document knows.
  var orphans = Set<Int>()
  /// Visible documents that their place does not know.
  var unclaimed: [DocumentID] = []
  var aliasIsWrong = false
  /// Jobs of workers that are gone, or of nothing.
  var jobs: [SuspectJob] = []
}

/// One check.
struct Inspecting: Sendable {
  let cluster: OpenSearchCluster
  let rules: IdentityRules
  let progress: @Sendable (InspectionProgress) async -> Void
  var names: IndexNames { cluster.names }

  init(
    cluster: OpenSearchCluster, rules: IdentityRules,
    progress: @escaping @Sendable (InspectionProgress) async -> Void
  ) {
    self.cluster = cluster
    self.rules = rules
    self.progress = progress
  }

  /// What should be there of a visible revision.
  private struct Expected {
    var document: Document
    var space: String
    var pipeline: String
    var chunks: Int
    var pages: Int
  }

  func run() async throws -> Inspected {
    var found = Inspected()
    try await cluster.refresh([names.documents, names.places, names.pages])
    guard let read = try await cluster.client.state() else {
      throw OpenSearchError.noState(cluster.configuration.index)
    }
    let state = read.state
    var known = Set(state.hidden.map(\.vn))
    var expected: [Int: Expected] = [:]
    await progress(.init(stage: "documents", done: 0, total: state.documents))
    try await OpenSearchDocumentIndex(cluster).forEachDocument(doing: "checking documents") { record in
      for revision in record.revisions {
        known.insert(revision.vn)
        guard state.shows(revision.vn, space: revision.space) else { continue }
        expected[revision.vn] = Expected(
          document: record.document(revision), space: revision.space, pipeline: revision.pipeline,
          chunks: revision.chunkCount, pages: revision.coverage.values.reduce(0, +))
      }
      guard let shown = record.shown(state) else { return true }
      found.report.examine("documents")
      if shown.space != state.active {
        found.report.add(
          IntegrityFinding(
            "document.not_searched", .notice,
            "document \(shown.uri) has no vectors in the space that is searched: `quarry ingest --rebuild` is not "
              + "finished", document: DocumentID(rawValue: record.id)))
      }
      return true
    }
    try await count(state, &found)
    try await pages(expected, known, state, &found)
    for space in state.spaces {
      do {
        try await chunks(of: space, expected, known, &found)
      } catch let error as OpenSearchError where error.code == "opensearch.index_missing" {
        // Dropped since, or of a writer that has only begun.
        let isNeeded = expected.values.contains { $0.space == space.key && $0.chunks > 0 }
        guard isNeeded, try await cluster.client.state()?.state.spaces.contains(space) == true else { continue }
        found.report.add(
          IntegrityFinding("index.missing", .error, "the index \(names.chunks(space.key)) is missing"))
      }
    }
    try await places(expected, state, &found)
    try await alias(state, &found)
    try await jobs(&found)
    try await leftovers(state, &found)
    return found
  }

  /// Whether a revision is still shown as it was: what changed meanwhile is no finding.
  private func stillShown(_ vn: Int, _ expected: Expected) async throws -> Bool {
    guard let state = try await cluster.client.state()?.state else { return false }
    return state.shows(vn, space: expected.space)
  }

  private func isOrphan(_ vn: Int, _ state: StoreState) async throws -> Bool {
    // Begun after the check looked at the state.
    guard vn < state.next, let now = try await cluster.client.state()?.state else { return false }
    return !now.hidden.contains { $0.vn == vn }
  }

  /// The state's own count of documents must be what their records say.
  private func count(_ state: StoreState, _ found: inout Inspected) async throws {
    let counted = found.report.examined["documents", default: 0]
    guard counted != state.documents, try await cluster.client.state()?.state.version == state.version else { return }
    found.report.add(
      IntegrityFinding(
        "documents.wrong_count", .error, "the state counts \(state.documents) documents, there are \(counted)"))
  }

  // MARK: - Pages and chunks

  private struct PageHit: Decodable {
    var vn: Int
    var number: Int
  }

  private func pages(
    _ expected: [Int: Expected], _ known: Set<Int>, _ state: StoreState, _ found: inout Inspected
  ) async throws {
    var counts: [Int: Int] = [:]
    var done = 0
    try await cluster.forEachHit(
      PageHit.self, names.pages, query: ["match_all": .object([])], sort: ["vn", "number"], page: 5_000,
      source: ["includes": ["vn", "number"]], doing: "checking pages"
    ) { hit, _ in
      counts[hit.vn, default: 0] += 1
      done += 1
      if done % 5_000 == 0 { await progress(.init(stage: "pages", done: done)) }
      return true
    }
    found.report.examine("pages", done)
    for (vn, wanted) in expected where counts[vn, default: 0] != wanted.pages {
      guard try await stillShown(vn, wanted) else { continue }
      found.report.add(
        IntegrityFinding(
          "page.missing", .error,
          "\(wanted.document.name) has \(counts[vn, default: 0]) of its \(wanted.pages) pages",
          document: wanted.document.id))
    }
    for vn in counts.keys.sorted() where !known.contains(vn) {
      guard try await isOrphan(vn, state) else { continue }
      found.orphans.insert(vn)
      found.report.add(
        IntegrityFinding("page.orphan", .warning, "\(counts[vn] ?? 0) pages are no document's", isRepairable: true))
    }
  }

  private func chunks(
    of space: StoreState.Space, _ expected: [Int: Expected], _ known: Set<Int>, _ found: inout Inspected
  ) async throws {
    let index = names.chunks(space.key)
    try await cluster.refresh([index])
    try await mapping(of: space, &found)
    guard let state = try await cluster.client.state()?.state else { return }
    var counts: [Int: Int] = [:]
    var wrong: [IntegrityFinding] = []
    var done = 0
    try await cluster.forEachHit(
      StoredChunkBody.self, index, query: ["match_all": .object([])], sort: ["vn", "ordinal"], page: 2_000,
      source: ["includes": ["vn", "chunk", "document", "ordinal", "hash", "words", "record"]], doing: "checking chunks"
    ) { hit, _ in
      counts[hit.vn, default: 0] += 1
      done += 1
      if done % 2_000 == 0 { await progress(.init(stage: "chunks", done: done)) }
      guard let wanted = expected[hit.vn], wanted.space == space.key else { return true }
      let id = ChunkID(rawValue: hit.chunk)
      func report(_ code: String, _ message: String) {
        wrong.append(
          IntegrityFinding(
            code, .error, "chunk \(hit.ordinal) of \(wanted.document.name) \(message)", document: wanted.document.id,
            chunk: id))
      }
      let rule = rules.chunkID(
        wanted.document.id, wanted.document.version, PipelineVersion(rawValue: wanted.pipeline), hit.ordinal)
      if rule != id { report("chunk.wrong_id", "has another id than its place gives") }
      if hit.document != wanted.document.id.rawValue { report("chunk.wrong_document", "says that it is another's") }
      if rules.textHash(hit.words).rawValue != hit.hash { report("chunk.wrong_hash", "has another text than its hash") }
      if (try? hit.chunk(id)) == nil { report("chunk.damaged", "cannot be read") }
      return true
    }
    found.report.examine("chunks", done)
    found.report.add(wrong)
    for (vn, wanted) in expected where wanted.space == space.key && counts[vn, default: 0] != wanted.chunks {
      guard try await stillShown(vn, wanted) else { continue }
      found.report.add(
        IntegrityFinding(
          "chunk.missing", .error,
          "\(wanted.document.name) has \(counts[vn, default: 0]) of its \(wanted.chunks) chunks",
          document: wanted.document.id))
    }
    for vn in counts.keys.sorted() where !known.contains(vn) {
      guard try await isOrphan(vn, state) else { continue }
      found.orphans.insert(vn)
      found.report.add(
        IntegrityFinding("chunk.orphan", .warning, "\(counts[vn] ?? 0) chunks are no document's", isRepairable: true))
    }
    try await vectors(of: space, expected, &found)
  }

  /// OpenSearch stores a record without its vector silently when that is null.
  private func vectors(
    of space: StoreState.Space, _ expected: [Int: Expected], _ found: inout Inspected
  ) async throws {
    struct Hit: Decodable {
      var vn: Int
      var chunk: String
      var ordinal: Int
    }
    var missing: [Hit] = []
    try await cluster.forEachHit(
      Hit.self, names.chunks(space.key),
      query: ["bool": ["must_not": [["exists": ["field": "vector"]]]]], sort: ["vn", "ordinal"],
      source: ["includes": ["vn", "chunk", "ordinal"]], doing: "checking vectors"
    ) { hit, _ in
      missing.append(hit)
      return missing.count < 10_000
    }
    for hit in missing {
      guard let wanted = expected[hit.vn], try await stillShown(hit.vn, wanted) else { continue }
      found.report.add(
        IntegrityFinding(
          "vector.missing", .error, "chunk \(hit.ordinal) of \(wanted.document.name) has no vector",
          document: wanted.document.id, chunk: ChunkID(rawValue: hit.chunk)))
    }
  }

  // MARK: - Around the documents

  /// The mapping's dimension and measure must be those that the state says.
  private func mapping(of space: StoreState.Space, _ found: inout Inspected) async throws {
    if let problem = try await cluster.mappingProblem(of: space) {
      found.report.add(IntegrityFinding("index.wrong_mapping", .error, problem))
    }
  }

  private func places(
    _ expected: [Int: Expected], _ state: StoreState, _ found: inout Inspected
  ) async throws {
    let documents = Dictionary(
      expected.values.map { ($0.document.id, $0.document) }, uniquingKeysWith: { one, _ in one })
    let all = documents.values.sorted { $0.id < $1.id }
    for start in stride(from: 0, to: all.count, by: 500) {
      let part = all[start..<min(start + 500, all.count)]
      let places = try await cluster.records(
        PlaceRecord.self, names.places, part.map { RecordID.place($0.uri, $0.collection) }, doing: "checking places")
      for document in part {
        let place = places[RecordID.place(document.uri, document.collection)]?.record
        if place?.claims.contains(document.id.rawValue) == true { continue }
        let now = try await OpenSearchDocumentIndex(cluster).source(at: document.uri, collection: document.collection)
        if now?.document.id == document.id { continue }
        found.unclaimed.append(document.id)
        found.report.add(
          IntegrityFinding(
            "place.missing", .error, "\(document.name) is not known at its place \(document.uri)", isRepairable: true,
            document: document.id))
      }
    }
  }

  private func alias(_ state: StoreState, _ found: inout Inspected) async throws {
    let pointed = try await cluster.aliased()
    let wanted = Set(state.activeSpace.map { [names.chunks($0.key)] } ?? [])
    if pointed == wanted || state.active == nil { return }
    found.aliasIsWrong = true
    found.report.add(
      IntegrityFinding(
        "alias.wrong", .warning, "the alias \(names.prefix) does not show the chunks that are searched",
        isRepairable: true))
  }

  private func leftovers(_ state: StoreState, _ found: inout Inspected) async throws {
    let now = try await cluster.clock.now()
    let due = state.hidden.count { $0.until <= now }
    if due > 0 {
      found.report.add(
        IntegrityFinding(
          "version.leftover", .notice, "\(due) replaced or unfinished versions wait to be cleared away",
          isRepairable: true))
    }
    if !state.dropped.isEmpty {
      found.report.add(
        IntegrityFinding(
          "space.leftover", .warning, "\(state.dropped.count) former embedding spaces wait to be cleared away",
          isRepairable: true))
    }
  }
}
