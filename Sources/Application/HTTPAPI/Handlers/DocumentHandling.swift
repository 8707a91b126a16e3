import Core
import HTTPServer
import Ingestion
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
    let limit = try parameters.integer("limit", in: 1...Self.listLimit) ?? Self.defaultListLimit
    let cursor = parameters.text("cursor")
    guard cursor.map({ (1...Self.cursorLength).contains($0.unicodeScalars.count) }) ?? true else {
      throw HTTPAPIError(
        code: "request.invalid_parameter", category: .invalidInput,
        message: "'cursor' must have 1 to \(Self.cursorLength) characters",
        remedy: "Pass next_cursor of the answer before, or leave it out.", field: "cursor")
    }
    let word = parameters.text("state")
    if let states = word.flatMap(ListedJobState.states) {
      return try await listJobs(in: states, collections, limit: limit, after: cursor)
    }
    let state = try word.map(Self.documentState)
    let page = try await parts.index.catalogue(collections: collections, state: state, limit: limit, after: cursor)
    return .json(DocumentListBody(documents: page.entries.map(DocumentBody.init), nextCursor: page.next))
  }

  private static func documentState(_ word: String) throws(HTTPAPIError) -> DocumentState {
    if let state = DocumentState(rawValue: word) { return state }
    let known = DocumentState.allCases.map(\.rawValue).filter { !ListedJobState.words.contains($0) }
    throw HTTPAPIError(
      code: "request.invalid_parameter", category: .invalidInput,
      message: "'state' is not one of \((known + ListedJobState.words).joined(separator: ", "))",
      remedy: "Give one of these words.", field: "state")
  }

  /// Documents by where the work on them stands: they need not be in the index.
  private func listJobs(
    in states: Set<JobState>, _ collections: Set<CollectionName>?, limit: Int, after cursor: String?
  ) async throws -> HTTPResponse {
    let page = try await parts.jobs.jobs(in: states, collections: collections, limit: limit, after: cursor)
    var documents: [DocumentBody] = []
    for job in page.jobs { documents.append(DocumentBody(job, id: try await job.documentID(in: parts.index))) }
    return .json(DocumentListBody(documents: documents, nextCursor: page.next))
  }

  /// `GET /v1/documents/{id}`: a document that is not indexed yet, or could not be, is shown by its job.
  func showDocument(_ id: String, _ context: RequestContext) async throws -> HTTPResponse {
    guard DocumentID.isValid(id) else { throw HTTPAPIError.documentMissing(id) }
    let document = DocumentID(rawValue: id)
    // The job first: when it is done, the document is there.
    let job = try await parts.jobs.job(of: document)
    guard let entry = try await parts.index.entry(document) else {
      guard let job, job.state != .done, context.caller.mayRead(job.collection) else {
        throw HTTPAPIError.documentMissing(id)
      }
      return .json(DocumentDetailBody(document: DocumentBody(job, id: document), pages: [], job: JobBody(job)))
    }
    guard context.caller.mayRead(entry.document.collection) else { throw HTTPAPIError.documentMissing(id) }
    let coverage = try await parts.index.coverage(of: document)
    return .json(
      DocumentDetailBody(
        document: DocumentBody(entry),
        pages: coverage.map(PageCoverageBody.init),
        job: job.flatMap { $0.state == .done ? nil : JobBody($0) }))
  }

  /// `GET /v1/ingestion`.
  func showIngestion(_ context: RequestContext) async throws -> HTTPResponse {
    .json(IngestionBody(try await parts.ingestion.report(collections: context.caller.allowedCollections)))
  }

  /// `DELETE /v1/documents/{id}`: a file that stays gets a tombstone, so that a scan does not bring the document back;
  /// the bytes of an upload go.
  func deleteDocument(_ id: String, _ context: RequestContext) async throws -> HTTPResponse {
    guard DocumentID.isValid(id) else { throw HTTPAPIError.documentMissing(id) }
    let document = DocumentID(rawValue: id)
    let entry = try await parts.index.entry(document)?.document
    let job = entry == nil ? try await parts.jobs.job(of: document) : nil
    guard let collection = entry?.collection ?? job?.collection, context.caller.mayRead(collection),
      let removed = try await parts.removal.remove(document, context: context)
    else { throw HTTPAPIError.documentMissing(id) }
    parts.log.log(
      .info, "document deleted", context: context,
      [
        ("document", .string(id)), ("uri", .string(removed.uri.rawValue)), ("chunks", .int(removed.chunks)),
      ])
    return HTTPResponse(status: 204)
  }

  /// The document, if the caller may see it: what is out of bounds looks like what is not there.
  func entry(_ id: String, _ context: RequestContext) async throws -> CatalogueEntry {
    guard DocumentID.isValid(id), let entry = try await parts.index.entry(DocumentID(rawValue: id)),
      context.caller.mayRead(entry.document.collection)
    else { throw HTTPAPIError.documentMissing(id) }
    return entry
  }
}
