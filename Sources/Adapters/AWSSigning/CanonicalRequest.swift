import Cryptography

/// The one spelling of a request that both sides hash.
///
/// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, step 1.
struct CanonicalRequest {
  let text: String
  let signedHeaders: String
  /// The query as it must be sent: encoded, then sorted.
  let query: String

  init(_ request: SignableRequest, payloadHash: String, pathStyle: SignatureV4.PathStyle) {
    query = Self.query(request.query)
    let headers = Self.headers(of: request)
    signedHeaders = headers.map(\.name).joined(separator: ";")
    var lines = [request.method, Self.path(request.path, style: pathStyle), query]
    lines += headers.map { "\($0.name):\($0.value)" }
    lines += ["", signedHeaders, payloadHash]
    text = lines.joined(separator: "\n")
  }

  var digest: String { SHA256.hash(text).hexadecimal }

  /// Sorted by encoded name, then by encoded value; sorting before encoding gives another order.
  private static func query(_ fields: [SignableRequest.Field]) -> String {
    fields.map { (name: URIEncoding.component($0.name), value: URIEncoding.component($0.value)) }
      .sorted { ($0.name, $0.value) < ($1.name, $1.value) }
      .map { "\($0.name)=\($0.value)" }
      .joined(separator: "&")
  }

  private static func path(_ path: String, style: SignatureV4.PathStyle) -> String {
    switch style {
    case .asSent: path
    case .encodedAgain: URIEncoding.path(normalized(path))
    }
  }

  /// Without empty and dot segments (RFC 3986, section 5.2.4); a slash at the end stays.
  private static func normalized(_ path: String) -> String {
    var kept: [Substring] = []
    let segments = path.split(separator: "/", omittingEmptySubsequences: false)
    for segment in segments {
      switch segment {
      case "", ".": continue
      case "..": _ = kept.popLast()
      default: kept.append(segment)
      }
    }
    let endsInFolder = segments.last.map { ["", ".", ".."].contains($0) } ?? true
    return "/" + kept.joined(separator: "/") + (endsInFolder && !kept.isEmpty ? "/" : "")
  }

  /// Lower-case names in order, each with its values joined by commas.
  private static func headers(of request: SignableRequest) -> [(name: String, value: String)] {
    var values: [String: [String]] = [:]
    for header in request.headers where !unsigned.contains(header.name.lowercased()) {
      values[header.name.lowercased(), default: []].append(folded(header.value))
    }
    if values["host"] == nil { values["host"] = [request.host] }
    return values.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value.joined(separator: ",")) }
  }

  /// Without surrounding white space, and runs of it inside as one space.
  private static func folded(_ value: String) -> String {
    value.split(whereSeparator: { $0 == " " || $0 == "\t" || $0.isNewline }).joined(separator: " ")
  }

  /// What proxies and libraries on the way set or change.
  private static let unsigned: Set<String> = [
    "authorization", "connection", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id",
  ]
}
