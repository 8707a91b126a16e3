import Concurrency
import Core
import FoundationEssentials

/// Clearing away what nobody sees: versions replaced or deleted, what dead writers left, and spaces that were dropped.
///
/// Any worker may do it, and several at once: everything is by number, and a number leaves the state's list only when
/// nothing carries it any more.
extension OpenSearchCluster {
  /// How long a dead writer's number stays hidden against words of it that come late.
  static let deadMilliseconds = 24 * 3_600_000
  private static let versionsOfPass = 100

  /// Clears away what is due, at most every few seconds; failures are left to the next time, for nothing is lost by
  /// waiting.
  func sweepIfDue(force: Bool = false) async {
    let now = ContinuousClock.now
    let isDue = lastSweep.withLock { last in
      if !force, let last, now - last < min(.seconds(20), configuration.grace) { return false }
      last = now
      return true
    }
    if isDue { _ = try? await sweep() }
  }

  /// Clears away everything that is due.
  /// - Returns: How many versions and spaces were cleared away.
  @discardableResult
  func sweep() async throws -> (versions: Int, spaces: Int) {
    var versions = 0
    while let read = try await client.state() {
      let now = try await clock.now()
      let due = read.state.hidden.filter { $0.until <= now }.prefix(Self.versionsOfPass)
      if due.isEmpty { break }
      try await clear(Array(due), now: now)
      versions += due.count
    }
    return (versions, try await clearDroppedSpaces())
  }

  private func clear(_ due: [StoreState.Hidden], now: Int) async throws {
    let numbers = due.map(\.vn)
    let query: JSON = ["query": ["terms": ["vn": .array(numbers.map { .int($0) })]]]
    for index in Set(due.map { names.chunks($0.space) }).sorted() + [names.pages] {
      try await deleteAll(query, from: index)
    }
    for (document, group) in Dictionary(grouping: due, by: \.document) {
      let gone = Set(group.map(\.vn))
      try await forget(DocumentID(rawValue: document)) { gone.contains($0.vn) }
    }
    try await refresh([names.documents])
    let swept = Dictionary(uniqueKeysWithValues: due.map { ($0.vn, $0) })
    try await client.change(doing: "clearing away old versions") { state in
      var state = state
      state.hidden = state.hidden.compactMap { hidden in
        // What changed meanwhile was taken up by somebody.
        guard let known = swept[hidden.vn], known == hidden else { return hidden }
        guard hidden.kind == .pending else { return nil }
        var dead = hidden
        dead.kind = .dead
        dead.until = now + Self.deadMilliseconds
        return dead
      }
      return Changed(state)
    }
  }

  private func deleteAll(_ query: JSON, from index: String) async throws {
    struct Answer: Decodable {
      var failures: [FailureCause]?
      var versionConflicts: Int?
      enum CodingKeys: String, CodingKey {
        case failures
        case versionConflicts = "version_conflicts"
      }
    }
    let response = try await client.send(
      "POST", "/\(index)/_delete_by_query",
      query: [("conflicts", "proceed"), ("refresh", "true"), ("wait_for_completion", "true")], body: query.bytes,
      accepted: [404], timeout: .seconds(300), doing: "clearing away old versions in \(index)")
    if response.status == 404 { return }
    let answer = try? JSONText.decode(Answer.self, response.body)
    if let answer, answer.failures?.isEmpty ?? true, answer.versionConflicts ?? 0 == 0 { return }
    // Another sweep is at the same records; the next pass looks again.
    throw OpenSearchError(
      "store.busy", .unavailable, "clearing away old versions in \(index) was not complete",
      remedy: "It is tried again.")
  }

  /// Takes revisions out of a document's record, and the record away when none is left.
  private func forget(_ id: DocumentID, _ isGone: (DocumentRecord.Revision) -> Bool) async throws {
    var left: [(uri: String, collection: String)] = []
    try await changeDocument(id, doing: "clearing away old versions") { record in
      guard var record else { return nil }
      let gone = record.revisions.filter(isGone)
      guard !gone.isEmpty else { return nil }
      record.revisions.removeAll(where: isGone)
      let places = Set(gone.map(\.uri)).subtracting(record.revisions.map(\.uri))
      left = places.map { ($0, record.collection) }
      return record.revisions.isEmpty ? .some(nil) : record
    }
    for place in left {
      try await changePlace(
        SourceURI(rawValue: place.uri), CollectionName(rawValue: place.collection), doing: "clearing away old versions"
      ) { record in
        // A writer may have come back to it meanwhile.
        let still = try await self.record(DocumentRecord.self, names.documents, id.rawValue, doing: "looking at \(id)")
        guard still.record?.revisions.contains(where: { $0.uri == place.uri }) != true,
          record.claims.contains(id.rawValue)
        else { return false }
        record.claims.removeAll { $0 == id.rawValue }
        return true
      }
    }
  }

  private func clearDroppedSpaces() async throws -> Int {
    guard let read = try await client.state(), !read.state.dropped.isEmpty else { return 0 }
    let dropped = read.state.dropped
    struct Hit: Decodable { var id: String }
    for key in dropped {
      _ = try await client.send(
        "DELETE", "/\(names.chunks(key))", accepted: [404], doing: "removing the index of a former model")
      try await deleteAll(["query": ["term": ["space": .string(key)]]], from: names.pages)
      try await forEachHit(
        Hit.self, names.documents, query: ["term": ["space": .string(key)]], sort: ["id"],
        source: ["includes": ["id"]], doing: "clearing away a former model"
      ) { hit, _ in
        try await forget(DocumentID(rawValue: hit.id)) { $0.space == key }
        return true
      }
    }
    try await refresh([names.documents])
    try await client.change(doing: "clearing away a former model") { state in
      var state = state
      state.dropped.removeAll { dropped.contains($0) }
      state.hidden.removeAll { dropped.contains($0.space) }
      return Changed(state)
    }
    return dropped.count
  }

  // MARK: - Snapshots and spaces

  /// Reads from one state of the store. A model's index that went away meanwhile, or a reading that outlasted the time
  /// that replaced versions stay readable, begins again.
  func withSnapshot<Result: Sendable>(
    _ body: @Sendable (StoreState) async throws -> Result
  ) async throws -> Result {
    for attempt in 1... {
      let began = ContinuousClock.now
      guard let read = try await client.state() else { throw OpenSearchError.noState(configuration.index) }
      do {
        let result = try await body(read.state)
        if ContinuousClock.now - began < configuration.grace / 2 || attempt > 2 { return result }
      } catch let error as OpenSearchError where error.code == "opensearch.index_missing" && attempt < 3 {
        continue
      }
    }
    throw CancellationError()
  }

  /// Makes the index of a space's chunks unless it is there.
  func makeChunks(_ space: StoreState.Space) async throws {
    let name = names.chunks(space.key)
    if known.withLock({ $0.contains(name) }) { return }
    let derives: [Bool] = [true, false]
    for derivesSource in derives {
      do {
        try await makeIndex(
          name,
          IndexDesign.chunks(
            dimension: space.identity.dimension, space: space.knn, configuration, derivesSource: derivesSource))
        break
      } catch let error as OpenSearchError
        where derivesSource && (error.underlying as? OpenSearchFailure)?.reason.contains("derived_source") == true
      {
        // Before 2.19: vectors stand in the source as they were sent.
        continue
      }
    }
    known.withLock { _ = $0.insert(name) }
  }

  /// Lets the alias named as the library show the chunks that are searched: for other programs, Quarry itself does not
  /// need it.
  func pointAlias(at space: String) async throws {
    let actions: JSON = [
      "actions": [
        ["remove": ["index": .string(names.chunks("*")), "alias": .string(names.prefix), "must_exist": false]],
        ["add": ["index": .string(names.chunks(space)), "alias": .string(names.prefix)]],
      ]
    ]
    _ = try await client.send("POST", "/_aliases", body: actions.bytes, doing: "pointing the alias \(names.prefix)")
    shownByAlias.withLock { $0 = space }
  }

  /// Points the alias at a space that has become the one that is searched.
  func pointAliasIfActive(_ space: String) async throws {
    if shownByAlias.withLock({ $0 }) == space { return }
    if try await client.state()?.state.active == space { try await pointAlias(at: space) }
  }
}
