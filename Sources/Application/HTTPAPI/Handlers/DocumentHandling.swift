import Core
import HTTPServer
import Telemetry

extension API {
  /// Most documents of one answer.
  static let listLimit = 1000
  /// Documents of one answer unless the request says otherwise.
  static let defaultListLimit = 100
  /// Longest cursor, characters.
  private static let cursorLength = 128

  /// `GET /v1/documents`: only what the caller may see.
  func listDocuments(_ parameters: QueryParameters, _ context: RequestContext) async throws -> HTTPResponse {
    var collections = context.caller.allowedCollections
    if let name = parameters.text("collection") {
      try QuestionReading.checkCollection(name)
      let collection = CollectionName(rawValue: name)
      guard context.caller.mayRead(collection) else {
        throw HTTPAPIError(
          code: "collection.forbidden", category: .forbidden, message: "this key may not read collection '\(name)'",
          remedy: "Use a key that may.", field: "collection")
      }
      collections = [collection]
    }
    let state = try parameters.text("state").map { word in
      guard let state = DocumentState(rawValue: word) else {
        throw HTTPAPIError(
          code: "request.invalid_parameter", category: .invalidInput,
          message: "'state' is not one of \(DocumentState.allCases.map(\.rawValue).joined(separator: ", "))",
          remedy: "Give one of these words.", field: "state")
      }
      return state
    }
    let limit = try parameters.integer("limit", in: 1...Self.listLimit) ?? Self.defaultListLimit
    let cursor = parameters.text("cursor")
    guard cursor.map({ (1...Self.cursorLength).contains($0.unicodeScalars.count) }) ?? true else {
      throw HTTPAPIError(
        code: "request.invalid_parameter", category: .invalidInput,
        message: "'cursor' must have 1 to \(Self.cursorLength) characters",
        remedy: "Pass next_cursor of the answer before, or leave it out.", field: "cursor")
    }
    let page = try await parts.index.catalogue(collections: collections, state: state, limit: limit, after: cursor)
    return .json(DocumentListBody(documents: page.entries.map(DocumentBody.init), nextCursor: page.next))
  }

  /// `GET /v1/documents/{id}`.
  func showDocument(_ id: String, _ context: RequestContext) async throws -> HTTPResponse {
    let entry = try await entry(id, context)
    let coverage = try await parts.index.coverage(of: entry.document.id)
    return .json(
      DocumentDetailBody(
        document: DocumentBody(entry),
        pages: coverage.map { PageCoverageBody(page: $0.page, coverage: $0.coverage, reason: $0.reason) }))
  }

  /// `DELETE /v1/documents/{id}`: leaves a tombstone, so that a scan does not bring the document back while its
  /// file stays.
  func deleteDocument(_ id: String, _ context: RequestContext) async throws -> HTTPResponse {
    let document = try await entry(id, context).document
    let chunks = try await parts.index.delete(document.id, tombstone: true, now: parts.now())
    await parts.recorder.recordWhenRoom(
      chunks.map { .tombstone(TombstoneEvent(chunkID: $0, documentID: document.id)) }, context: context,
      collection: document.collection)
    parts.log.log(
      .info, "document deleted", context: context,
      [
        ("document", .string(document.id.rawValue)), ("uri", .string(document.uri.rawValue)),
        ("chunks", .int(chunks.count)),
      ])
    return HTTPResponse(status: 204)
  }

  /// The document, if the caller may see it: what is out of bounds looks like what is not there.
  func entry(_ id: String, _ context: RequestContext) async throws -> CatalogueEntry {
    guard QuestionReading.isDocumentID(id), let entry = try await parts.index.entry(DocumentID(rawValue: id)),
      context.caller.mayRead(entry.document.collection)
    else { throw HTTPAPIError.documentMissing(id) }
    return entry
  }
}
