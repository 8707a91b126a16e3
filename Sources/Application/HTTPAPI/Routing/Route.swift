import Core
import HTTPServer
import Spelling

/// What a request asks for, known from method and path alone.
package enum Route: Sendable, Hashable {
  case query
  case search
  case documents
  case upload
  case document(id: String)
  case uploadNamed(String)
  case deleteDocument(id: String)
  case page(id: String, page: String)
  case pageImage(id: String, page: String)
  case ingestion
  case sync
  case live
  case ready
  case metrics
  case openAPI

  /// Every method and path template there is, as `openapi.json` writes them.
  package static let all: [(method: String, template: String)] = [
    ("POST", "/v1/query"), ("POST", "/v1/search"), ("GET", "/v1/documents"), ("POST", "/v1/documents"),
    ("GET", "/v1/documents/{id}"), ("PUT", "/v1/documents/{id}"), ("DELETE", "/v1/documents/{id}"),
    ("GET", "/v1/documents/{id}/pages/{page}"), ("GET", "/v1/documents/{id}/pages/{page}.png"),
    ("GET", "/v1/ingestion"), ("POST", "/v1/ingestion/sync"), ("GET", "/health/live"), ("GET", "/health/ready"),
    ("GET", "/metrics"), ("GET", "/openapi.json"),
  ]

  /// The path template, for logs and metrics: bounded in number.
  var template: String {
    switch self {
    case .query: "/v1/query"
    case .search: "/v1/search"
    case .documents, .upload: "/v1/documents"
    case .document, .uploadNamed, .deleteDocument: "/v1/documents/{id}"
    case .page: "/v1/documents/{id}/pages/{page}"
    case .pageImage: "/v1/documents/{id}/pages/{page}.png"
    case .ingestion: "/v1/ingestion"
    case .sync: "/v1/ingestion/sync"
    case .live: "/health/live"
    case .ready: "/health/ready"
    case .metrics: "/metrics"
    case .openAPI: "/openapi.json"
    }
  }

  /// Whether it is served without a key: probes and the description of the interface.
  var isPublic: Bool {
    switch self {
    case .live, .ready, .openAPI: true
    default: false
    }
  }

  /// Whether it changes the library: not for keys that may only read.
  var changesLibrary: Bool {
    switch self {
    case .upload, .uploadNamed, .deleteDocument: true
    default: false
    }
  }

  /// The names of its query parameters.
  var parameters: [String] {
    switch self {
    case .documents: ["collection", "state", "limit", "cursor"]
    case .upload: ["name", "collection"]
    case .uploadNamed: ["collection"]
    case .page: ["version"]
    case .pageImage: ["dpi", "quote", "start", "end", "version"]
    default: []
    }
  }

  /// Finds the route; `HEAD` goes where `GET` goes.
  /// - Throws: `request.not_found`, `request.method_not_allowed` with the methods there are.
  init(_ head: HTTPRequestHead) throws(HTTPAPIError) {
    let method = head.method == "HEAD" ? "GET" : head.method
    let byMethod: [String: Route]
    switch (head.segments.count, head.segments.first) {
    case (2, "v1") where head.segments[1] == "query": byMethod = ["POST": .query]
    case (2, "v1") where head.segments[1] == "search": byMethod = ["POST": .search]
    case (2, "v1") where head.segments[1] == "documents": byMethod = ["GET": .documents, "POST": .upload]
    case (3, "v1") where head.segments[1] == "ingestion" && head.segments[2] == "sync": byMethod = ["POST": .sync]
    case (3, "v1") where head.segments[1] == "documents" && !head.segments[2].isEmpty:
      byMethod = [
        "GET": .document(id: head.segments[2]), "PUT": .uploadNamed(head.segments[2]),
        "DELETE": .deleteDocument(id: head.segments[2]),
      ]
    case (5, "v1") where head.segments[1] == "documents" && head.segments[3] == "pages" && !head.segments[4].isEmpty:
      let name = head.segments[4]
      byMethod =
        name.hasSuffix(".png")
        ? ["GET": .pageImage(id: head.segments[2], page: String(name.dropLast(4)))]
        : ["GET": .page(id: head.segments[2], page: name)]
    case (2, "v1") where head.segments[1] == "ingestion": byMethod = ["GET": .ingestion]
    case (2, "health") where head.segments[1] == "live": byMethod = ["GET": .live]
    case (2, "health") where head.segments[1] == "ready": byMethod = ["GET": .ready]
    case (1, "metrics"): byMethod = ["GET": .metrics]
    case (1, "openapi.json"): byMethod = ["GET": .openAPI]
    default: throw Self.notFound(head)
    }
    guard let route = byMethod[method] else {
      let allowed = Self.allowed(byMethod.keys)
      throw HTTPAPIError(
        code: "request.method_not_allowed", category: .invalidInput,
        message: "\(head.method.clipped) is not allowed at \(head.path.clipped)",
        remedy: "There is \(allowed.joined(separator: ", ")).", status: 405, allowedMethods: allowed)
    }
    self = route
  }

  private static func allowed(_ methods: some Sequence<String>) -> [String] {
    methods.flatMap { $0 == "GET" ? ["GET", "HEAD"] : [$0] }.sorted()
  }

  private static func notFound(_ head: HTTPRequestHead) -> HTTPAPIError {
    let nearest = nearestWord(to: head.path, in: all.map(\.template))
    return HTTPAPIError(
      code: "request.not_found", category: .notFound, message: "there is nothing at \(head.path.clipped)",
      remedy: (nearest.map { "Did you mean \($0)? " } ?? "") + "The paths are listed in /openapi.json.")
  }
}
