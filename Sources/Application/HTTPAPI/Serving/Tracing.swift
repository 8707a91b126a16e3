import Core
import HTTPServer

/// The trace and traffic kind that a request's headers carry.
enum Tracing {
  /// The trace id of `traceparent`, else of `X-Amzn-Trace-Id`, else a new one.
  static func traceID(of head: HTTPRequestHead?) -> TraceID {
    if let header = head?.headers["traceparent"], let id = TraceID(traceparent: header) { return id }
    if let header = head?.headers["X-Amzn-Trace-Id"], let id = TraceID(amazonTraceHeader: header) { return id }
    return .random()
  }

  /// What caused the request, as `X-Quarry-Traffic` says; `live` without it.
  /// - Throws: `request.invalid_header` for a word that is no traffic kind.
  static func traffic(of head: HTTPRequestHead) throws(HTTPAPIError) -> TrafficKind {
    guard let header = head.headers["X-Quarry-Traffic"] else { return .live }
    guard let kind = TrafficKind(rawValue: header) else {
      throw HTTPAPIError(
        code: "request.invalid_header", category: .invalidInput,
        message: "X-Quarry-Traffic is not one of \(TrafficKind.allCases.map(\.rawValue).joined(separator: ", "))",
        remedy: "Leave it out for live traffic.", field: "X-Quarry-Traffic")
    }
    return kind
  }

  /// Adds what every response carries: the trace, and what keeps a browser from misusing it.
  static func complete(_ response: inout HTTPResponse, traceID: TraceID) {
    response.headers["X-Trace-Id"] = traceID.rawValue
    response.headers["traceparent"] = "00-\(traceID)-\(spanID())-01"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Referrer-Policy"] = "no-referrer"
    if response.headers["Cache-Control"] == nil { response.headers["Cache-Control"] = "no-store" }
  }

  /// A span id: 16 hex digits, not all zero. Source: https://www.w3.org/TR/trace-context/#parent-id
  private static func spanID() -> String {
    let digits = String(UInt64.random(in: 1...UInt64.max), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
