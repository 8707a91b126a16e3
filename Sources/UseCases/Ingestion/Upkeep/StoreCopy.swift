public import Core

/// Moves a library into another store: documents with pages, chunks and vectors as they are, the memory of places, keys.
/// Nothing is extracted or embedded again.
///
/// Goes on where it was stopped: what the other store has already is left. At the end every document is read from both
/// and compared.
public struct StoreCopy: Sendable {
  /// How far a copy is.
  public struct Progress: Sendable, Hashable {
    /// `copying` or `comparing`.
    public var stage: String
    /// Documents done of the stage.
    public var done: Int
    /// All of them.
    public var total: Int
  }

  /// What a copy came to.
  public struct Report: Sendable, Hashable, Codable {
    /// Documents copied by this run.
    public var copied = 0
    /// Documents that were there already.
    public var present = 0
    /// Chunks of the documents copied.
    public var chunks = 0
    /// Places whose history was taken over.
    public var places = 0
    /// Keys of the HTTP API taken over.
    public var keys = 0
    /// Documents that are equal in both stores.
    public var verified = 0
    /// Documents that differ, or changed meanwhile, with what differs.
    public var different: [String] = []

    /// An empty report.
    public init() {}
  }

  /// A store's parts that are copied.
  public struct Side: Sendable {
    /// The index.
    public var index: any StoreTransfer
    /// The embedding cache.
    public var cache: any EmbeddingCache
    /// The keys.
    public var keys: any KeyStore

    /// Puts the parts of a store together.
    public init(index: any StoreTransfer, cache: any EmbeddingCache, keys: any KeyStore) {
      self.index = index
      self.cache = cache
      self.keys = keys
    }
  }

  private let source: Side
  private let target: Side
  private let progress: @Sendable (Progress) async -> Void

  /// Creates a copy from `source` to `target`.
  public init(
    from source: Side, to target: Side, progress: @escaping @Sendable (Progress) async -> Void = { _ in }
  ) {
    self.source = source
    self.target = target
    self.progress = progress
  }

  /// Copies, then compares.
  /// - Throws: `store.copy_identity` when the target has another model's vectors; failures of either store.
  public func run() async throws -> Report {
    let identity = try await source.index.activeIdentity()
    if let other = try await target.index.activeIdentity(), let identity, other.canonical != identity.canonical {
      throw CoreError(
        code: "store.copy_identity", category: .conflict,
        message: "the other store has vectors of \(other.summary), this one of \(identity.summary)",
        remedy: "Copy into an empty store.")
    }
    var report = Report()
    let total = try await source.index.collections().values.reduce(0, +)
    try await forEachEntry { entry, position in
      try await copy(entry, into: &report)
      await progress(.init(stage: "copying", done: position, total: total))
    }
    for place in try await source.index.placeHistories() {
      try await target.index.restore(place)
      report.places += 1
    }
    for key in try await source.keys.keys() where try await target.keys.key(key.id) == nil {
      try await target.keys.add(key)
      report.keys += 1
    }
    try await forEachEntry { entry, position in
      if let difference = try await difference(of: entry) {
        report.different.append("\(entry.document.uri): \(difference)")
      } else {
        report.verified += 1
      }
      await progress(.init(stage: "comparing", done: position, total: total))
    }
    return report
  }

  private func forEachEntry(_ visit: (CatalogueEntry, Int) async throws -> Void) async throws {
    var cursor: String?
    var position = 0
    repeat {
      try Task.checkCancellation()
      let page = try await source.index.catalogue(collections: nil, state: nil, limit: 500, after: cursor)
      for entry in page.entries {
        position += 1
        try await visit(entry, position)
      }
      cursor = page.next
    } while cursor != nil
  }

  private func copy(_ entry: CatalogueEntry, into report: inout Report) async throws {
    if try await target.index.entry(entry.document.id) == entry {
      report.present += 1
      return
    }
    guard let document = try await source.index.exported(entry.document.id) else { return }
    try await target.index.commit(document)
    // What is cached to the bit stays so: the index itself may have rounded.
    let known = try await source.cache.embeddings(for: document.chunks.map(\.textHash), identity: document.identity)
    if !known.isEmpty { try await target.cache.store(known, identity: document.identity) }
    report.copied += 1
    report.chunks += document.chunks.count
  }

  /// What is not equal in both stores; nil when everything is.
  private func difference(of entry: CatalogueEntry) async throws -> String? {
    guard let here = try await source.index.exported(entry.document.id) else { return "it is gone here meanwhile" }
    guard let there = try await target.index.exported(entry.document.id) else { return "it is not there" }
    if here.document != there.document || here.sourceStamp != there.sourceStamp { return "it changed meanwhile" }
    if here.metadata != there.metadata || here.state != there.state || here.reason != there.reason
      || here.pipeline != there.pipeline || here.outline != there.outline || here.damage != there.damage
    {
      return "what is said of the document as a whole differs"
    }
    if here.pages != there.pages { return "pages differ" }
    if here.chunks.map(\.chunk) != there.chunks.map(\.chunk) { return "chunks differ" }
    for (one, other) in zip(here.chunks, there.chunks) {
      // One store keeps vectors in binary16, the other may keep more.
      let isNear = zip(one.embedding.vector, other.embedding.vector).allSatisfy { abs($0 - $1) <= 1e-3 }
      if one.embedding.vector.count != other.embedding.vector.count || !isNear {
        return "the vector of chunk \(one.chunk.ordinal) differs"
      }
    }
    return nil
  }
}
