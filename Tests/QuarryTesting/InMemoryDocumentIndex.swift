public import Core
public import FoundationEssentials

/// A document index in memory, with the rules of a durable one: whole documents, embedding spaces, tombstones.
public actor InMemoryDocumentIndex: DocumentIndex {
  struct Place: Hashable {
    var collection: CollectionName
    var uri: SourceURI
  }

  struct Live {
    var document: Document
    var stamp: String
    /// The newest commit by embedding identity.
    var revisions: [EmbeddingIdentity: IndexedDocument]
    var latest: EmbeddingIdentity
  }

  var live: [DocumentID: Live] = [:]
  var active: EmbeddingIdentity?
  var storeVersion: Int64 = 0
  private var tombstones: [Place: IndexedSource] = [:]
  private var generations: [Place: Int] = [:]
  private var failure: (any Error)?

  /// Creates an empty index.
  public init() {}

  /// Makes every later commit throw `error` and change nothing, until nil is set.
  public func failCommits(with error: (any Error)?) { failure = error }

  /// Replaces the text of a stored page, as damage would: citations of it must then be rejected.
  public func alterText(ofPage number: Int, of id: DocumentID, to text: String) {
    guard let identity = live[id]?.latest else { return }
    for index in live[id]?.revisions[identity]?.pages.indices ?? 0..<0
    where live[id]?.revisions[identity]?.pages[index].number == number {
      live[id]?.revisions[identity]?.pages[index].text = text
    }
  }

  /// The identity searched; nil while nothing is indexed.
  public func activeIdentity() async throws -> EmbeddingIdentity? { live.isEmpty ? nil : active }
  /// The current version.
  public func version() async throws -> StoreVersion { StoreVersion(storeVersion) }

  /// Makes a version of a document searchable.
  @discardableResult
  public func commit(_ indexed: IndexedDocument) async throws -> StoreVersion {
    if let failure { throw failure }
    let document = indexed.document
    let place = Place(collection: document.collection, uri: document.uri)
    if let other = live.values.first(where: { Self.place(of: $0.document) == place && $0.document.id != document.id }) {
      throw CoreError(
        code: "index.uri_taken", category: .conflict,
        message: "\(document.uri) belongs to document \(other.document.id) already")
    }
    if live.isEmpty { active = indexed.identity }
    tombstones[place] = nil
    if var known = live[document.id] {
      known.document = document
      known.stamp = indexed.sourceStamp
      known.revisions[indexed.identity] = indexed
      known.latest = indexed.identity
      live[document.id] = known
    } else {
      generations[place] = max(generations[place] ?? 0, document.generation + 1)
      live[document.id] = Live(
        document: document, stamp: indexed.sourceStamp, revisions: [indexed.identity: indexed],
        latest: indexed.identity)
    }
    return bump()
  }

  /// Switches to another embedding space.
  public func activate(_ identity: EmbeddingIdentity) async throws {
    let missing = live.values.filter { $0.revisions[identity]?.document.version != $0.document.version }
    guard missing.isEmpty else {
      throw CoreError(
        code: "index.rebuild_incomplete", category: .conflict,
        message: "\(missing.count) documents have no vectors of \(identity.summary) yet")
    }
    active = identity
    live = live.mapValues { known in
      var known = known
      known.revisions = known.revisions.filter { $0.key == identity }
      known.latest = identity
      return known
    }
    bump()
  }

  /// Removes a document.
  @discardableResult
  public func delete(_ id: DocumentID, tombstone: Bool, now: Date) async throws -> [ChunkID] {
    guard let gone = live.removeValue(forKey: id) else { return [] }
    if tombstone {
      var source = Self.source(gone)
      source.isTombstone = true
      tombstones[Self.place(of: gone.document)] = source
    }
    bump()
    return Set(gone.revisions.values.flatMap { $0.chunks.map(\.chunk.id) }).sorted()
  }

  /// Changes a document's URI.
  public func move(_ id: DocumentID, to uri: SourceURI, stamp: String) async throws {
    guard let known = live[id] else { throw Self.missing(id) }
    let place = Place(collection: known.document.collection, uri: uri)
    if let other = live.values.first(where: { Self.place(of: $0.document) == place && $0.document.id != id }) {
      throw CoreError(
        code: "index.uri_taken", category: .conflict, message: "\(uri) belongs to document \(other.document.id)")
    }
    tombstones[place] = nil
    live[id]?.document = Self.moved(known.document, to: uri)
    live[id]?.stamp = stamp
    bump()
  }

  /// Notes another stamp of an unchanged document or tombstone.
  public func updateStamp(_ id: DocumentID, stamp: String) async throws {
    if live[id] != nil {
      live[id]?.stamp = stamp
    } else if let place = tombstones.first(where: { $0.value.document.id == id })?.key {
      tombstones[place]?.stamp = stamp
    } else {
      throw Self.missing(id)
    }
  }

  /// What is known of a URI.
  public func source(at uri: SourceURI, collection: CollectionName) async throws -> IndexedSource? {
    let place = Place(collection: collection, uri: uri)
    if let known = live.values.first(where: { Self.place(of: $0.document) == place }) { return Self.source(known) }
    return tombstones[place]
  }

  /// What is indexed under a root.
  public func sources(under root: SourceURI, collection: CollectionName) async throws -> [IndexedSource] {
    let folder = root.rawValue.hasSuffix("/") ? root.rawValue : root.rawValue + "/"
    return (live.values.map(Self.source) + tombstones.values)
      .filter { source in
        let uri = source.document.uri
        return source.document.collection == collection && (uri == root || uri.rawValue.hasPrefix(folder))
      }
      .sorted { $0.document.uri < $1.document.uri }
  }

  /// The next generation at a URI.
  public func nextGeneration(at uri: SourceURI, collection: CollectionName) async throws -> Int {
    generations[Place(collection: collection, uri: uri)] ?? 0
  }

  /// Extraction of equal bytes.
  public func extraction(of version: ContentVersion, pipeline: PipelineVersion) async throws -> StoredExtraction? {
    live.values.flatMap(\.revisions.values).filter { $0.document.version == version && $0.pipeline == pipeline }
      .max { $0.indexed < $1.indexed }
      .map { found in
        var metadata = found.metadata
        metadata.attributes = [:]
        return StoredExtraction(
          metadata: metadata, pageCount: found.pageCount, pages: found.pages, outline: found.outline,
          damage: found.damage)
      }
  }

  @discardableResult
  private func bump() -> StoreVersion {
    storeVersion += 1
    return StoreVersion(storeVersion)
  }

  private static func place(of document: Document) -> Place {
    Place(collection: document.collection, uri: document.uri)
  }

  static func moved(_ document: Document, to uri: SourceURI) -> Document {
    Document(
      id: document.id, collection: document.collection, uri: uri, generation: document.generation,
      version: document.version)
  }

  private static func source(_ known: Live) -> IndexedSource {
    IndexedSource(
      document: known.document, stamp: known.stamp,
      pipeline: known.revisions[known.latest]?.pipeline ?? PipelineVersion(rawValue: ""), identity: known.latest,
      isTombstone: false,
      coverage: (known.revisions[known.latest]?.pages ?? []).reduce(into: [:]) { $0[$1.coverage, default: 0] += 1 })
  }

  private static func missing(_ id: DocumentID) -> CoreError {
    CoreError(code: "index.document_missing", category: .notFound, message: "there is no document \(id)")
  }
}
