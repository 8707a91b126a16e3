import Core

/// Makes written versions visible: all that are ready at a time with one refresh and one change of the state.
///
/// Whoever comes while a publication is under way waits for the next, and one of the waiting does the work for all.
actor Publisher {
  /// A version that is written, and can be shown.
  struct Ready: Sendable {
    var document: Document
    var vn: Int
    var space: String
  }

  private let cluster: OpenSearchCluster
  private var waiting: [(ready: Ready, done: CheckedContinuation<StoreVersion, any Error>)] = []
  private var isAtWork = false

  init(_ cluster: OpenSearchCluster) { self.cluster = cluster }

  /// Shows a version; returns when searches find it.
  /// - Throws: `index.uri_taken` when another document was shown at its place meanwhile; failures of the cluster.
  func publish(_ ready: Ready) async throws -> StoreVersion {
    if isAtWork {
      return try await withCheckedThrowingContinuation { waiting.append((ready, $0)) }
    }
    isAtWork = true
    let own = await outcome(of: [ready])[0]
    while !waiting.isEmpty {
      let group = waiting
      waiting = []
      for (member, outcome) in zip(group, await outcome(of: group.map(\.ready))) {
        member.done.resume(with: outcome)
      }
    }
    isAtWork = false
    return try own.get()
  }

  private func outcome(of group: [Ready]) async -> [Result<StoreVersion, any Error>] {
    do {
      return try await show(group)
    } catch {
      return group.map { _ in .failure(error) }
    }
  }

  private nonisolated func show(_ group: [Ready]) async throws -> [Result<StoreVersion, any Error>] {
    let names = cluster.names
    let doing = "showing \(group.count == 1 ? group[0].document.name : "\(group.count) documents")"
    // A version that is shown before a refresh would be absent until the next.
    try await cluster.refresh(Set(group.map { names.chunks($0.space) }).sorted() + [names.pages, names.documents])
    let retires = try await cluster.retirement()
    let outcomes = try await cluster.client.change(doing: doing) { state in
      let records = try await cluster.records(
        DocumentRecord.self, names.documents, group.map(\.document.id.rawValue), doing: doing)
      var changed = state
      var outcomes: [Result<StoreVersion, any Error>] = []
      var shown: [(collection: String, uri: String, id: String)] = []
      for ready in group {
        let id = ready.document.id
        guard let record = records[id.rawValue]?.record, record.revisions.contains(where: { $0.vn == ready.vn }),
          !changed.hidden.contains(where: { $0.vn == ready.vn && $0.kind == .dead }),
          changed.spaces.contains(where: { $0.key == ready.space })
        else {
          outcomes.append(.failure(OpenSearchError.lost(ready.document)))
          continue
        }
        if let other = try await rival(of: ready, in: changed)
          ?? shown.first(where: {
            $0.uri == ready.document.uri.rawValue && $0.collection == ready.document.collection.rawValue
              && $0.id != id.rawValue
          }).map({ DocumentID(rawValue: $0.id) })
        {
          outcomes.append(.failure(OpenSearchError.uriTaken(ready.document.uri, by: other)))
          continue
        }
        let before = record.visible(state)
        for revision in before where revision.space == ready.space && revision.vn < ready.vn {
          changed.hidden.append(
            .init(
              vn: revision.vn, document: id.rawValue, space: revision.space, kind: .retired, until: retires))
        }
        changed.hidden.removeAll { $0.vn == ready.vn }
        if before.isEmpty { changed.count(1, in: record.collection) }
        if changed.active == nil { changed.active = ready.space }
        changed.version += 1
        shown.append((ready.document.collection.rawValue, ready.document.uri.rawValue, id.rawValue))
        outcomes.append(.success(StoreVersion(Int64(changed.version))))
      }
      return Changed(changed, outcomes)
    }
    return outcomes ?? []
  }

  /// Another document that can be seen at the same place.
  private nonisolated func rival(of ready: Ready, in state: StoreState) async throws -> DocumentID? {
    let document = ready.document
    let place = try await cluster.record(
      PlaceRecord.self, cluster.names.places, RecordID.place(document.uri, document.collection),
      doing: "looking at \(document.uri)")
    let others = (place.record?.claims ?? []).filter { $0 != document.id.rawValue }
    return try await cluster.living(others, at: document.uri, in: state)
  }
}

extension OpenSearchCluster {
  /// When, by the cluster's clock, what is replaced now may be cleared away.
  func retirement() async throws -> Int {
    try await clock.now() + Int(configuration.grace.components.seconds) * 1_000
      + Int(configuration.grace.components.attoseconds / 1_000_000_000_000_000)
  }

  /// The first of these documents that can be seen at `uri`.
  func living(_ documents: [String], at uri: SourceURI, in state: StoreState) async throws -> DocumentID? {
    guard !documents.isEmpty else { return nil }
    let records = try await records(
      DocumentRecord.self, names.documents, documents, leavingOut: ["record.revisions.outline"],
      doing: "looking at \(uri)")
    return documents.first { id in
      guard let record = records[id]?.record, let newest = record.visible(state).last else { return false }
      return newest.uri == uri.rawValue
    }.map(DocumentID.init(rawValue:))
  }
}

extension OpenSearchError {
  static func lost(_ document: Document) -> OpenSearchError {
    OpenSearchError(
      "store.lost_lease", .unavailable, "\(document.name) took so long to write that others cleared it away",
      remedy: "It is tried again.")
  }
}
