package import Core
import HTTPServer

/// The one place where errors become statuses.
package struct Problem: Sendable {
  var body: ProblemBody
  var allowedMethods: [String]?

  /// The code of requests whose client left or that were under way when the service stopped.
  static let cancelledCode = "request.cancelled"

  /// The status of a category: an exhaustive switch, so that a new category must be decided here.
  package static func status(of category: ErrorCategory) -> Int {
    switch category {
    case .invalidInput: 400
    case .unauthenticated: 401
    case .forbidden: 403
    case .notFound: 404
    case .conflict: 409
    case .gone: 410
    case .tooLarge: 413
    case .rateLimited: 429
    case .unavailable, .timedOut, .cancelled: 503
    case .storageFull: 507
    case .invalidConfiguration, .corrupt, .internal: 500
    }
  }

  /// The title of a category (RFC 9457, section 3.1.4: the same for every occurrence).
  static func title(of category: ErrorCategory) -> String {
    switch category {
    case .invalidInput: "The request is invalid"
    case .unauthenticated: "A valid key is needed"
    case .forbidden: "The key does not allow this"
    case .notFound: "Not found"
    case .conflict: "The state of the library does not allow this"
    case .gone: "It cannot be had any more"
    case .tooLarge: "The request is too large"
    case .rateLimited: "Too many requests"
    case .unavailable: "The service is not available"
    case .timedOut: "The request took too long"
    case .cancelled: "The request was stopped"
    case .storageFull: "The storage is full"
    case .invalidConfiguration: "The service is configured wrongly"
    case .corrupt: "Stored data is damaged"
    case .internal: "Something went wrong in the service"
    }
  }

  /// The problem that `error` is; what is not categorised says nothing of its inner workings.
  init(_ error: any Error, traceID: TraceID) {
    let known: any CategorizedError =
      if let error = error as? any CategorizedError {
        error
      } else if error is CancellationError {
        HTTPAPIError(
          code: Self.cancelledCode, category: .cancelled, message: "the request was stopped before its end",
          remedy: "Send it again.")
      } else {
        HTTPAPIError(
          code: "internal", category: .internal, message: "the request failed; the log has the cause",
          remedy: "Look for the trace id in the log.", underlying: error)
      }
    let own = known as? HTTPAPIError
    self.init(
      status: own?.status ?? Self.status(of: known.category), title: Self.title(of: known.category), code: known.code,
      detail: known.message, remedy: known.remedy, traceID: traceID)
    body.field = own?.field
    body.position = own?.position
    allowedMethods = own?.allowedMethods
  }

  /// The problem that a refusal of the HTTP engine is.
  init(_ refusal: HTTPRefusal, traceID: TraceID) {
    self.init(
      status: refusal.status, title: refusal.status >= 500 ? "The service is not available" : "The request is invalid",
      code: "http.\(refusal.code)", detail: refusal.message, remedy: nil, traceID: traceID)
  }

  init(status: Int, title: String, code: String, detail: String, remedy: String?, traceID: TraceID) {
    body = ProblemBody(
      type: "urn:quarry:problem:\(code)", title: title, status: status, detail: detail,
      instance: "urn:quarry:trace:\(traceID)", code: code, traceID: traceID.rawValue, remedy: remedy)
  }

  /// The problem as a response.
  var response: HTTPResponse {
    var response = HTTPResponse.json(body, status: body.status, contentType: "application/problem+json")
    if let allowedMethods { response.headers["Allow"] = allowedMethods.joined(separator: ", ") }
    switch body.status {
    case 401: response.headers["WWW-Authenticate"] = "Bearer"
    case 429, 503: response.headers["Retry-After"] = "1"
    default: break
    }
    return response
  }
}

extension HTTPResponse {
  /// A response whose body is `value` as JSON.
  static func json(_ value: some Encodable, status: Int = 200, contentType: String = "application/json") -> HTTPResponse
  {
    guard let bytes = try? WireCoding.encode(value) else {
      // Only numbers that are not finite cannot be encoded, and no body has any by design.
      return HTTPResponse(
        status: 500, headers: ["Content-Type": "application/problem+json"],
        body: .bytes(
          Array(
            #"{"type":"urn:quarry:problem:internal","title":"Something went wrong in the service","status":500,"#.utf8)
            + Array(#""detail":"the answer cannot be written as JSON","instance":"","code":"internal","#.utf8)
            + Array(#""trace_id":""}"#.utf8)))
    }
    return HTTPResponse(status: status, headers: ["Content-Type": contentType], body: .bytes(bytes))
  }
}
