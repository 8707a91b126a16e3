public import Core
import FoundationEssentials

/// The distributed index: documents, pages and chunks in a cluster that many workers write and many services read.
///
/// What readers see is decided by one record, ``StoreState``: a search takes a snapshot of it and carries it as a filter
/// in both legs, so no answer mixes versions of a document or shows part of one.
public final class OpenSearchDocumentIndex: DocumentIndex {
  let cluster: OpenSearchCluster
  let publisher: Publisher
  var client: OpenSearchClient { cluster.client }
  var names: IndexNames { cluster.names }

  /// Creates the index of an opened cluster.
  public init(_ cluster: OpenSearchCluster) {
    self.cluster = cluster
    publisher = Publisher(cluster)
  }

  /// The state now.
  func state() async throws -> StoreState {
    guard let read = try await client.state() else { throw OpenSearchError.noState(cluster.configuration.index) }
    return read.state
  }

  /// The identity searched; nil while nothing is indexed.
  public func activeIdentity() async throws -> EmbeddingIdentity? { try await state().activeSpace?.identity }

  /// The store's version.
  public func version() async throws -> StoreVersion { StoreVersion(Int64(try await state().version)) }

  // MARK: Sources

  /// The newest of what is visible: of a rebuild under way, its commit.
  private func source(_ record: DocumentRecord, _ state: StoreState) -> IndexedSource? {
    guard let revision = record.visible(state).last,
      let space = state.spaces.first(where: { $0.key == revision.space })
    else { return nil }
    return IndexedSource(
      document: record.document(revision), stamp: revision.stamp,
      pipeline: PipelineVersion(rawValue: revision.pipeline), identity: space.identity, isTombstone: false,
      coverage: revision.coverage)
  }

  func source(_ place: PlaceRecord) -> IndexedSource? {
    guard let stone = place.tombstone else { return nil }
    return IndexedSource(
      document: Document(
        id: DocumentID(rawValue: stone.document), collection: CollectionName(rawValue: place.collection),
        uri: SourceURI(rawValue: place.uri), generation: stone.generation,
        version: ContentVersion(rawValue: stone.version)),
      stamp: stone.stamp, pipeline: PipelineVersion(rawValue: stone.pipeline), identity: stone.identity,
      isTombstone: true)
  }

  /// What is known of the object at `uri`: of a rebuild under way, the newest commit.
  public func source(at uri: SourceURI, collection: CollectionName) async throws -> IndexedSource? {
    let doing = "looking for \(uri)"
    let place = try await cluster.record(
      PlaceRecord.self, names.places, RecordID.place(uri, collection), doing: doing)
    guard let place = place.record else { return nil }
    let state = try await state()
    if let id = try await cluster.living(place.claims, at: uri, in: state) {
      let read = try await document(id)
      if let found = read.flatMap({ source($0, state) }), found.document.uri == uri { return found }
    }
    return source(place)
  }

  /// Everything indexed at or below `root`, by URI, tombstones included.
  public func sources(under root: SourceURI, collection: CollectionName) async throws -> [IndexedSource] {
    let doing = "listing what is indexed below \(root)"
    let query: JSON = [
      "bool": [
        "filter": [["term": ["collection": .string(collection.rawValue)]], Self.below(root)]
      ]
    ]
    struct Document: Decodable { var record: DocumentRecord }
    struct Place: Decodable { var record: PlaceRecord }
    try await cluster.refresh([names.places])
    let state = try await state()
    var found: [IndexedSource] = []
    try await cluster.forEachHit(
      Document.self, names.documents, query: query, sort: ["id"],
      source: ["includes": ["record"], "excludes": ["record.revisions.outline"]], doing: doing
    ) { hit, _ in
      if let source = source(hit.record, state), Self.lies(source.document.uri, below: root) { found.append(source) }
      return true
    }
    let live = Set(found.map(\.document.uri))
    var stones: [IndexedSource] = []
    try await cluster.forEachHit(
      Place.self, names.places,
      query: ["bool": ["filter": [query, ["exists": ["field": "tombstone"]]]]], sort: ["uri"], doing: doing
    ) { hit, _ in
      if let source = source(hit.record), !live.contains(source.document.uri) { stones.append(source) }
      return true
    }
    return (found + stones).sorted { $0.document.uri < $1.document.uri }
  }

  static func lies(_ uri: SourceURI, below root: SourceURI) -> Bool {
    uri == root || uri.rawValue.utf8.starts(with: root.prefixOfDescendants.utf8)
  }

  static func below(_ root: SourceURI) -> JSON {
    [
      "bool": [
        "should": [
          ["term": ["uri": .string(root.rawValue)]], ["prefix": ["uri": .string(root.prefixOfDescendants)]],
        ]
      ]
    ]
  }

  /// The next generation number at `uri`.
  public func nextGeneration(at uri: SourceURI, collection: CollectionName) async throws -> Int {
    try await cluster.record(
      PlaceRecord.self, names.places, RecordID.place(uri, collection), doing: "looking at \(uri)"
    ).record?.nextGeneration ?? 0
  }

  func document(_ id: DocumentID) async throws -> DocumentRecord? {
    try await cluster.record(DocumentRecord.self, names.documents, id.rawValue, doing: "reading document \(id)").record
  }

  // MARK: Changes of place

  /// Changes a document's URI after a rename.
  public func move(_ id: DocumentID, to uri: SourceURI, stamp: String) async throws {
    let doing = "moving document \(id)"
    let state = try await state()
    guard let record = try await document(id), let newest = record.visible(state).last else {
      throw OpenSearchError.missing(id)
    }
    let collection = CollectionName(rawValue: record.collection)
    try await cluster.changePlace(uri, collection, doing: doing) { place in
      if let other = try await cluster.living(place.claims.filter { $0 != id.rawValue }, at: uri, in: state) {
        throw OpenSearchError.uriTaken(uri, by: other)
      }
      if !place.claims.contains(id.rawValue) { place.claims.append(id.rawValue) }
      place.tombstone = nil
      return true
    }
    try await cluster.changeDocument(id, doing: doing) { record in
      guard var record else { throw OpenSearchError.missing(id) }
      for position in record.revisions.indices where record.revisions[position].uri == newest.uri {
        record.revisions[position].uri = uri.rawValue
        record.revisions[position].stamp = stamp
      }
      return record
    }
    if newest.uri != uri.rawValue {
      try await cluster.changePlace(SourceURI(rawValue: newest.uri), collection, doing: doing) { place in
        place.claims.removeAll { $0 == id.rawValue }
        return true
      }
    }
    try await cluster.refresh([names.documents])
    try await client.change(doing: doing) { state in
      var state = state
      state.version += 1
      return Changed(state)
    }
  }

  /// Notes another stamp of an unchanged document or of a tombstone.
  public func updateStamp(_ id: DocumentID, stamp: String) async throws {
    let doing = "noting the state of document \(id)"
    let state = try await state()
    if let record = try await document(id), let newest = record.visible(state).last {
      try await cluster.changeDocument(id, doing: doing) { record in
        guard var record, let position = record.revisions.firstIndex(where: { $0.vn == newest.vn }) else { return nil }
        record.revisions[position].stamp = stamp
        return record
      }
      return
    }
    try await cluster.refresh([names.places])
    struct Place: Decodable { var record: PlaceRecord }
    let found = try await cluster.hits(
      Place.self, names.places, ["size": 1, "query": ["term": ["tombstone": .string(id.rawValue)]]], doing: doing)
    guard let place = found.first?.source?.record else { throw OpenSearchError.missing(id) }
    try await cluster.changePlace(
      SourceURI(rawValue: place.uri), CollectionName(rawValue: place.collection), doing: doing
    ) { place in
      guard place.tombstone?.document == id.rawValue else { return false }
      place.tombstone?.stamp = stamp
      return true
    }
  }
}
