import Core
import FoundationEssentials

/// What is visible now: one record, changed only as a whole and only by who knows its last state.
///
/// OpenSearch has no transaction over documents. Every version of a document gets a number before anything of it is
/// written; what is written carries the number; and whoever reads takes numbers below `next` that are not `hidden`. So
/// one write of this record shows all of a version, and hides all of the one before. Protocol S of the measurements in
/// docs/decisions/0015-snapshots-in-opensearch.md.
struct StoreState: Codable, Sendable, Hashable {
  /// A number that readers pass over.
  struct Hidden: Codable, Sendable, Hashable {
    /// Why it is hidden.
    enum Kind: String, Codable, Sendable {
      /// Its writer is at work, until `until`.
      case pending
      /// Replaced or deleted; read by queries that began before, until `until`.
      case retired
      /// Left by a writer that died, and cleared away; kept until `until` against words of it that come late.
      case dead
    }

    var vn: Int
    var document: String
    var space: String
    var kind: Kind
    /// Milliseconds since 1970 by the cluster's clock.
    var until: Int
  }

  /// The chunks of one embedding identity.
  struct Space: Codable, Sendable, Hashable {
    /// Names its index.
    var key: String
    var identity: EmbeddingIdentity
    /// The measure of nearness of its vectors.
    var measure: String

    var knn: KNNSpace { KNNSpace(rawValue: measure) ?? .cosine }
  }

  /// The store version.
  var version = 0
  /// The number that the next writer gets.
  var next = 1
  var hidden: [Hidden] = []
  var spaces: [Space] = []
  /// The key of the space that is searched; nil while there are no documents.
  var active: String?
  /// Documents that can be seen, by collection; a collection without any is not in it.
  var collections: [String: Int] = [:]

  /// Spaces that are not any more, and whose index may have to be deleted yet.
  var dropped: [String] = []

  /// Documents that can be seen.
  var documents: Int { collections.values.reduce(0, +) }

  /// Counts a document that came into sight, or went out of it.
  mutating func count(_ change: Int, in collection: String) {
    let count = collections[collection, default: 0] + change
    collections[collection] = count > 0 ? count : nil
  }

  var activeSpace: Space? { spaces.first { $0.key == active } }
  func space(of identity: EmbeddingIdentity) -> Space? {
    spaces.first { $0.identity.canonical == identity.canonical }
  }

  /// Whether what carries this number can be seen.
  func shows(_ vn: Int, space: String) -> Bool {
    vn < next && spaces.contains { $0.key == space } && !hidden.contains { $0.vn == vn }
  }

  /// The filter that both legs of a search carry.
  var filters: (filter: JSON, mustNot: [JSON]) {
    (
      ["range": ["vn": ["lt": .int(next)]]],
      hidden.isEmpty ? [] : [["terms": ["vn": .array(hidden.map { .int($0.vn) })]]]
    )
  }
}

/// The state with what guards its next change.
struct ReadState: Sendable {
  var state: StoreState
  var sequence: Int
  var term: Int
}

/// A new state, and what its maker wants to know of it.
struct Changed<Result: Sendable>: Sendable {
  var state: StoreState
  var result: Result

  init(_ state: StoreState, _ result: Result) {
    self.state = state
    self.result = result
  }
}

extension Changed<Void> {
  init(_ state: StoreState) { self.init(state, ()) }
}

extension OpenSearchClient {
  private struct Got: Decodable {
    struct Source: Decodable { var record: StoreState }
    var found: Bool?
    var seqNo: Int?
    var primaryTerm: Int?
    var source: Source?

    enum CodingKeys: String, CodingKey {
      case found
      case seqNo = "_seq_no"
      case primaryTerm = "_primary_term"
      case source = "_source"
    }
  }

  var names: IndexNames { IndexNames(prefix: configuration.index) }

  /// The state as it is, not as the last refresh saw it; nil when there is no index yet.
  func state() async throws -> ReadState? {
    let got = try await json(
      Got.self, "GET", "/\(names.control)/_doc/state", accepted: [404], doing: "reading the state of the index")
    guard got.found == true, let source = got.source, let sequence = got.seqNo, let term = got.primaryTerm else {
      return nil
    }
    return ReadState(state: source.record, sequence: sequence, term: term)
  }

  /// Writes the state if nobody did since it was read.
  /// - Returns: Whether it was written; when false, read again.
  func replace(_ read: ReadState, with state: StoreState, doing: String) async throws -> Bool {
    let record = JSON.object([("record", .raw(try JSONText.encode(state)))])
    let response = try await send(
      "PUT", "/\(names.control)/_doc/state",
      query: [("if_seq_no", "\(read.sequence)"), ("if_primary_term", "\(read.term)")], body: record.bytes,
      accepted: [409], doing: doing)
    return response.status != 409
  }

  /// Changes the state, however many others do at the same time.
  ///
  /// `change` may run several times, each time with a state read anew; nil from it leaves everything as it is.
  /// - Returns: The state written, or as read when nothing was.
  @discardableResult
  func change<Result: Sendable>(
    doing: String, _ change: (StoreState) async throws -> Changed<Result>?
  ) async throws -> Result? {
    for attempt in 0..<200 {
      if attempt > 0 { try await Task.sleep(for: .milliseconds(Int.random(in: 0...min(5 * attempt, 200)))) }
      guard let read = try await state() else { throw OpenSearchError.noState(configuration.index) }
      guard let changed = try await change(read.state) else { return nil }
      if try await replace(read, with: changed.state, doing: doing) { return changed.result }
    }
    throw OpenSearchError(
      "store.busy", .unavailable, "\(doing): others changed the index faster than this could", remedy: "Try again.")
  }
}

extension OpenSearchError {
  static func noState(_ index: String) -> OpenSearchError {
    OpenSearchError(
      "store.missing", .notFound, "the cluster has no Quarry index named \(index)", remedy: "Run: quarry ingest PATH")
  }
}
