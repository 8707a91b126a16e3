import Core
import FoundationEssentials

/// A record with what guards its next change; `record` is nil while there is none.
struct ReadRecord<Record: Codable & Sendable>: Sendable {
  var record: Record?
  var sequence: Int?
  var term: Int?
}

/// An answer to a request for one record by its id.
struct GotRecord<Record: Codable & Sendable>: Decodable {
  struct Source: Decodable, Sendable { var record: Record }
  var id: String
  var found: Bool?
  var sequence: Int?
  var term: Int?
  var source: Source?
  var error: FailureCause?

  enum CodingKeys: String, CodingKey {
    case id = "_id"
    case found
    case sequence = "_seq_no"
    case term = "_primary_term"
    case source = "_source"
    case error
  }

  var read: ReadRecord<Record> {
    found == true
      ? ReadRecord(record: source?.record, sequence: sequence, term: term) : ReadRecord(record: nil)
  }
}

extension GotRecord: MultiGetItem {}

/// An item of an answer to `_mget`, which may have failed by itself.
protocol MultiGetItem: Decodable, Sendable {
  var error: FailureCause? { get }
}

private struct MultiGot<Item: MultiGetItem>: Decodable { var docs: [Item] }

extension OpenSearchCluster {
  /// Records by id. Items of a shard that is just moving or starting are asked for again.
  func multiGet<Item: MultiGetItem>(
    _ type: Item.Type, _ index: String, _ ids: [String], query: [(String, String)] = [], doing: String
  ) async throws -> [Item] {
    let body = JSON.object([("ids", .strings(ids))]).bytes
    for attempt in 0... {
      let response = try await client.send("POST", "/\(index)/_mget", query: query, body: body, doing: doing)
      let answer: MultiGot<Item>
      do { answer = try StoredJSON.decode(MultiGot<Item>.self, response.body) } catch {
        throw OpenSearchError.badResponse(doing, error)
      }
      guard let cause = answer.docs.lazy.compactMap(\.error).first else { return answer.docs }
      let failure = OpenSearchFailure(cause, status: cause.type == "index_not_found_exception" ? 404 : 503)
      guard failure.isTransient, attempt < 6 else { throw failure.error(doing) }
      try await Task.sleep(for: .milliseconds(Int.random(in: 50...100) << attempt))
    }
    return []
  }

  /// Records by id as they are now, whatever the last refresh saw.
  func records<Record: Codable & Sendable>(
    _ type: Record.Type, _ index: String, _ ids: [String], leavingOut: [String] = [], doing: String
  ) async throws -> [String: ReadRecord<Record>] {
    var found: [String: ReadRecord<Record>] = [:]
    var rest = ids[...]
    while !rest.isEmpty {
      let part = rest.prefix(500)
      rest = rest.dropFirst(500)
      let query = leavingOut.isEmpty ? [] : [("_source_excludes", leavingOut.joined(separator: ","))]
      for got in try await multiGet(GotRecord<Record>.self, index, Array(part), query: query, doing: doing) {
        found[got.id] = got.read
      }
    }
    return found
  }

  func record<Record: Codable & Sendable>(
    _ type: Record.Type, _ index: String, _ id: String, doing: String
  ) async throws -> ReadRecord<Record> {
    try await records(type, index, [id], doing: doing)[id] ?? ReadRecord(record: nil)
  }

  /// Changes one record, however many others do at the same time.
  /// - Parameter change: May run several times, each time with the record read anew; nil leaves it as it is, `.some(nil)`
  ///   removes it.
  func change<Record: Codable & Sendable>(
    _ type: Record.Type, _ index: String, _ id: String, doing: String,
    _ change: (Record?) async throws -> Change<Record>
  ) async throws {
    for attempt in 0..<200 {
      if attempt > 0 { try await Task.sleep(for: .milliseconds(Int.random(in: 0...min(5 * attempt, 200)))) }
      let read = try await record(type, index, id, doing: doing)
      let guards: [(String, String)] =
        if let sequence = read.sequence, let term = read.term {
          [("if_seq_no", "\(sequence)"), ("if_primary_term", "\(term)")]
        } else { [("op_type", "create")] }
      let status: Int
      switch try await change(read.record) {
      case .none: return
      case .remove:
        guard read.record != nil else { return }
        status = try await client.send(
          "DELETE", "/\(index)/_doc/\(id)", query: guards, accepted: [404, 409], doing: doing
        ).status
      case .write(let body):
        status = try await client.send(
          "PUT", "/\(index)/_doc/\(id)", query: guards, body: body, accepted: [409], doing: doing
        ).status
      }
      if status != 409 { return }
    }
    throw OpenSearchError(
      "store.busy", .unavailable, "\(doing): others changed it faster than this could", remedy: "Try again.")
  }

  func changeDocument(
    _ id: DocumentID, doing: String, _ change: (DocumentRecord?) async throws -> DocumentRecord??
  ) async throws {
    try await self.change(DocumentRecord.self, names.documents, id.rawValue, doing: doing) { record in
      switch try await change(record) {
      case nil: .none
      case .some(nil): .remove
      case .some(.some(let record)): .write(try record.body())
      }
    }
  }

  func changePlace(
    _ uri: SourceURI, _ collection: CollectionName, doing: String,
    _ change: (inout PlaceRecord) async throws -> Bool
  ) async throws {
    try await self.change(PlaceRecord.self, names.places, RecordID.place(uri, collection), doing: doing) { record in
      var place = record ?? PlaceRecord(uri, collection)
      return try await change(&place) ? .write(try place.body()) : .none
    }
  }
}

/// What becomes of a record.
enum Change<Record> {
  case none
  case remove
  case write([UInt8])
}

// MARK: - Searches for records

/// Hits of a search, each as `Source`.
struct Hits<Source: Decodable>: Decodable {
  struct Hit: Decodable {
    var source: Source?
    var sort: [SortValue]?
    enum CodingKeys: String, CodingKey {
      case source = "_source"
      case sort
    }
  }
  struct All: Decodable { var hits: [Hit] }
  struct Shards: Decodable {
    var total: Int
    var successful: Int
  }
  var hits: All
  var shards: Shards
  var timedOut: Bool?

  enum CodingKeys: String, CodingKey {
    case hits
    case shards = "_shards"
    case timedOut = "timed_out"
  }
}

/// A hit's place in the order that was asked for.
enum SortValue: Codable, Sendable, Hashable {
  case number(Double)
  case text(String)

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let number = try? container.decode(Double.self) {
      self = .number(number)
    } else {
      self = .text(try container.decode(String.self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .number(let number): try container.encode(number)
    case .text(let text): try container.encode(text)
    }
  }

  var json: JSON {
    switch self {
    case .number(let number): Int(exactly: number).map { .int($0) } ?? .double(number)
    case .text(let text): .string(text)
    }
  }
}

extension OpenSearchCluster {
  /// One page of a search.
  func hits<Source: Decodable>(
    _ type: Source.Type, _ index: String, _ body: JSON, doing: String
  ) async throws -> [Hits<Source>.Hit] {
    let response = try await client.send(
      "POST", "/\(index)/_search", query: [("allow_partial_search_results", "false")], body: body.bytes, doing: doing)
    let answer: Hits<Source>
    do { answer = try StoredJSON.decode(Hits<Source>.self, response.body) } catch {
      throw OpenSearchError.badResponse(doing, error)
    }
    // A red index answers 200 and says so here only.
    guard answer.shards.successful == answer.shards.total, answer.timedOut != true else {
      throw OpenSearchError.partial(doing, answer.shards.successful, answer.shards.total)
    }
    return answer.hits.hits
  }

  /// All hits of a search, page by page in the order of `sort`, whose last field tells hits apart.
  /// - Parameter visit: Returns whether to go on.
  func forEachHit<Source: Decodable>(
    _ type: Source.Type, _ index: String, query: JSON, sort: [String], page: Int = 1_000, after: [SortValue]? = nil,
    source: JSON = true, doing: String, _ visit: (Source, [SortValue]) async throws -> Bool
  ) async throws {
    var after = after
    while true {
      var body: [(String, JSON)] = [
        ("size", .int(page)), ("query", query), ("sort", .strings(sort)), ("track_total_hits", false),
        ("_source", source),
      ]
      if let after { body.append(("search_after", .array(after.map(\.json)))) }
      let found = try await hits(type, index, .object(body), doing: doing)
      for hit in found {
        guard let source = hit.source, let sort = hit.sort else { throw OpenSearchError.badResponse(doing) }
        guard try await visit(source, sort) else { return }
        after = sort
      }
      if found.count < page { return }
    }
  }
}

extension OpenSearchError {
  static func partial(_ doing: String, _ answered: Int, _ all: Int) -> OpenSearchError {
    OpenSearchError(
      "opensearch.partial", .unavailable, "\(doing): only \(answered) of \(all) shards answered",
      remedy: "Look at _cluster/health: the index is red, or overloaded.")
  }
}
