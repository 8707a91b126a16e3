import Core
import HTTPServer
import Ingestion
import Telemetry

extension API {
  /// The types that an upload may have. Not `multipart/form-data`, which any web page could send to this machine.
  private static let uploadTypes = ["application/pdf", "application/octet-stream"]

  /// The most bytes of a body that is to be read while it arrives; nil for other requests.
  func streamedBodyLimit(_ head: HTTPRequestHead) -> Int? {
    guard head.method == "POST" || head.method == "PUT" else { return nil }
    switch try? Route(head) {
    case .upload, .uploadNamed: return settings.uploadBytes
    default: return nil
    }
  }

  /// `POST /v1/documents`: the name comes from the parameter `name`, else from `Content-Disposition`.
  func upload(
    _ request: HTTPRequest, _ parameters: QueryParameters, _ context: RequestContext
  ) async throws -> HTTPResponse {
    let disposition = request.headers["Content-Disposition"].flatMap(ContentDisposition.init)
    guard let name = parameters.text("name") ?? disposition?.fileName else {
      throw HTTPAPIError(
        code: "upload.name_missing", category: .invalidInput, message: "the document has no name",
        remedy: "Send ?name=report.pdf, or a Content-Disposition header with a filename.", field: "name")
    }
    return try await upload(
      request, name: try uploadName(name), collection: try uploadCollection(parameters, context), context)
  }

  /// `PUT /v1/documents/{id}`: the next version of an uploaded document by its id, or a document by its name.
  func upload(
    _ request: HTTPRequest, named name: String, _ parameters: QueryParameters, _ context: RequestContext
  ) async throws -> HTTPResponse {
    guard DocumentID.isValid(name) else {
      return try await upload(
        request, name: try uploadName(name), collection: try uploadCollection(parameters, context), context)
    }
    let document = DocumentID(rawValue: name)
    let entry = try await parts.index.entry(document)?.document
    let job = entry == nil ? try await parts.jobs.job(of: document) : nil
    guard let uri = entry?.uri ?? job?.uri, let collection = entry?.collection ?? job?.collection,
      context.caller.mayRead(collection)
    else { throw HTTPAPIError.documentMissing(name) }
    guard uri.isUpload else {
      throw HTTPAPIError(
        code: "upload.not_an_upload", category: .conflict, message: "this document comes from \(uri.rawValue.clipped)",
        remedy: "Change it there, or upload under a name of its own.")
    }
    if let named = parameters.text("collection"), named != collection.rawValue {
      throw HTTPAPIError(
        code: "upload.other_collection", category: .conflict, message: "the document is in collection '\(collection)'",
        remedy: "Leave 'collection' out.", field: "collection")
    }
    return try await upload(request, name: try uploadName(uri.name), collection: collection, context)
  }

  private func uploadName(_ text: String) throws -> UploadName {
    do { return try UploadName(text) } catch let error as IngestionError {
      throw HTTPAPIError(
        code: error.code, category: error.category, message: error.message, remedy: error.remedy, field: "name")
    }
  }

  private func uploadCollection(_ parameters: QueryParameters, _ context: RequestContext) throws -> CollectionName {
    guard let name = parameters.text("collection") else { return try allowed(.default, context) }
    try QuestionReading.checkCollection(name)
    return try allowed(CollectionName(rawValue: name), context)
  }

  private func allowed(_ collection: CollectionName, _ context: RequestContext) throws -> CollectionName {
    guard context.caller.mayRead(collection) else {
      throw HTTPAPIError(
        code: "collection.forbidden", category: .forbidden,
        message: "this key is not good for collection '\(collection)'",
        remedy: "Name a collection that it is good for, or use another key.", field: "collection")
    }
    return collection
  }

  private func upload(
    _ request: HTTPRequest, name: UploadName, collection: CollectionName, _ context: RequestContext
  ) async throws -> HTTPResponse {
    let type = (request.headers["Content-Type"] ?? "").prefix { $0 != ";" }
      .trimmed.lowercased()
    guard Self.uploadTypes.contains(type) else {
      throw HTTPAPIError(
        code: "request.unsupported_media_type", category: .invalidInput,
        message: "the body of an upload must be a PDF", remedy: "Send Content-Type: application/pdf.", status: 415)
    }
    try QuestionReading.requireIdentity(request.head)
    do {
      let receipt = try await parts.uploads.take(
        name: name, collection: collection, byteCount: request.head.contentLength,
        next: { try await request.pieces.next() })
      log(receipt, context)
      let body = UploadBody(receipt)
      var response = HTTPResponse.json(body, status: receipt.outcome == .queued ? 202 : 200)
      response.headers["Location"] = body.statusURL
      return response
    } catch let error as IngestionError where error.code == "upload.not_pdf" {
      throw HTTPAPIError(
        code: error.code, category: error.category, message: error.message, remedy: error.remedy, status: 415)
    } catch let error as HTTPServerError where error.code == HTTPServerError.bodyTooLarge.code {
      throw HTTPAPIError(
        code: error.code, category: .tooLarge,
        message: "the document is longer than \(settings.uploadBytes) bytes", remedy: "Raise uploads.maxBytes.")
    } catch let error as HTTPServerError where error.code == HTTPServerError.clientLeft.code {
      throw CancellationError()
    }
  }

  private func log(_ receipt: UploadIntake.Receipt, _ context: RequestContext) {
    parts.log.log(
      .info, "document uploaded", context: context,
      [
        ("document", .string(receipt.document.rawValue)), ("uri", .string(receipt.uri.rawValue)),
        ("version", .string(receipt.content.version.rawValue)), ("bytes", .int(receipt.content.byteCount)),
        ("queued", .bool(receipt.outcome == .queued)),
      ])
  }
}

extension Substring {
  /// Without blanks at its ends.
  fileprivate var trimmed: Substring {
    var text = self
    while text.first == " " || text.first == "\t" { text.removeFirst() }
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return text
  }
}
