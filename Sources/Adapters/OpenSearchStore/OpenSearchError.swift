public import Core

/// Why OpenSearch did not do what it was asked.
public struct OpenSearchError: CategorizedError {
  /// A stable dotted code.
  public let code: String
  /// What happened.
  public let message: String
  /// What to do about it.
  public let remedy: String?
  /// The kind of failure.
  public let category: ErrorCategory
  /// The error beneath.
  public let underlying: (any Error)?

  init(
    _ code: String, _ category: ErrorCategory, _ message: String, remedy: String? = nil,
    underlying: (any Error)? = nil
  ) {
    self.code = code
    self.category = category
    self.message = message
    self.remedy = remedy
    self.underlying = underlying
  }
}

extension OpenSearchError {
  static func missing(_ id: DocumentID) -> OpenSearchError {
    OpenSearchError("index.document_missing", .notFound, "there is no document \(id)")
  }

  static func uriTaken(_ uri: SourceURI, by other: DocumentID) -> OpenSearchError {
    OpenSearchError("index.uri_taken", .conflict, "\(uri) is the place of document \(other)")
  }

  static func identityMismatch(active: EmbeddingIdentity, asked: EmbeddingIdentity) -> OpenSearchError {
    OpenSearchError(
      "index.identity_mismatch", .conflict,
      "the index has vectors of \(active.summary), the configured model is \(asked.summary)",
      remedy: "Configure the model that the index was made with, or run `quarry ingest --rebuild`.")
  }

  static func wrongDimension(_ what: String, _ count: Int, _ identity: EmbeddingIdentity) -> OpenSearchError {
    OpenSearchError(
      "index.wrong_dimension", .invalidInput,
      "\(what) has \(count) components; \(identity.summary) has \(identity.dimension)")
  }

  static func damaged(_ what: String) -> OpenSearchError {
    OpenSearchError(
      "store.damaged", .corrupt, "the index is damaged: \(what)",
      remedy: "Run `quarry verify`; `quarry gc` repairs what can be repaired, a new `quarry ingest --rebuild` the rest."
    )
  }

  static func badResponse(_ what: String, _ error: (any Error)? = nil) -> OpenSearchError {
    OpenSearchError(
      "opensearch.bad_response", .unavailable, "OpenSearch's answer to \(what) is not what OpenSearch answers",
      remedy: "Check that store.url leads to an OpenSearch node, and that no proxy on the way changes answers.",
      underlying: error)
  }
}

/// An answer that says that something failed: of a whole request or of one item of many.
struct OpenSearchFailure: Error, Sendable, Hashable {
  var status: Int
  /// Such as `version_conflict_engine_exception`; empty when the answer named none.
  var type: String
  /// In OpenSearch's words, cut to a bounded length: it may echo a whole vector.
  var reason: String
  /// The index concerned, if said.
  var index: String?

  init(status: Int, type: String, reason: String, index: String? = nil) {
    self.status = status
    self.type = type
    self.reason = String(reason.prefix(300))
    self.index = index
  }

  /// Reads an error's body; of nested causes the innermost, which says what is wrong.
  init(status: Int, body: [UInt8]) {
    struct Body: Decodable { var error: FailureCause }
    if let cause = try? JSONText.decode(Body.self, body).error {
      self.init(cause, status: status)
    } else {
      let text = body.isEmpty ? "no explanation" : String(decoding: body.prefix(200), as: UTF8.self)
      self.init(status: status, type: "", reason: text)
    }
  }

  init(_ cause: FailureCause, status: Int) {
    let deepest = cause.deepest
    self.init(
      status: status, type: cause.rootType ?? cause.type ?? "",
      reason: deepest.reason ?? cause.reason ?? "no explanation", index: cause.index ?? cause.rootIndex)
  }

  var isConflict: Bool { status == 409 }
  /// Not while a cluster starts: that block, a 503, goes by itself.
  var isBlock: Bool {
    (type == "cluster_block_exception" || type == "index_create_block_exception") && status != 503
  }
  var isFloodStage: Bool {
    isBlock && (reason.contains("disk usage exceeded") || reason.contains("read-only-allow-delete"))
  }

  /// Whether the same request may succeed soon.
  var isTransient: Bool {
    if isBlock { return false }
    switch status {
    case 429, 502, 503, 504: return true
    case 500: return type == "node_not_connected_exception" || type == "node_disconnected_exception"
    default: return false
    }
  }

  /// Whether the cluster asks for patience.
  var isOverload: Bool {
    status == 429 && !isBlock || type == "circuit_breaking_exception" || type.hasSuffix("rejected_execution_exception")
  }

  /// What it means to the user.
  func error(_ doing: String) -> OpenSearchError {
    let said = "\(doing): \(type.isEmpty ? "status \(status)" : type): \(reason)"
    func make(_ code: String, _ category: ErrorCategory, _ remedy: String) -> OpenSearchError {
      OpenSearchError("opensearch.\(code)", category, said, remedy: remedy, underlying: self)
    }
    if isFloodStage {
      return make(
        "disk_full", .storageFull,
        "The cluster's disks are above the flood-stage watermark and it takes no writes: free or add space there.")
    }
    if isBlock {
      return make("read_only", .storageFull, "The index or cluster is blocked for writes: remove the block.")
    }
    switch (status, type) {
    case (401, _):
      return make("unauthenticated", .unauthenticated, "Check store.user and store.password, or the AWS credentials.")
    case (403, _):
      return make("forbidden", .forbidden, "Give this user the permissions that docs/opensearch.md lists.")
    case (_, "index_not_found_exception"):
      return make("index_missing", .notFound, "Run `quarry ingest`, which makes the indices, or check store.index.")
    case (_, "circuit_breaking_exception"), (429, _):
      return make("overloaded", .unavailable, "The cluster is overloaded; it is asked again later.")
    case (413, _):
      return make("too_large", .tooLarge, "Raise http.max_content_length of the cluster.")
    case (404, _): return make("not_found", .notFound, "Check store.url and store.index.")
    case (408, _), (504, _): return make("timed_out", .timedOut, "The cluster did not answer in time.")
    case (503, _), (502, _):
      return make(
        "unavailable", .unavailable,
        "Shards or the manager of the cluster are not there: look at _cluster/health; it is asked again later.")
    case (500..., _): return make("failed", .unavailable, "Look into the cluster's log.")
    default:
      return make("refused", .internal, "Run `quarry doctor`, which compares the cluster with what Quarry needs.")
    }
  }
}

/// The form of errors in answers: an object with causes in it, or for some only a text.
struct FailureCause: Decodable, Sendable {
  var type: String?
  var reason: String?
  var index: String?
  private var causes: [FailureCause] = []
  private var roots: [FailureCause] = []

  private enum CodingKeys: String, CodingKey {
    case type
    case reason
    case index
    case cause = "caused_by"
    case roots = "root_cause"
  }

  init(from decoder: any Decoder) throws {
    if let text = try? decoder.singleValueContainer().decode(String.self) {
      reason = text
      return
    }
    let container = try decoder.container(keyedBy: CodingKeys.self)
    type = try container.decodeIfPresent(String.self, forKey: .type)
    reason = try? container.decodeIfPresent(String.self, forKey: .reason)
    index = try? container.decodeIfPresent(String.self, forKey: .index)
    causes = (try? container.decodeIfPresent(FailureCause.self, forKey: .cause)).map { [$0] } ?? []
    roots = (try? container.decodeIfPresent([FailureCause].self, forKey: .roots)) ?? []
  }

  var deepest: FailureCause {
    if let cause = causes.first, cause.reason != nil { return cause.deepest }
    if let root = roots.first, root.reason != nil, type == "search_phase_execution_exception" { return root.deepest }
    return self
  }

  var rootType: String? { type == "search_phase_execution_exception" ? roots.first?.type : nil }
  var rootIndex: String? { roots.first?.index }
}
